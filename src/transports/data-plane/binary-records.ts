/**
 * zaslon.bin.v1: the byte layout, as docs/wire.md tells it. Little-endian, fixed sizes, many records a frame. A change
 * needs a new subprotocol name; unused bytes are 0 and ignored.
 *
 * ```
 * every request record: 64 bytes            every answer record: 48 bytes
 *   0 u8  version, 1                          0 u8  version, 1
 *   1 u8  type: 1 call, 2 end, 3 trunk        1 u8  type: 1 verdict, 255 error
 *   4 u32 correlation, echoed                 2 u8  verdict (VERDICTS), or ERROR_RECORD_CODES
 *                                             3 u8  score 0-100
 * call (1)                                    4 u32 correlation
 *   3 u8  ingress kind, 0: the trunk's        8 16 bytes verdictId, as its hexadecimal form reads
 *   8 f64 caller                             24 u16 SIP status, 0: forward
 *  16 f64 callee                             26 u8  SIP style: 1 603+, 2 603, 3 607, 4 608, 0 none
 *  24 f64 redirecting, 0: none               27 u8  basis (BASES)
 *  32 u32x2 call id hash, 0: none            28 u8  flags (DECISION_FLAG)
 *  40 u16 trunk number, 0: none              29 u8  reason count
 *  42 u8  attestation (ATTESTATIONS)         30 u16 list id of the first listed reason, 0: none
 *  43 u8  verstat (VERSTATS)                 32 u32 policy version
 *  44 u8  originating (CONFIRMATIONS)        36 u32 reserved
 *  45 u8  roaming (CONFIRMATIONS)            40 u8x8 reason codes (REASON_CODES index + 1)
 *  46 u8  treatment (TREATMENTS)
 *  48 f64 deadlineAt, epoch ms, 0: none
 *
 * end (2): 8 caller, 16 callee, 24 u32 ringMs, 28 u32 talkMs, 32 u32x2 call id hash, 40 u8 answered
 * trunk (3): 2 u8 name bytes (1-52), 8 u16 number (1-1023), 12 the name in UTF-8
 * ```
 */
export const BINARY_VERSION = 1
export const REQUEST_RECORD_BYTES = 64
export const ANSWER_RECORD_BYTES = 48
/** 64 KiB of calls: about a millisecond of deciding. */
export const RECORDS_PER_FRAME_MAX = 1_024
/** Trunk numbers a connection may name: 1 to this. */
export const TRUNK_NUMBER_MAX = 1_023
export const TRUNK_NAME_BYTES_MAX = 52

export const REQUEST_TYPE = { call: 1, end: 2, trunk: 3 } as const
export const ANSWER_TYPE = { verdict: 1, error: 255 } as const
export const ERROR_RECORD = {
  /** The version byte is not 1. */
  version: 1,
  /** No such record type. */
  type: 2,
  /** A trunk record with a number or a name outside its limits. */
  trunk: 3,
} as const
