/**
 * One decision as it travels through the decision ring and lies in the decision log: 128 bytes, little-endian.
 * The layout is a stored format: a change needs a new DECISION_RECORD_VERSION and a reader for the old one.
 *
 * ```
 *   0 f64   time, epoch ms          50 u8  ingress        64 8 x { u8 reason code + 1, i8 points, u16 listId }
 *   8 u32x4 verdictId               51 u8  verdict        96 32 x u8 signal strength (0..255), SIGNAL_NAMES order
 *  24 f64   caller (ParsedNumber)   52 u8  score
 *  32 u32x2 callee pseudonym        53 u8  flags
 *  40 u32x2 call hash               54 u8  reason count
 *  48 u16   trunk index             55 u8  attestation
 *                                   56 u32 policy version
 *                                   60 u32 reserved, 0
 * ```
 */
export const DECISION_RECORD_VERSION = 1
export const DECISION_RECORD_BYTES = 128
export const REASONS_PER_DECISION_MAX = 8

export const DECISION_FLAG = {
  /** The trunk is in shadow mode: the switch was told allow. */
  shadow: 1,
  /** The subscriber's treatment capped the verdict. */
  capped: 2,
  /** A protected caller looked suspicious: the number belongs in the review queue. */
  reviewWanted: 4,
  /** Answered without evidence because it was late or not ready. */
  failOpen: 8,
  /** Logged because the caller falls in the sample, not because of the verdict. */
  sampled: 16,
} as const
