import { isPhoneNumber } from '../../domain/phone-number.ts'
import { STRENGTH_FULL } from '../../domain/signal.ts'
import { findSegment } from '../../shm/intervals.ts'
import type { Signal } from './signal.ts'

/** From an old plan: numbers have come into use since. At the default points it flags, and it is held below a block. */
export const STRENGTH_STALE_PLAN = 600

/** The caller lies in a prefix that an imported numbering plan covers, but in none of the ranges given to anybody. */
export const impossibleNumber: Signal = (call, _evidence, { plans, policy }) => {
  const caller = call.caller
  if (!isPhoneNumber(caller)) return 0
  let strength = 0
  for (let index = 0; index < plans.length; index++) {
    const plan = plans[index]
    if (plan === undefined || findSegment(plan.covered, caller) < 0) continue
    // Any plan that knows the number proves that it exists.
    if (findSegment(plan.allocated, caller) >= 0) return 0
    const isStale = call.nowMs - plan.asOfMs > policy.numberingStaleMs
    strength = Math.max(strength, isStale ? STRENGTH_STALE_PLAN : STRENGTH_FULL)
  }
  return strength
}
