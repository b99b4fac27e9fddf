import { talks } from './outcomes.ts'
import { ramp } from './ramp.ts'
import type { Signal } from './signal.ts'

/**
 * Wangiri: many phones rung once and let go, so that people call back. Rings to the same few friends are none: as many
 * callees as rings are needed. Calls in which people talk count against it.
 */
export const oneRing: Signal = (_call, { outgoing }, { policy }) => {
  const rung = Math.min(outgoing.oneRing60, outgoing.others60) - 2 * talks(outgoing)
  return ramp(rung, policy.behaviour.oneRing.callees >> 2, policy.behaviour.oneRing.callees)
}
