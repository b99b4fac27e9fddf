import { LIST_KINDS, type ListKind } from './number-list.ts'
import { SIGNAL_NAMES, type SignalName } from './policy.ts'
import { BASES, type Basis, REASON_CODES, type ReasonCode } from './reason.ts'

/**
 * Strength of a signal, 0..1, in whole thousandths: 0 is absent, STRENGTH_FULL is certain. Small integers, because a
 * fraction that crosses a function call costs V8 an allocation.
 */
export const STRENGTH_FULL = 1000

/** What a signal means beside its points. Where a fact holds only `atFull` strength, anything weaker is a suspicion. */
export type SignalFacts = {
  readonly reason: ReasonCode
  /** Good evidence takes points away. */
  readonly isGood: boolean
  /** At full strength: a fact about the number, not a judgement. */
  readonly isDeterministicAtFull: boolean
  /** At full strength the caller number is contradicted: no favour counts for this call. */
  readonly contradictsAtFull: boolean
  /** Below full strength it may lift a score to `flag` but not over `block`. */
  readonly onlyFlagsBelowFull: boolean
  /** Good evidence that is only looked at when there is harm to set it against. */
  readonly mitigates: boolean
  /** The kind of list that is its evidence. */
  readonly list?: ListKind
}

const SUSPICION = {
  isGood: false,
  isDeterministicAtFull: false,
  contradictsAtFull: false,
  onlyFlagsBelowFull: false,
  mitigates: false,
}
const MITIGATION = { ...SUSPICION, isGood: true, mitigates: true }
const CONTRADICTING_FACT = { ...SUSPICION, isDeterministicAtFull: true, contradictsAtFull: true }

export const SIGNAL_FACTS: Readonly<Record<SignalName, SignalFacts>> = {
  'deny-listed': { ...SUSPICION, reason: 'listed', list: 'deny' },
  'do-not-originate': { ...CONTRADICTING_FACT, reason: 'do-not-originate', list: 'do-not-originate' },
  watched: { ...SUSPICION, reason: 'watched', list: 'watch' },
  'impossible-number': {
    ...SUSPICION,
    isDeterministicAtFull: true,
    onlyFlagsBelowFull: true,
    reason: 'impossible-number',
  },
  'national-from-abroad': { ...CONTRADICTING_FACT, reason: 'national-from-abroad' },
  'own-number-from-outside': { ...SUSPICION, reason: 'own-number-from-outside', list: 'own' },
  'originating-denied': { ...CONTRADICTING_FACT, reason: 'originating-denied' },
  'verification-failed': { ...SUSPICION, contradictsAtFull: true, reason: 'verification-failed' },
  'attestation-weak': { ...SUSPICION, reason: 'attestation-weak' },
  attested: { ...SUSPICION, isGood: true, reason: 'attested' },
  reported: { ...SUSPICION, reason: 'reported' },
  'reported-share': { ...SUSPICION, reason: 'reported-share' },
  withheld: { ...SUSPICION, reason: 'withheld' },
  'invalid-caller': { ...SUSPICION, reason: 'invalid-caller' },
  'calling-pattern': { ...SUSPICION, reason: 'calling-pattern' },
  'robocall-burst': { ...SUSPICION, reason: 'robocall-burst' },
  'one-ring': { ...SUSPICION, reason: 'one-ring' },
  'sequential-dialling': { ...SUSPICION, reason: 'sequential-dialling' },
  'neighbour-spoofing': { ...SUSPICION, reason: 'neighbour-spoofing' },
  'pool-rotation': { ...SUSPICION, reason: 'pool-rotation' },
  'sim-box': { ...SUSPICION, reason: 'sim-box' },
  'many-trunks': { ...SUSPICION, reason: 'many-trunks' },
  'callee-flood': { ...SUSPICION, reason: 'callee-flood' },
  'number-block': { ...SUSPICION, reason: 'number-block' },
  impersonation: { ...SUSPICION, reason: 'impersonation' },
  'known-contact': { ...MITIGATION, reason: 'known-contact' },
  conversations: { ...MITIGATION, reason: 'conversations' },
}

/** By signal index (SIGNAL_NAMES order), for loops over numbers. */
export const SIGNAL_FACTS_BY_INDEX: readonly (SignalFacts & {
  /** REASON_CODES index. */
  readonly reasonIndex: number
  /** LIST_KINDS index + 1; 0: no list is its evidence. */
  readonly listCode: number
})[] = SIGNAL_NAMES.map((name) => {
  const facts = SIGNAL_FACTS[name]
  return {
    ...facts,
    reasonIndex: reasonIndex(facts.reason),
    listCode: facts.list ? LIST_KINDS.indexOf(facts.list) + 1 : 0,
  }
})

/** Bit mask of these signals: bit i is that of SIGNAL_NAMES[i]. */
export function signalBits(...names: readonly SignalName[]): number {
  return names.reduce((mask, name) => mask | (1 << SIGNAL_NAMES.indexOf(name)), 0)
}

/** The basis of a signal measured at this strength. */
export function signalBasis(facts: SignalFacts, strength: number): Basis {
  return facts.isDeterministicAtFull && strength >= STRENGTH_FULL ? 'deterministic' : 'analytics'
}

/** REASON_CODES index: what decisions carry is one more. */
export function reasonIndex(code: ReasonCode): number {
  return REASON_CODES.indexOf(code)
}

export const DETERMINISTIC = BASES.indexOf('deterministic')
export const ANALYTICS = BASES.indexOf('analytics')
