import { STRENGTH_FULL } from '../../domain/signal.ts'
import { surplusInVain } from './outcomes.ts'
import { ramp } from './ramp.ts'
import type { Signal } from './signal.ts'

/**
 * What newcomers alone are worth: at the default points a flag. A company that begins to use its block looks like this on its
 * first day; what tells it from a rented pool is that people listen to it.
 */
const STRENGTH_UNHEARD = 650
const REST = 350
/** Calls of the block in vain, less twice those that were heard, that leave no doubt. */
const VAIN = 4

/**
 * Several numbers of one 100-number block take turns, so that no single number stands out: numbers that were never seen
 * before, one after the other, or a block whose calls come to nothing. A company's extensions take turns too, but they
 * have been seen, and people listen to them.
 */
export const poolRotation: Signal = (_call, { block, newcomers60 }, { policy }) => {
  const { newcomers, callers, calls } = policy.behaviour.rotation
  const inVain = surplusInVain(block)
  const doubt = STRENGTH_UNHEARD + Math.floor((REST * ramp(inVain, 0, VAIN)) / STRENGTH_FULL)
  const byNewcomers = Math.min(doubt, ramp(newcomers60, newcomers >> 2, newcomers))
  if (block.others60 + 1 < callers) return byNewcomers
  // Whole days of calls before are a past that a rented pool does not have.
  const past = block.days > 1 ? block.totalLong : 0
  return Math.max(byNewcomers, ramp(inVain - past, calls >> 2, calls))
}
