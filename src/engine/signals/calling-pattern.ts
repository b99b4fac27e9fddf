import { PATTERN_FEATURES } from '../../domain/behaviour.ts'
import { STRENGTH_FULL } from '../../domain/signal.ts'
import { type Evidence, ODDITY } from '../evidence.ts'
import { fruitless, listened, talks } from './outcomes.ts'
import { ramp } from './ramp.ts'
import type { Signal } from './signal.ts'

/** A doubling of 1 + count, in the whole numbers features are made of. */
export const LOG_UNIT = 16
/** Counts above this weigh no more. */
const COUNT_MAX = 4_095
const LOGS = Uint8Array.from({ length: COUNT_MAX + 1 }, (_, count) => Math.round(LOG_UNIT * Math.log2(1 + count)))

function log(count: number): number {
  return LOGS[Math.max(0, Math.min(count, COUNT_MAX))] ?? 0
}

/**
 * The features of a call (PATTERN_FEATURES order): LOG_UNIT x log2(1 + count). `into` has PATTERN_FEATURES.length places. No allocation.
 */
export function patternFeatures(evidence: Evidence, into: Int16Array): void {
  const { outgoing, incoming, block, called, strangers15 } = evidence
  into[0] = log(outgoing.others1)
  into[1] = log(outgoing.others15)
  into[2] = log(outgoing.others60)
  into[3] = log(fruitless(outgoing))
  into[4] = log(outgoing.short60)
  into[5] = log(Math.min(outgoing.oneRing60, outgoing.others60))
  into[6] = log(outgoing.sequential60)
  into[7] = log(outgoing.trunks15 - 1)
  into[8] = log(fruitless(block))
  into[9] = log(Math.min(called.attempts15, fruitless(called)))
  into[10] = strangers(evidence, ODDITY.neighbour, strangers15[1])
  into[11] = strangers(evidence, ODDITY.homeFromAbroad, strangers15[0])
  into[12] = strangers(evidence, ODDITY.ownFromOutside, strangers15[2])
  into[13] = incoming.totalAttempts === 0 ? log(outgoing.totalAttempts) : 0
  into[14] = log(evidence.newcomers60)
  into[15] = log(listened(outgoing))
  into[16] = log(talks(outgoing))
  into[17] = log(outgoing.long60)
  into[18] = log(outgoing.attempts60 - outgoing.others60)
  into[19] = log(outgoing.days)
  into[20] = log(outgoing.totalLong)
  into[21] = log(incoming.totalAttempts)
  into[22] = log(incoming.totalLong)
  into[23] = log(listened(block))
  into[24] = log(block.long60)
  into[25] = log(block.days)
  into[26] = log(listened(called))
}

/** A stranger counts himself. */
function strangers(evidence: Evidence, oddity: number, others: number | undefined): number {
  return (evidence.oddities & oddity) === 0 ? 0 : log((others ?? 0) + 1)
}

/** Many calls at once, and nobody knows yet how they end: at the default points less than a block. */
const STRENGTH_UNBACKED = 900
const VAIN_MIN = 3

/** Some calls came to nothing, or the caller's number does not fit: more than a rate speaks against him. */
function isBacked(evidence: Evidence): boolean {
  return fruitless(evidence.outgoing) >= VAIN_MIN || (evidence.oddities & ~ODDITY.newcomer) !== 0
}

const features = new Int16Array(PATTERN_FEATURES.length)

/**
 * The scorecard: a linear score over the logarithms of what the caller, his block and the callee have been doing, fitted on
 * labelled traffic (logistic regression with the sign of every weight fixed, `npm run fit`). The typed signals say what a
 * call looks like; this one says how likely the whole picture is fraud.
 */
export const callingPattern: Signal = (_call, evidence, { policy }) => {
  // Without a past everybody is new and nobody has friends, which the weights would hold against all.
  if (!evidence.isPastKnown) return 0
  const { bias, full, weights } = policy.pattern
  patternFeatures(evidence, features)
  let score = 0
  for (let index = 0; index < weights.length; index++) score += (weights[index] ?? 0) * (features[index] ?? 0)
  const logit = bias + Math.trunc(score / LOG_UNIT)
  const strength = logit <= 0 ? 0 : logit >= full ? STRENGTH_FULL : ramp(logit, 0, full)
  return isBacked(evidence) ? strength : Math.min(strength, STRENGTH_UNBACKED)
}
