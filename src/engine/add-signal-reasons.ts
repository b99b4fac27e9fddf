import { ANALYTICS, DETERMINISTIC, SIGNAL_FACTS_BY_INDEX, STRENGTH_FULL } from '../domain/signal.ts'
import { type CompiledPolicy, MODE_ENFORCE } from './compiled-policy.ts'
import { addReason, type Decision, SIGNAL_REASONS_MAX } from './decision.ts'
import type { Evidence } from './evidence.ts'

/** One reason per enforced signal that was seen, those without points included; the strongest gives the basis. No allocation. */
export function addSignalReasons(
  decision: Decision,
  { modes, points }: CompiledPolicy,
  strengths: Uint16Array,
  contributions: Float64Array,
  evidence: Evidence,
): void {
  let isHarm = false
  for (let index = 0; index < strengths.length; index++) {
    const facts = SIGNAL_FACTS_BY_INDEX[index]
    const contribution = contributions[index] ?? 0
    if (facts === undefined || strengths[index] === 0 || modes[index] !== MODE_ENFORCE) continue
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
