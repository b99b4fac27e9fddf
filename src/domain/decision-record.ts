import { ATTESTATIONS, type Attestation, INGRESS_KINDS, type IngressKind } from './call-event.ts'
import { formatE164 } from './format-phone-number.ts'
import { isPhoneNumber, NOT_A_NUMBER } from './phone-number.ts'
import { SIGNAL_NAMES, type SignalName } from './policy.ts'
import { REASON_CODES, type ReasonCode } from './reason.ts'
import { VERDICTS, type Verdict } from './verdict.ts'

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
export type DecisionFlag = keyof typeof DECISION_FLAG

/** Byte offsets of the record's fields: what filters read without decoding the rest. */
export const DECISION_FIELD = {
  time: 0,
  verdictId: 8,
  caller: 24,
  calleePseudonym: 32,
  callHash: 40,
  trunk: 48,
  ingress: 50,
  verdict: 51,
  score: 52,
  flags: 53,
  reasonCount: 54,
  attestation: 55,
  policyVersion: 56,
  reasons: 64,
  strengths: 96,
} as const

/** A decision read back from the log. */
export type DecisionEntry = {
  readonly timeMs: number
  /** 32 hexadecimal digits, as in the answer. */
  readonly verdictId: string
  /** `+7…`, the digits of a short code, or what the caller was instead of a number: `withheld`, `malformed`, … */
  readonly caller: string
  /** 16 hexadecimal digits; comparable with other calls of the same UTC day only. */
  readonly calleePseudonym: string
  /** 16 hexadecimal digits of the keyed hash of the call; empty when the switch named no call. */
  readonly callHash: string
  /** Empty when no trunk was named or it is not registered. */
  readonly trunk: string
  readonly ingress: IngressKind
  readonly attestation: Attestation
  readonly verdict: Verdict
  /** 0-100. */
  readonly score: number
  readonly flags: readonly DecisionFlag[]
  readonly reasons: readonly { readonly code: ReasonCode; readonly points: number; readonly listId: number }[]
  readonly policyVersion: number
  /** Strength 0..1 of the signals that were there at all. */
  readonly strengths: Readonly<Partial<Record<SignalName, number>>>
}

/**
 * Whether 128 bytes can be a record: after a crash of the machine the end of a segment may hold zeros or half a record.
 * Length and offset are the caller's business.
 */
export function isDecisionRecord(view: DataView, offset: number): boolean {
  return (
    view.getFloat64(offset + DECISION_FIELD.time, true) > 0 &&
    view.getUint8(offset + DECISION_FIELD.verdict) < VERDICTS.length &&
    view.getUint8(offset + DECISION_FIELD.reasonCount) <= REASONS_PER_DECISION_MAX
  )
}

/**
 * The record at `offset` as a plain object. `trunks` are the names by trunk index when it was written. A code that this
 * release does not know (a record written by a newer one) is left out or reads as the list's first.
 */
export function decodeDecision(view: DataView, offset: number, trunks: readonly string[]): DecisionEntry {
  const flagBits = view.getUint8(offset + DECISION_FIELD.flags)
  const callHash = hexWords(view, offset + DECISION_FIELD.callHash, 2)
  return {
    timeMs: view.getFloat64(offset + DECISION_FIELD.time, true),
    verdictId: hexWords(view, offset + DECISION_FIELD.verdictId, 4),
    caller: callerText(view.getFloat64(offset + DECISION_FIELD.caller, true)),
    calleePseudonym: hexWords(view, offset + DECISION_FIELD.calleePseudonym, 2),
    callHash: callHash === NO_CALL_HASH ? '' : callHash,
    trunk: trunks[view.getUint16(offset + DECISION_FIELD.trunk, true)] ?? '',
    ingress: INGRESS_KINDS[view.getUint8(offset + DECISION_FIELD.ingress)] ?? INGRESS_KINDS[0],
    attestation: ATTESTATIONS[view.getUint8(offset + DECISION_FIELD.attestation)] ?? ATTESTATIONS[0],
    verdict: VERDICTS[view.getUint8(offset + DECISION_FIELD.verdict)] ?? VERDICTS[0],
    score: view.getUint8(offset + DECISION_FIELD.score),
    flags: DECISION_FLAGS.filter((flag) => (flagBits & DECISION_FLAG[flag]) !== 0),
    reasons: decodeReasons(view, offset),
    policyVersion: view.getUint32(offset + DECISION_FIELD.policyVersion, true),
    strengths: decodeStrengths(view, offset),
  }
}

// A const object's own keys are its type's keys.
const DECISION_FLAGS = Object.keys(DECISION_FLAG) as DecisionFlag[]
const NOT_A_NUMBER_NAMES = new Map<number, string>(Object.entries(NOT_A_NUMBER).map(([name, value]) => [value, name]))
const NO_CALL_HASH = '0'.repeat(16)
const REASON_BYTES = 4

function decodeReasons(view: DataView, offset: number): DecisionEntry['reasons'] {
  const reasons: DecisionEntry['reasons'][number][] = []
  const count = view.getUint8(offset + DECISION_FIELD.reasonCount)
  for (let i = 0; i < Math.min(count, REASONS_PER_DECISION_MAX); i++) {
    const at = offset + DECISION_FIELD.reasons + i * REASON_BYTES
    const code = REASON_CODES[view.getUint8(at) - 1]
    if (code) reasons.push({ code, points: view.getInt8(at + 1), listId: view.getUint16(at + 2, true) })
  }
  return reasons
}

function decodeStrengths(view: DataView, offset: number): DecisionEntry['strengths'] {
  const strengths: Partial<Record<SignalName, number>> = {}
  for (const [i, name] of SIGNAL_NAMES.entries()) {
    const strength = view.getUint8(offset + DECISION_FIELD.strengths + i)
    if (strength > 0) strengths[name] = strength / 255
  }
  return strengths
}

/** `+7…`, the digits of a short code, or the name of what the caller was instead. */
export function callerText(caller: number): string {
  return isPhoneNumber(caller) ? formatE164(caller) : (NOT_A_NUMBER_NAMES.get(caller) ?? 'malformed')
}

/** Words in order, eight digits each. */
function hexWords(view: DataView, offset: number, count: number): string {
  let text = ''
  for (let i = 0; i < count; i++)
    text += view
      .getUint32(offset + i * 4, true)
      .toString(16)
      .padStart(8, '0')
  return text
}
