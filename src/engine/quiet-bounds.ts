import type { Behaviour } from '../domain/behaviour.ts'
import { SLOW_CALLEES_MIN, TIMES_ALONE } from './signals/robocall-burst.ts'

/**
 * Counts up to which a signal of behaviour is certainly 0, worked out when a policy is compiled: most numbers make few calls,
 * and what they cannot show need not be measured. signals/possible-signals.ts holds a call against them, and says of each why
 * it is safe; test/property/behaviour-signals.test.ts holds that against measuring everything.
 */
export type QuietBounds = {
  readonly robocallCallees1: number
  readonly robocallCallees15: number
  readonly robocallCallees60: number
  readonly oneRings: number
  readonly sequential: number
  readonly newcomers: number
  readonly blockEnded: number
  readonly simBoxCallees60: number
  readonly simBoxCalls: number
  readonly floodEnded: number
}

export function quietBounds({ robocall, oneRing, sequential, rotation, simBox, flood }: Behaviour): QuietBounds {
  const robocallAlone = (robocall.callees60 * TIMES_ALONE) >> 1
  return {
    robocallCallees1: robocall.callees1 >> 1,
    robocallCallees15: robocall.callees15 >> 1,
    robocallCallees60: Math.min(robocall.callees60 >> 1, SLOW_CALLEES_MIN - 1, robocallAlone),
    oneRings: oneRing.callees >> 2,
    sequential: sequential.calls >> 2,
    newcomers: rotation.newcomers >> 2,
    blockEnded: rotation.calls >> 2,
    simBoxCallees60: Math.min(simBox.callees60, simBox.slowCallees60) >> 1,
    simBoxCalls: Math.min(simBox.calls, simBox.slowCalls) >> 1,
    floodEnded: flood.calls >> 1,
  }
}
