import { HARM_FEATURES, PATTERN_FEATURES } from '../../domain/behaviour.ts'
import { type Call, CONFIRMATIONS, INGRESS_KINDS } from '../../domain/call-event.ts'
import { isHomeNumber } from '../../domain/parse-phone-number.ts'
import { isPhoneNumber } from '../../domain/phone-number.ts'
import { STRENGTH_FULL } from '../../domain/signal.ts'
import type { SignalContext } from '../compiled-state.ts'
import type { Evidence } from '../evidence.ts'
import { fruitless, talks } from './outcomes.ts'
import { ramp } from './ramp.ts'
import type { Signal } from './signal.ts'

const INTERNATIONAL = INGRESS_KINDS.indexOf('international')
const CONFIRMED = CONFIRMATIONS.indexOf('confirmed')

/** A doubling of 1 + count, in the whole numbers features are made of. */
export const LOG_UNIT = 16
/** Counts above this weigh no more. */
const COUNT_MAX = 4_095
const LOGS = Uint8Array.from({ length: COUNT_MAX + 1 }, (_, count) => Math.round(LOG_UNIT * Math.log2(1 + count)))

function log(count: number): number {
  return LOGS[Math.max(0, Math.min(count, COUNT_MAX))] ?? 0
}

/**
 * The features of a call (PATTERN_FEATURES order): LOG_UNIT x log2(1 + count), the two that are yes or no as one doubling.
 * `into` has PATTERN_FEATURES.length places. No allocation.
 */
export function patternFeatures(
  call: Call,
  evidence: Evidence,
  { home }: Pick<SignalContext, 'home'>,
  into: Int16Array,
): void {
  const { outgoing, incoming, block, called } = evidence
  into[0] = log(outgoing.others1)
  into[1] = log(outgoing.others15)
  into[2] = log(outgoing.others60)
  into[3] = log(outgoing.ended60 - outgoing.answered60)
  into[4] = log(outgoing.short60)
  into[5] = log(outgoing.brief60)
  into[6] = log(outgoing.oneRing60)
  into[7] = log(outgoing.sequential60)
  into[8] = log(outgoing.trunks15 - 1)
  into[9] = log(block.others60)
  into[10] = log(fruitless(block))
  into[11] = log(Math.min(called.attempts15, fruitless(called)))
  into[12] = evidence.isNeighbour ? LOG_UNIT : 0
  into[13] = isHomeFromAbroad(call, evidence, home) ? LOG_UNIT : 0
  into[14] = log(talks(outgoing))
  into[15] = log(outgoing.long60)
  into[16] = log(outgoing.attempts60 - outgoing.others60)
  into[17] = log(outgoing.days)
  into[18] = log(outgoing.totalLong)
  into[19] = log(incoming.totalAttempts)
  into[20] = log(incoming.totalLong)
  into[21] = log(block.long60)
}

function isHomeFromAbroad(call: Call, evidence: Evidence, home: SignalContext['home']): boolean {
  if (evidence.ingress !== INTERNATIONAL || call.roaming === CONFIRMED) return false
  return isPhoneNumber(call.caller) && isHomeNumber(call.caller, home)
}

const features = new Int16Array(PATTERN_FEATURES.length)
export const HARM_COUNT = HARM_FEATURES.length

/**
 * The scorecard: a linear score over the logarithms of what the caller, his block and the callee have been doing, fitted on
 * labelled traffic (logistic regression with the sign of every weight fixed, `npm run fit`). The typed signals say what a
 * call looks like; this one says how likely the whole picture is fraud.
 */
export const callingPattern: Signal = (call, evidence, context) => {
  const { bias, full, weights } = context.policy.pattern
  patternFeatures(call, evidence, context, features)
  let score = 0
  for (let index = 0; index < weights.length; index++) score += (weights[index] ?? 0) * (features[index] ?? 0)
  const logit = bias + Math.trunc(score / LOG_UNIT)
  return logit <= 0 ? 0 : logit >= full ? STRENGTH_FULL : ramp(logit, 0, full)
}
