import { fruitless, listened } from './outcomes.ts'
import { ramp } from './ramp.ts'
import type { Signal } from './signal.ts'

/**
 * Several numbers of one 100-number block take turns and their calls come to nothing: a pool that is rotated so that no
 * single number stands out. A company's extensions do that too, but people talk to them.
 */
export const poolRotation: Signal = (_call, { block }, { policy }) => {
  const { callers, calls } = policy.behaviour.rotation
  if (block.others60 + 1 < callers) return 0
  // Whole days of calls before are a past that a rented pool does not have.
  const past = block.days > 1 ? block.totalLong : 0
  return ramp(fruitless(block) - 2 * listened(block) - past, calls >> 2, calls)
}
