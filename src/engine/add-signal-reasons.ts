import { ANALYTICS, DETERMINISTIC, SIGNAL_FACTS_BY_INDEX, STRENGTH_FULL } from '../domain/signal.ts'
import { addReason, type Decision, SIGNAL_REASONS_MAX } from './decision.ts'
import type { Evidence } from './evidence.ts'
import { firstSignal } from './signals/measure-signals.ts'

/**
 * One reason for each of the signals `seen` (bits; enforced ones), those without points included; the strongest gives the basis.
 * No allocation.
 */
export function addSignalReasons(
  decision: Decision,
  seen: number,
  points: Uint8Array,
  strengths: Uint16Array,
  contributions: Float64Array,
  evidence: Evidence,
): void {
  let isHarm = false
  for (let rest = seen; rest !== 0; rest &= rest - 1) {
    const index = firstSignal(rest)
    const facts = SIGNAL_FACTS_BY_INDEX[index]
    const contribution = contributions[index] ?? 0
    if (facts === undefined) continue
    isHarm ||= contribution > 0
    // Good evidence that does not count for this call is no reason, nor is what nothing stands against.
    if (facts.isGood && contribution === 0 && points[index] !== 0) continue
    if (facts.mitigates && !isHarm) continue // mitigating signals come last
    const isFact = facts.isDeterministicAtFull && strengths[index] === STRENGTH_FULL
    const listId = evidence.listByKind[facts.listCode] ?? 0
    addReason(decision, facts.reasonIndex, Math.round(contribution), listId, isFact ? DETERMINISTIC : ANALYTICS)
  }
  decision.reasonCount = Math.min(decision.reasonCount, SIGNAL_REASONS_MAX)
  if (decision.reasonCount > 0) decision.basis = decision.reasonBases[0] ?? ANALYTICS
}
