import { ramp } from './ramp.ts'
import type { Signal } from './signal.ts'

/** One number comes in through several trunks within minutes: a telephone has one way in, a borrowed number has many. */
export const manyTrunks: Signal = (_call, { outgoing }, { policy }) =>
  ramp(outgoing.trunks15, 1, policy.behaviour.trunks.count)
