import { REASONS_PER_DECISION_MAX } from '../domain/decision-record.ts'
import { SIGNAL_NAMES } from '../domain/policy.ts'

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
  /** Strength of every signal, 0..255, SIGNAL_NAMES order: what the decision log keeps. */
  readonly strengths: Uint8Array
  /** 128 random bits. */
  readonly verdictId: Uint32Array
  policyVersion: number
  /** DECISION_FLAG bits. */
  flags: number
}

export function createDecision(): Decision {
  return {
    verdict: 0,
    score: 0,
    basis: 1,
    reasonCount: 0,
    reasonCodes: new Uint8Array(REASONS_PER_DECISION_MAX),
    reasonPoints: new Int8Array(REASONS_PER_DECISION_MAX),
    reasonLists: new Uint16Array(REASONS_PER_DECISION_MAX),
    strengths: new Uint8Array(Math.max(32, SIGNAL_NAMES.length)),
    verdictId: new Uint32Array(4),
    policyVersion: 0,
    flags: 0,
  }
}
