import { INGRESS_KINDS } from '../domain/call-event.ts'
import { standingFrom } from '../domain/number-standing.ts'
import type { PhoneNumber } from '../domain/phone-number.ts'
import { NUMBER_STANDINGS, type NumberStanding } from '../domain/report.ts'
import { ACTIVITY_OF, createActivityView, readActivity } from '../shm/activity.ts'
import type { BehaviourMemory } from './behaviour-memory.ts'

/**
 * What the number's own calls say about it, on the kind of ingress where they say most: kept with reports about it, so that
 * it is known where and when its calls are not.
 */
export function numberStanding(
  number: PhoneNumber,
  nowMs: number,
  memory: Pick<BehaviourMemory, 'activity'>,
): NumberStanding {
  const view = createActivityView()
  let best = 0
  for (let ingress = 0; ingress < INGRESS_KINDS.length; ingress++) {
    if (!readActivity(memory.activity, number, ACTIVITY_OF.caller + ingress, nowMs, view)) continue
    best = Math.max(best, NUMBER_STANDINGS.indexOf(standingFrom(view)))
  }
  return NUMBER_STANDINGS[best] ?? 'unknown'
}
