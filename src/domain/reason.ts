import type { Verdict } from './verdict.ts'

/**
 * Why a verdict came out as it did, as data. `deterministic`: a fact about the number that needs no opinion (never
 * originates calls, cannot exist). `analytics`: a judgement (listed, reported, behaviour). The basis decides the SIP
 * answer: ATIS-1000099 reserves 603+ for analytics.
 */
export const BASES = ['deterministic', 'analytics'] as const
export type Basis = (typeof BASES)[number]

/** Every reason, in the order of its wire and storage code (index + 1; 0 means none): append only, never reorder. */
export const REASON_CODES = [
  'no-evidence',
  'emergency-callee',
  'service-callee',
  'allow-listed',
  'listed',
  'do-not-originate',
  'protected',
  'watched',
  'impossible-number',
  'national-from-abroad',
  'own-number-from-outside',
  'originating-denied',
  'verification-failed',
  'attestation-weak',
  'attested',
  'reported',
  'reported-share',
  'withheld',
  'invalid-caller',
  'overloaded',
  'treatment',
  'not-ready',
  'calling-pattern',
  'robocall-burst',
  'one-ring',
  'sequential-dialling',
  'neighbour-spoofing',
  'pool-rotation',
  'sim-box',
  'many-trunks',
  'callee-flood',
  'number-block',
  'impersonation',
  'known-contact',
  'conversations',
  'report-burst',
  'reports-contested',
] as const
export type ReasonCode = (typeof REASON_CODES)[number]

/** A reason as an answer carries it. */
export type Reason = {
  readonly code: ReasonCode
  readonly basis: Basis
  /** What this reason contributed to the score, 0-100; negative for good evidence. */
  readonly points: number
  /** The list and its kind, when a list entry is the reason. */
  readonly list?: string
  readonly kind?: string
}

/** A verdict as the data plane answers it (contract, design section 7). */
export type VerdictBody = {
  verdictId: string
  callId?: string
  decision: Verdict
  /** 0-100. */
  score: number
  reasons: Reason[]
  sip: { action: 'forward' | 'reject'; status?: number; phrase?: string; headers: Record<string, string> }
  /** Present with `flag`: a label code and its text. */
  label?: { code: string; text: string }
  /** name@version of the policy that decided. */
  policy: string
}
