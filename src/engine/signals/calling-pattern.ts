import { PATTERN_FEATURES } from '../../domain/behaviour.ts'
import type { ActivityView } from '../../shm/activity-view.ts'
import type { CompiledPolicy } from '../compiled-policy.ts'
import { type Evidence, ODDITY } from '../evidence.ts'
import { callersInVain } from './callee-flood.ts'
import { trunksTooMany } from './many-trunks.ts'
import { rungOnce } from './one-ring.ts'
import { fruitless, listened, REPEATED_ONE_IN, surplusInVain, talks } from './outcomes.ts'
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
 * Callees count as far as calls in vain account for them, less twice those that were heard, beside the first one. A school calls faster than its
 * calls end, and nobody knows how a call would have ended that was refused.
 */
function accountedFor(outgoing: ActivityView): number {
  return 1 + Math.max(0, surplusInVain(outgoing))
}

/**
 * The features of a call (PATTERN_FEATURES order): LOG_UNIT x log2(1 + count). `into` has PATTERN_FEATURES.length places. No allocation.
 */
export function patternFeatures(evidence: Evidence, into: Int16Array): void {
  harmFeatures(evidence, into)
  goodFeatures(evidence, into)
}

function harmFeatures(evidence: Evidence, into: Int16Array): void {
  const { outgoing, block, called, strangers15 } = evidence
  const repeats = outgoing.attempts60 - outgoing.others60
  const accounted = accountedFor(outgoing)
  const blockInVain = Math.max(0, surplusInVain(block))
  into[0] = log(Math.min(outgoing.others1, accounted))
  into[1] = log(Math.min(outgoing.others15, accounted))
  into[2] = log(Math.min(outgoing.others60 - REPEATED_ONE_IN * repeats, accounted))
  into[3] = log(outgoing.short60)
  into[4] = log(rungOnce(outgoing))
  into[5] = log(outgoing.sequential60 - 2 * talks(outgoing))
  // One more may be overflow that nobody has heard of yet.
  into[6] = log(trunksTooMany(outgoing) - 1)
  into[7] = (evidence.oddities & ODDITY.newcomer) === 0 ? 0 : LOG_UNIT
  // A newcomer who calls again is one of them himself. A company's numbers are new on its first day too, and are listened to.
  into[8] = log(Math.min(evidence.newcomers60 - 1, 2 * blockInVain))
  into[9] = log(block.others60)
  into[10] = log(blockInVain)
  into[11] = log(callersInVain(called))
  into[12] = strangers(evidence, ODDITY.homeFromAbroad, strangers15[0])
  into[13] = strangers(evidence, ODDITY.neighbour, strangers15[1])
  into[14] = strangers(evidence, ODDITY.ownFromOutside, strangers15[2])
}

function goodFeatures({ outgoing, incoming, block }: Evidence, into: Int16Array): void {
  // Who is hung up on is not listened to: three calls cut short undo one that was heard.
  into[15] = log(listened(outgoing) - 3 * outgoing.short60)
  into[16] = log(outgoing.attempts60 - outgoing.others60)
  into[17] = log(outgoing.days)
  into[18] = log(outgoing.totalLong)
  into[19] = log(incoming.totalAttempts)
  into[20] = log(incoming.totalLong)
  into[21] = log(listened(block))
  into[22] = log(block.days)
  into[23] = log(block.totalLong)
}

/** Others with the caller's own oddity. */
function strangers(evidence: Evidence, oddity: number, others: number | undefined): number {
  return (evidence.oddities & oddity) === 0 ? 0 : log(others ?? 0)
}

/** The caller's number does not fit, and he is not the only one on his trunk: alone it has an innocent reason as a rule. */
function isOneOfStrangers({ oddities, strangers15 }: Evidence): boolean {
  for (let bit = 0; bit < strangers15.length; bit++) {
    if ((oddities & (1 << bit)) !== 0 && (strangers15[bit] ?? 0) > 0) return true
  }
  return false
}

/** A number nobody calls is new until it has called on more days. */
const NEW_DAYS = 2

/** Whether a scorecard (SCORECARDS index) is about this caller. More harm never takes a caller out of one. */
export function isJudgedBy(scorecard: number, evidence: Evidence): boolean {
  if (scorecard === 1) return evidence.incoming.totalAttempts === 0 && evidence.outgoing.days <= NEW_DAYS
  return scorecard === 0 || isOneOfStrangers(evidence)
}

/** Many calls at once, and nobody knows yet how they end: at the default points less than a block. */
const STRENGTH_UNBACKED = 900
const VAIN_MIN = 2

/** Some calls of the number or of its block came to nothing, or it is one of strangers: more than a rate speaks against the caller. */
export function isBacked(evidence: Evidence): boolean {
  return Math.max(fruitless(evidence.outgoing), fruitless(evidence.block)) >= VAIN_MIN || isOneOfStrangers(evidence)
}

const features = new Int16Array(PATTERN_FEATURES.length)

/**
 * The scorecards: linear scores over the logarithms of what the caller, his block and the callee have been doing, fitted on
 * labelled traffic (logistic regression with the sign of every weight fixed, `npm run fit`). The typed signals say what a
 * call looks like; this one says how likely the whole picture is fraud.
 */
export const callingPattern: Signal = (_call, evidence, { policy }) => {
  // Without a past everybody is new and nobody has friends, which the weights would hold against all.
  if (!evidence.isPastKnown) return 0
  harmFeatures(evidence, features)
  let logit = 0
  let isGoodMeasured = false
  for (let scorecard = 0; scorecard < policy.scorecards.length; scorecard++) {
    if (!isJudgedBy(scorecard, evidence)) continue
    // Most calls end here: good evidence can only take away.
    const harm = harmOf(policy, scorecard)
    if (harm <= logit * LOG_UNIT) continue
    if (!isGoodMeasured) goodFeatures(evidence, features)
    isGoodMeasured = true
    logit = Math.max(logit, Math.trunc((harm + goodOf(policy, scorecard)) / LOG_UNIT))
  }
  if (logit === 0) return 0
  const strength = ramp(logit, 0, policy.behaviour.pattern.full)
  return isBacked(evidence) ? strength : Math.min(strength, STRENGTH_UNBACKED)
}

/** Bias and harm of the features that were measured last, LOG_UNIT to a thousandth. */
function harmOf({ scorecards }: CompiledPolicy, scorecard: number): number {
  const card = scorecards[scorecard]
  return card === undefined ? 0 : card.bias * LOG_UNIT + weigh(card.harm)
}

/** What good evidence takes away, likewise: 0 or less. */
function goodOf({ scorecards }: CompiledPolicy, scorecard: number): number {
  const card = scorecards[scorecard]
  return card === undefined ? 0 : weigh(card.good)
}

/** Sums pairs of a feature and its weight. */
function weigh(pairs: Int32Array): number {
  let sum = 0
  for (let at = 0; at < pairs.length; at += 2) {
    const feature = features[pairs[at] as number] as number
    sum = (sum + Math.imul(pairs[at + 1] as number, feature)) | 0
  }
  return sum
}
