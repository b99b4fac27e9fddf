import { REASONS_PER_DECISION_MAX } from '../domain/decision-record.ts'
import { ANALYTICS } from '../domain/signal.ts'
import { ALLOW } from '../domain/verdict.ts'

/**
 * One decision, reused: a verdict thread owns a single Decision and every call overwrites it. Codes, not strings;
 * transports render it at once (transports/data-plane/render.ts) and nothing keeps a reference.
 */
export type Decision = {
  /** Index into VERDICTS: what the switch is told. */
  verdict: number
  /** 0-100. */
  score: number
  /** Index into BASES, of the reason that decided. */
  basis: number
  reasonCount: number
  /** Index into REASON_CODES, plus one. */
  readonly reasonCodes: Uint8Array
  /** -100..100. */
  readonly reasonPoints: Int8Array
  /** listId, or 0. */
  readonly reasonLists: Uint16Array
  /** Index into BASES: the same code may be a fact in one call and a suspicion in another. */
  readonly reasonBases: Uint8Array
  /** Strength of every signal, 0..255, SIGNAL_NAMES order: what the decision log keeps. */
  readonly strengths: Uint8Array
  /** The same, four to a word. */
  readonly strengthWords: Uint32Array
  /** 128 random bits. */
  readonly verdictId: Uint32Array
  policyVersion: number
  /** DECISION_FLAG bits. */
  flags: number
}

/** Room for signals in a record of the decision log (domain/decision-record.ts), which no more signals than bits of a mask fill. */
const STRENGTHS_KEPT = 32

export function createDecision(): Decision {
  const strengths = new Uint8Array(STRENGTHS_KEPT)
  return {
    verdict: ALLOW,
    score: 0,
    basis: ANALYTICS,
    reasonCount: 0,
    reasonCodes: new Uint8Array(REASONS_PER_DECISION_MAX),
    reasonPoints: new Int8Array(REASONS_PER_DECISION_MAX),
    reasonLists: new Uint16Array(REASONS_PER_DECISION_MAX),
    reasonBases: new Uint8Array(REASONS_PER_DECISION_MAX),
    strengths,
    strengthWords: new Uint32Array(strengths.buffer),
    verdictId: new Uint32Array(4),
    policyVersion: 0,
    flags: 0,
  }
}

/** Leaves room for what may decide beside the signals: protection and the callee's treatment. */
export const SIGNAL_REASONS_MAX = REASONS_PER_DECISION_MAX - 2

/** Empties a decision for the next call. */
export function clearDecision(decision: Decision, policyVersion: number): void {
  decision.verdict = ALLOW
  decision.score = 0
  decision.basis = ANALYTICS
  decision.reasonCount = 0
  decision.policyVersion = policyVersion
  decision.flags = 0
  // A loop: `fill` leaves compiled code for a function of the runtime, which takes longer than eight stores.
  const { strengthWords } = decision
  for (let word = 0; word < strengthWords.length; word++) strengthWords[word] = 0
}

/**
 * Adds a reason (REASON_CODES index), keeping most points first and, among equals, the order they came in. When there are
 * more than REASONS_PER_DECISION_MAX, those with the fewest points fall off.
 */
export function addReason(decision: Decision, reason: number, points: number, listId: number, basis: number): void {
  const { reasonCodes, reasonPoints, reasonLists, reasonBases } = decision
  let at = decision.reasonCount
  if (at === REASONS_PER_DECISION_MAX) {
    at--
    if ((reasonPoints[at] ?? 0) >= points) return
  } else {
    decision.reasonCount++
  }
  for (; at > 0 && (reasonPoints[at - 1] ?? 0) < points; at--) {
    reasonCodes[at] = reasonCodes[at - 1] ?? 0
    reasonPoints[at] = reasonPoints[at - 1] ?? 0
    reasonLists[at] = reasonLists[at - 1] ?? 0
    reasonBases[at] = reasonBases[at - 1] ?? 0
  }
  reasonCodes[at] = reason + 1
  reasonPoints[at] = points
  reasonLists[at] = listId
  reasonBases[at] = basis
}
