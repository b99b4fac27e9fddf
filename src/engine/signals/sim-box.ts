import { ramp } from './ramp.ts'
import type { Signal } from './signal.ts'

/**
 * A number that calls out all the time, hardly ever the same callee twice, and that nobody calls: the SIM of a gateway that
 * brings foreign calls in as local ones. Its calls are real conversations, so how they end says nothing.
 */
export const simBox: Signal = (_call, { outgoing, incoming }, { policy }) => {
  const { calls, incomingPercent } = policy.behaviour.simBox
  if (incoming.totalAttempts * 100 > outgoing.totalAttempts * incomingPercent) return 0
  // Half of the calls of the last hour or more went to somebody new.
  if (outgoing.others60 * 2 < outgoing.attempts60) return 0
  return ramp(outgoing.totalAttempts + 1, calls >> 1, calls)
}
