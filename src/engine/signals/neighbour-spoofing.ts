import { ODDITY } from '../evidence.ts'
import { ramp } from './ramp.ts'
import type { Signal } from './signal.ts'

/** The least a look-alike number is worth: some callers do live next door. */
const STRENGTH_ALONE = 200
const BIT = Math.log2(ODDITY.neighbour)

/**
 * A stranger's number begins like the callee's, so that it looks like a neighbour's. Real neighbours are rare and steady;
 * many such calls through one trunk within minutes are made by a machine that picks the number to fit the callee.
 */
export const neighbourSpoofing: Signal = (_call, evidence, { policy }) => {
  if ((evidence.oddities & ODDITY.neighbour) === 0) return 0
  return Math.max(STRENGTH_ALONE, ramp(evidence.strangers15[BIT] ?? 0, 1, policy.behaviour.strangers.neighbours))
}
