import { talks } from './outcomes.ts'
import { ramp } from './ramp.ts'
import type { Signal } from './signal.ts'

/** Callees dialled one after the other along the number line. Nobody knows his callees in that order. */
export const sequentialDialling: Signal = (_call, { outgoing }, { policy }) => {
  const { calls } = policy.behaviour.sequential
  return ramp(outgoing.sequential60 - 2 * talks(outgoing), calls >> 2, calls)
}
