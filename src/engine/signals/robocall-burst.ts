import { STRENGTH_FULL } from '../../domain/signal.ts'
import type { ActivityView } from '../../shm/activity.ts'
import { listened, surplusInVain } from './outcomes.ts'
import { ramp } from './ramp.ts'
import type { Signal } from './signal.ts'

/** Days a number may have called on and still be a new one. */
const NEW_DAYS = 2
/** Callees of an hour that a slow robocaller has had when its calls are counted against it. */
export const SLOW_CALLEES_MIN = 5

/** What a rate alone is worth, at this many times the callees of a burst: at the default points a flag. */
const STRENGTH_RATE_ALONE = 600
export const TIMES_ALONE = 10

/**
 * Many different callees in a short time whose calls come to nothing, as a dialling machine does it (fan-out; ClearIP and
 * 46 Labs count the same within 60 min and 6 h). The rate alone is no crime: a school that calls all parents at once is
 * listened to. Where nobody tells how calls end, ten times the rate is still worth a flag. A number with a past gets half.
 */
export const robocallBurst: Signal = (_call, { outgoing, incoming }, { policy }) => {
  const limits = policy.behaviour.robocall
  let rate = ramp(outgoing.others1, limits.callees1 >> 1, limits.callees1)
  rate = Math.max(rate, ramp(outgoing.others15, limits.callees15 >> 1, limits.callees15))
  rate = Math.max(rate, ramp(outgoing.others60, limits.callees60 >> 1, limits.callees60))
  const fast = Math.min(rate, ramp(burstInVain(outgoing), 1, limits.fruitless))
  const strength = Math.max(fast, slow(outgoing, incoming, limits.fruitless), rateAlone(outgoing, limits.callees60))
  return outgoing.days > NEW_DAYS ? strength >> 1 : strength
}

/** Calls in vain beyond those that were heard; who is called by a school does not hang up at once, so that counts twice. */
export function burstInVain(outgoing: ActivityView): number {
  return surplusInVain(outgoing) + outgoing.short60
}

/** The same at a pace that no rate shows: a number nobody calls, with far more calls in vain than heard. */
function slow(outgoing: ActivityView, incoming: ActivityView, calls: number): number {
  if (outgoing.others60 < SLOW_CALLEES_MIN || incoming.totalAttempts > 0) return 0
  return ramp(surplusInVain(outgoing), calls >> 1, calls + 2)
}

/** Callees of the last hour beside three for every call that was heard. */
function rateAlone(outgoing: ActivityView, callees60: number): number {
  const most = callees60 * TIMES_ALONE
  const unheard = ramp(outgoing.others60 - 3 * listened(outgoing), most >> 1, most)
  return Math.floor((STRENGTH_RATE_ALONE * unheard) / STRENGTH_FULL)
}
