import { fruitless, listened } from './outcomes.ts'
import { ramp } from './ramp.ts'
import type { Signal } from './signal.ts'

/**
 * Several numbers of one 100-number block take turns, so that no single number stands out: numbers that were never seen
 * before, one after the other, or a block whose calls come to nothing. A company's extensions take turns too, but they
 * have been seen, and people listen to them.
 */
export const poolRotation: Signal = (_call, { block, newcomers60 }, { policy }) => {
  const { newcomers, callers, calls } = policy.behaviour.rotation
  const byNewcomers = ramp(newcomers60, newcomers >> 2, newcomers)
  if (block.others60 + 1 < callers) return byNewcomers
  // Whole days of calls before are a past that a rented pool does not have.
  const past = block.days > 1 ? block.totalLong : 0
  return Math.max(byNewcomers, ramp(fruitless(block) - 2 * listened(block) - past, calls >> 2, calls))
}
