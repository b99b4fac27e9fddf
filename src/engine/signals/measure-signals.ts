import type { Call } from '../../domain/call-event.ts'
import { SIGNAL_NAMES, type SignalName } from '../../domain/policy.ts'
import { SIGNAL_FACTS_BY_INDEX, STRENGTH_FULL, signalBits } from '../../domain/signal.ts'
import { type CompiledPolicy, MODE_ENFORCE } from '../compiled-policy.ts'
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
import { possibleSignals } from './possible-signals.ts'
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
export const REPORT_SIGNALS = signalBits('reported', 'reported-share', 'number-block', 'impersonation')
/** Bits of all signals. */
const ALL_SIGNALS = signalBits(...SIGNAL_NAMES)

/** What measureSignals saw when it saw nothing, as in most calls. */
export const NOTHING_SEEN = 0

/** Signals that mitigate come last in SIGNAL_NAMES. */
const MITIGATING = SIGNAL_FACTS_BY_INDEX.findIndex((facts) => facts.mitigates)
const MITIGATING_SIGNALS = SIGNALS_BY_INDEX.reduce(
  (mask, _, index) => (index < MITIGATING ? mask : mask | (1 << index)),
  0,
)
const CONTRADICTING_SIGNALS = SIGNAL_FACTS_BY_INDEX.reduce(
  (mask, { contradictsAtFull }, index) => (contradictsAtFull ? mask | (1 << index) : mask),
  0,
)

/**
 * Measures the signals that may be there, but for those that mitigate, into `strengths` (SIGNAL_NAMES order,
 * 0..STRENGTH_FULL). Returns the bits of those that are; the strengths of all others mean nothing. No allocation.
 */
export function measureSignals(call: Call, evidence: Evidence, context: SignalContext, strengths: Uint16Array): number {
  return measure(possibleSignals(call, evidence, context), call, evidence, context, strengths)
}

/** measureSignals without asking first which may be there: for the slow twin, which is to find the same. Others are 0. */
export function measureEverySignal(
  call: Call,
  evidence: Evidence,
  context: SignalContext,
  strengths: Uint16Array,
): number {
  strengths.fill(0)
  return measure(~MITIGATING_SIGNALS, call, evidence, context, strengths)
}

/** Whether good evidence matters: of these signals (bits), one has points and is not good evidence itself. */
export function isHarmSeen(seen: number, policy: CompiledPolicy): boolean {
  return (seen & policy.harmful) !== 0
}

/** The good evidence that is only looked at when there is harm: `evidence.contact` is known by now. As measureSignals. */
export function measureMitigation(
  call: Call,
  evidence: Evidence,
  context: SignalContext,
  strengths: Uint16Array,
): number {
  return measure(MITIGATING_SIGNALS, call, evidence, context, strengths)
}

function measure(
  which: number,
  call: Call,
  evidence: Evidence,
  context: SignalContext,
  strengths: Uint16Array,
): number {
  let seen = NOTHING_SEEN
  for (let rest = which & context.policy.measured; rest !== 0; rest &= rest - 1) {
    const index = firstSignal(rest)
    const strengthOf = SIGNALS_BY_INDEX[index] as Signal
    const strength = strengthOf(call, evidence, context)
    strengths[index] = strength
    if (strength !== 0) seen |= 1 << index
  }
  return seen
}

/** Index of the first of these signals (bits, not 0). */
export function firstSignal(signals: number): number {
  return 31 - Math.clz32(signals & -signals)
}

/**
 * The caller number is contradicted: it never originates calls, its owner says it is not calling or not roaming, or its
 * signature is wrong. Whoever borrows a number gets none of its favours. Only enforced rules contradict, of those in `seen`.
 */
export function isContradicted(policy: CompiledPolicy, strengths: Uint16Array, seen = ALL_SIGNALS): boolean {
  for (let rest = seen & CONTRADICTING_SIGNALS & policy.enforced; rest !== 0; rest &= rest - 1) {
    if (strengths[firstSignal(rest)] === STRENGTH_FULL) return true
  }
  return false
}

/**
 * What every enforced signal of `seen` contributes, in points: positive for harm, negative for good evidence, which a
 * contradicted caller does not get. Returns the bit mask of contributions that may flag but not block (see scoreOf). No allocation.
 */
export function weighSignals(
  policy: CompiledPolicy,
  strengths: Uint16Array,
  contradicted: boolean,
  contributions: Float64Array,
  seen = ALL_SIGNALS,
): number {
  let onlyFlags = 0
  for (let rest = seen; rest !== 0; rest &= rest - 1) {
    const index = firstSignal(rest)
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
