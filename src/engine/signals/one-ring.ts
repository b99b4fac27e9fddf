import type { ActivityView } from '../../shm/activity-view.ts'
import { talks } from './outcomes.ts'
import { ramp } from './ramp.ts'
import type { Signal } from './signal.ts'

/** Rings to the same few friends are no sign: as many callees as rings are needed. Calls in which people talk count against it. */
export function rungOnce(outgoing: ActivityView): number {
  return Math.min(outgoing.oneRing60, outgoing.others60) - 2 * talks(outgoing)
}

/** Wangiri: many phones rung once and let go, so that people call back. */
export const oneRing: Signal = (_call, { outgoing }, { policy }) =>
  ramp(rungOnce(outgoing), policy.behaviour.oneRing.callees >> 2, policy.behaviour.oneRing.callees)
