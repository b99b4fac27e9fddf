import type { ActivityView } from '../../shm/activity-view.ts'
import { listened, surplusInVain } from './outcomes.ts'
import { ramp } from './ramp.ts'
import type { Signal } from './signal.ts'

/** Calls that were listened to, for each of which a number may have come another way: overflow of its own trunk. */
const OVERFLOW_ONE_IN = 8

/**
 * Trunks of the last 15 minutes beside the number's own and those that its honest calls explain; two at most for every call in
 * vain, less twice those that were heard.
 */
export function trunksTooMany(outgoing: ActivityView): number {
  const unexplained = outgoing.trunks15 - 1 - Math.trunc(listened(outgoing) / OVERFLOW_ONE_IN)
  return Math.min(unexplained, 2 * surplusInVain(outgoing))
}

/**
 * One number comes in through several trunks within minutes: a telephone has one way in, a borrowed number has many. A company
 * whose carrier shares the load among trunks looks the same, so its calls must come to nothing too.
 */
export const manyTrunks: Signal = (_call, { outgoing }, { policy }) =>
  ramp(trunksTooMany(outgoing), 0, policy.behaviour.trunks.count - 1)
