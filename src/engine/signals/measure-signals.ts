import type { Call } from '../../domain/call-event.ts'
import { SIGNAL_NAMES, type SignalName } from '../../domain/policy.ts'
import { SIGNAL_FACTS_BY_INDEX, STRENGTH_FULL } from '../../domain/signal.ts'
import { type CompiledPolicy, MODE_ENFORCE, MODE_OFF } from '../compiled-policy.ts'
import type { SignalContext } from '../compiled-state.ts'
import type { Evidence } from '../evidence.ts'
import { attestationWeak } from './attestation-weak.ts'
import { attested } from './attested.ts'
import { calleeFlood } from './callee-flood.ts'
import { callingPattern } from './calling-pattern.ts'
import { conversations } from './conversations.ts'
import { denyListed } from './deny-listed.ts'
import { doNotOriginate } from './do-not-originate.ts'
import { impersonation } from './impersonation.ts'
import { impossibleNumber } from './impossible-number.ts'
import { invalidCaller } from './invalid-caller.ts'
import { knownContact } from './known-contact.ts'
import { manyTrunks } from './many-trunks.ts'
import { nationalFromAbroad } from './national-from-abroad.ts'
import { neighbourSpoofing } from './neighbour-spoofing.ts'
import { numberBlock } from './number-block.ts'
import { oneRing } from './one-ring.ts'
import { originatingDenied } from './originating-denied.ts'
import { ownNumberFromOutside } from './own-number-from-outside.ts'
import { poolRotation } from './pool-rotation.ts'
import { reported } from './reported.ts'
import { reportedShare } from './reported-share.ts'
import { robocallBurst } from './robocall-burst.ts'
import { sequentialDialling } from './sequential-dialling.ts'
import type { Signal } from './signal.ts'
import { simBox } from './sim-box.ts'
import { verificationFailed } from './verification-failed.ts'
import { watched } from './watched.ts'
import { withheld } from './withheld.ts'

const SIGNALS: Readonly<Record<SignalName, Signal>> = {
  'deny-listed': denyListed,
  'do-not-originate': doNotOriginate,
  watched,
  'impossible-number': impossibleNumber,
  'national-from-abroad': nationalFromAbroad,
  'own-number-from-outside': ownNumberFromOutside,
  'originating-denied': originatingDenied,
  'verification-failed': verificationFailed,
  'attestation-weak': attestationWeak,
  attested,
  reported,
  'reported-share': reportedShare,
  withheld,
  'invalid-caller': invalidCaller,
  'calling-pattern': callingPattern,
  'robocall-burst': robocallBurst,
  'one-ring': oneRing,
  'sequential-dialling': sequentialDialling,
  'neighbour-spoofing': neighbourSpoofing,
  'pool-rotation': poolRotation,
  'sim-box': simBox,
  'many-trunks': manyTrunks,
  'callee-flood': calleeFlood,
  'number-block': numberBlock,
  impersonation,
  'known-contact': knownContact,
  conversations,
}
const SIGNALS_BY_INDEX: readonly Signal[] = SIGNAL_NAMES.map((name) => SIGNALS[name])

/** Bit mask of the signals made of reports alone. */
export const REPORT_SIGNALS = bits('reported', 'reported-share', 'number-block', 'impersonation')

function bits(...names: readonly SignalName[]): number {
  return names.reduce((mask, name) => mask | (1 << SIGNAL_NAMES.indexOf(name)), 0)
}

/** What measureSignals saw, bits: nothing at all, as of most calls; something; something that has points. */
export const NOTHING_SEEN = 0
const SOMETHING_SEEN = 1
export const HARM_SEEN = 2

/** Signals that mitigate come last in SIGNAL_NAMES. */
const MITIGATING = SIGNAL_FACTS_BY_INDEX.findIndex((facts) => facts.mitigates)

/**
 * Measures every signal that is not off into `strengths` (SIGNAL_NAMES order, 0..STRENGTH_FULL), but for those that
 * mitigate, which stay 0. Returns NOTHING_SEEN when all are 0, or HARM_SEEN when those that mitigate matter. No allocation.
 */
export function measureSignals(call: Call, evidence: Evidence, context: SignalContext, strengths: Uint16Array): number {
  const { modes, points } = context.policy
  let seen = NOTHING_SEEN
  for (let index = 0; index < MITIGATING; index++) {
    const measure = SIGNALS_BY_INDEX[index] as Signal
    const strength = modes[index] === MODE_OFF ? 0 : measure(call, evidence, context)
    strengths[index] = strength
    if (strength === 0) continue
    seen |= points[index] === 0 || SIGNAL_FACTS_BY_INDEX[index]?.isGood ? SOMETHING_SEEN : HARM_SEEN
  }
  for (let index = MITIGATING; index < SIGNALS_BY_INDEX.length; index++) strengths[index] = 0
  return seen
}

/** The good evidence that is only looked at when there is harm: `evidence.contact` is known by now. No allocation. */
export function measureMitigation(
  call: Call,
  evidence: Evidence,
  context: SignalContext,
  strengths: Uint16Array,
): void {
  const { modes } = context.policy
  for (let index = MITIGATING; index < SIGNALS_BY_INDEX.length; index++) {
    const measure = SIGNALS_BY_INDEX[index] as Signal
    strengths[index] = modes[index] === MODE_OFF ? 0 : measure(call, evidence, context)
  }
}

/**
 * The caller number is contradicted: it never originates calls, its owner says it is not calling or not roaming, or its
 * signature is wrong. Whoever borrows a number gets none of its favours. Only enforced rules contradict.
 */
export function isContradicted(policy: CompiledPolicy, strengths: Uint16Array): boolean {
  for (let index = 0; index < strengths.length; index++) {
    if (strengths[index] !== STRENGTH_FULL || policy.modes[index] !== MODE_ENFORCE) continue
    if (SIGNAL_FACTS_BY_INDEX[index]?.contradictsAtFull) return true
  }
  return false
}

/**
 * What every enforced signal contributes, in points: positive for harm, negative for good evidence, which a contradicted
 * caller does not get. Returns the bit mask of contributions that may flag but not block (see scoreOf). No allocation.
 */
export function weighSignals(
  policy: CompiledPolicy,
  strengths: Uint16Array,
  contradicted: boolean,
  contributions: Float64Array,
): number {
  let onlyFlags = 0
  for (let index = 0; index < contributions.length; index++) {
    const strength = strengths[index] ?? 0
    contributions[index] = 0
    if (strength === 0 || policy.modes[index] !== MODE_ENFORCE) continue
    const facts = SIGNAL_FACTS_BY_INDEX[index]
    const points = ((policy.points[index] ?? 0) * strength) / STRENGTH_FULL
    if (!facts?.isGood) contributions[index] = points
    else if (!contradicted) contributions[index] = -points
    if (facts?.onlyFlagsBelowFull && strength < STRENGTH_FULL) onlyFlags |= 1 << index
  }
  return onlyFlags
}
