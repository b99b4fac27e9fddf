import type { Behaviour } from './behaviour.ts'

/**
 * The policy document: which signals count, how much, and where the thresholds lie. Analysts write it as YAML
 * (data/policy.yaml is the default, with comments); parsePolicy turns it into this type and reports every mistake at once.
 * The engine compiles it further (engine/compiled-policy.ts); that third shape never leaves a verdict thread.
 */

/** enforce: counts; shadow: measured and logged, changes nothing; off: not evaluated. */
export const RULE_MODES = ['enforce', 'shadow', 'off'] as const
export type RuleMode = (typeof RULE_MODES)[number]

/** Every signal a rule may name, in storage order: append only. One file each in engine/signals/. */
export const SIGNAL_NAMES = [
  'deny-listed',
  'do-not-originate',
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
] as const
export type SignalName = (typeof SIGNAL_NAMES)[number]

export type PolicyRule = {
  readonly signal: SignalName
  readonly mode: RuleMode
  /** 0-100: what the signal adds at full strength; for good evidence (`attested`, `known-contact`) what it takes away. */
  readonly points: number
}

/** What the SIP side does with a block, by basis of its main reason. */
export type SipBlockStyle = '603+' | '603' | '607' | '608'
export const SIP_BLOCK_STYLES = ['603+', '603', '607', '608'] as const

export type PolicyDocument = {
  readonly name: string
  readonly thresholds: { readonly flag: number; readonly block: number }
  /** Distinct credible reporters within windowDays: that many to flag, to block. A regulator acts at 5 in 10 days. */
  readonly reports: {
    readonly windowDays: number
    readonly flagReporters: number
    readonly blockReporters: number
    /** A reporter below this weight (0..1) does not count in the window. */
    readonly weightMin: number
  }
  readonly numbering: { readonly staleAfterDays: number }
  /** Absent in a policy that was stored before behaviour was known: DEFAULT_BEHAVIOUR. */
  readonly behaviour?: Behaviour
  /** Digits as dialled: emergency numbers and operator services always get through (precedence, step 1). */
  readonly callees: { readonly emergency: readonly string[]; readonly service: readonly string[] }
  readonly sip: {
    readonly analytics: SipBlockStyle
    readonly deterministic: SipBlockStyle
    /** `{verdictId}` is replaced. */
    readonly redressUrl: string
    /** Q.850 location letters as in ATIS-1000099, e.g. LN, TN. */
    readonly location: string
  }
  /** A protected caller at or above this score goes to the review queue. */
  readonly reviewAt: number
  /** The label of a flagged call. */
  readonly label: { readonly code: string; readonly text: Readonly<Record<string, string>> }
  readonly rules: readonly PolicyRule[]
}

/** A stored policy version. `text` is the YAML exactly as it was written. */
export type PolicyVersion = {
  readonly version: number
  readonly text: string
  readonly document: PolicyDocument
  readonly activatedMs: number
  readonly actor: string
}
