import { ramp } from './ramp.ts'
import type { Signal } from './signal.ts'

/** The least a look-alike number is worth: some callers do live next door. */
const STRENGTH_ALONE = 200

/**
 * The caller's number begins like the callee's, so that it looks like a neighbour's. Real neighbours are rare and steady;
 * many such calls through one trunk within minutes are made by a machine that picks the number to fit the callee.
 */
export const neighbourSpoofing: Signal = (_call, evidence, { policy }) => {
  if (!evidence.isNeighbour || evidence.outgoing.days > 1) return 0
  const { calls } = policy.behaviour.neighbour
  return Math.max(STRENGTH_ALONE, ramp(evidence.neighbours.attempts15 + 1, calls >> 2, calls))
}
