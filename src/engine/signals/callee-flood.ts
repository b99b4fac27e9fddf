import { fruitless, listened } from './outcomes.ts'
import { ramp } from './ramp.ts'
import type { Signal } from './signal.ts'

/**
 * The callee is being flooded: far more calls within 15 minutes than it has as a rule, and they come to nothing. A busy
 * clinic answers most of its calls.
 */
export const calleeFlood: Signal = (_call, { called }, { policy }) => {
  const { calls } = policy.behaviour.flood
  const usual = called.days > 1 ? Math.floor(called.totalAttempts / called.days) : 0
  const excess = Math.min(called.attempts15, fruitless(called)) - 2 * listened(called) - (usual >> 3)
  return ramp(excess, calls >> 1, calls)
}
