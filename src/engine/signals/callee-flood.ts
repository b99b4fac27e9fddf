import type { ActivityView } from '../../shm/activity-view.ts'
import { fruitless, listened } from './outcomes.ts'
import { ramp } from './ramp.ts'
import type { Signal } from './signal.ts'

/**
 * Callers of the last 15 minutes whose calls came to nothing, less twice the calls that were answered and heard: one phone that
 * redials a number is no flood, and a busy clinic answers most of its calls.
 */
export function callersInVain(called: ActivityView): number {
  return Math.min(called.others15, fruitless(called)) - 2 * listened(called)
}

/** The callee is being flooded: within 15 minutes far more callers than it has as a rule, and their calls come to nothing. */
export const calleeFlood: Signal = (_call, { called }, { policy }) => {
  const { calls } = policy.behaviour.flood
  const usual = called.days > 1 ? Math.floor(called.totalAttempts / called.days) : 0
  return ramp(callersInVain(called) - (usual >> 3), calls >> 1, calls)
}
