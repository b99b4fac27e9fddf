import { fruitless, listened } from './outcomes.ts'
import { ramp } from './ramp.ts'
import type { Signal } from './signal.ts'

/**
 * The callee is being flooded: far more calls within 15 minutes than it has in an hour as a rule, and they come to nothing.
 * Told of callers that are new themselves: a busy clinic has regulars, a victim of a flood is called by a pool.
 */
export const calleeFlood: Signal = (_call, { called, outgoing }, { policy }) => {
  if (outgoing.days > 1) return 0
  const { calls } = policy.behaviour.flood
  const usual = called.days > 1 ? Math.floor(called.totalAttempts / called.days) : 0
  const excess = Math.min(called.attempts15, fruitless(called)) - 3 * listened(called) - (usual >> 3)
  return ramp(excess, calls >> 2, calls)
}
