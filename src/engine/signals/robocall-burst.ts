import { fruitless, isEstablished, listened } from './outcomes.ts'
import { ramp } from './ramp.ts'
import type { Signal } from './signal.ts'

/**
 * Many different callees in a short time, as a dialling machine does it (fan-out; ClearIP and 46 Labs count the same
 * within 60 min and 6 h). Halved for a number with a past, and again where every third call is listened to.
 */
export const robocallBurst: Signal = (_call, { outgoing, incoming }, { policy }) => {
  const limits = policy.behaviour.robocall
  let strength = ramp(outgoing.others1 + 1, limits.callees1 >> 1, limits.callees1)
  strength = Math.max(strength, ramp(outgoing.others15 + 1, limits.callees15 >> 1, limits.callees15))
  strength = Math.max(strength, ramp(outgoing.others60 + 1, limits.callees60 >> 1, limits.callees60))
  if (strength === 0) return 0
  if (isEstablished(outgoing, incoming)) strength >>= 1
  if (listened(outgoing) * 2 > fruitless(outgoing)) strength >>= 1
  return strength
}
