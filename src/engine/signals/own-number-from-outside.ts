import { ODDITY } from '../evidence.ts'
import { isOwnFromOutside } from '../oddities.ts'
import { ramp } from './ramp.ts'
import type { Signal } from './signal.ts'

/** One such call: at the default points a flag. Calls that were forwarded without saying so look the same. */
export const STRENGTH_SINGLE_OWN = 700
const REST = 300
const BIT = Math.log2(ODDITY.ownFromOutside)

/**
 * One of our own subscribers' numbers comes in from another network, though neither redirected nor roaming: the stronger,
 * the more strangers the trunk brings like this.
 */
export const ownNumberFromOutside: Signal = (call, evidence, { policy }) => {
  if (!isOwnFromOutside(call, evidence)) return 0
  if ((evidence.oddities & ODDITY.ownFromOutside) === 0) return STRENGTH_SINGLE_OWN
  const others = evidence.strangers15[BIT] ?? 0
  return STRENGTH_SINGLE_OWN + Math.floor((REST * ramp(others, 1, policy.behaviour.strangers.ownNumbers)) / 1_000)
}
