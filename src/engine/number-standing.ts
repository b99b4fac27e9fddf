import { INGRESS_KINDS } from '../domain/call-event.ts'
import type { PhoneNumber } from '../domain/phone-number.ts'
import type { NumberStanding } from '../domain/report.ts'
import { ACTIVITY_OF, type ActivityView, createActivityView, readActivity } from '../shm/activity.ts'
import type { BehaviourMemory } from './behaviour-memory.ts'
import { isEstablished } from './signals/outcomes.ts'

/** Scratch of the thread. */
const outgoing = createActivityView()
const incoming = createActivityView()

/** Long talks behind an established number, out on one kind of ingress and in. */
export function hasManyTalks(out: ActivityView, into: ActivityView, longTalks: number): boolean {
  return out.totalLong + into.totalLong >= longTalks && isEstablished(out, into)
}

/**
 * What the number's own calls say about it on any kind of ingress: kept with reports about it, so that it is known where
 * and when its calls are not. `longTalks`: talks of a minute and more that make a high volume.
 */
export function numberStanding(
  number: PhoneNumber,
  nowMs: number,
  memory: Pick<BehaviourMemory, 'activity'>,
  longTalks: number,
): NumberStanding {
  readActivity(memory.activity, number, ACTIVITY_OF.callee, nowMs, incoming)
  let standing: NumberStanding = 'unknown'
  for (let ingress = 0; ingress < INGRESS_KINDS.length; ingress++) {
    if (!readActivity(memory.activity, number, ACTIVITY_OF.caller + ingress, nowMs, outgoing)) continue
    if (hasManyTalks(outgoing, incoming, longTalks)) return 'high-volume'
    if (isEstablished(outgoing, incoming)) standing = 'established'
  }
  return standing
}
