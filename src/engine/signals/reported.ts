import { STRENGTH_FULL } from '../../domain/signal.ts'
import type { Signal } from './signal.ts'

/**
 * The window rule: distinct credible reporters of the last days, for this ingress kind. Full strength at blockReporters;
 * at flagReporters the share of it that the flag threshold is of the block threshold; straight lines between. So with
 * points of at least the block threshold, exactly flagReporters reach `flag` and blockReporters reach `block`.
 */
export const reported: Signal = (_call, evidence, { policy }) => {
  const { flagReporters, blockReporters, flagAt, blockAt } = policy
  const reporters = evidence.reporters
  if (reporters >= blockReporters) return STRENGTH_FULL
  const strengthAtFlag = (STRENGTH_FULL * flagAt) / blockAt
  if (reporters < flagReporters) return Math.floor((strengthAtFlag * reporters) / flagReporters)
  const share = (reporters - flagReporters) / (blockReporters - flagReporters)
  // Rounded up where a threshold must be reached, down where it must not.
  return share === 0 ? Math.ceil(strengthAtFlag) : Math.floor(strengthAtFlag + (STRENGTH_FULL - strengthAtFlag) * share)
}
