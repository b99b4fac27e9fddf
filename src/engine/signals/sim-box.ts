import type { ActivityView } from '../../shm/activity-view.ts'
import { REPEATED_ONE_IN } from './outcomes.ts'
import { ramp } from './ramp.ts'
import type { Signal } from './signal.ts'

/** A number that has called for longer and is never called back may be an outgoing line of a company. */
const DAYS_MAX = 4
/** Faster than this no people talk: announcements of a school are many calls too, and a dialling machine has its own signal. */
const HUMAN_PACE = { callees1: 2, callees15: 10, callees60: 60 }

/**
 * A new number that calls out all the time at the pace of people, hardly ever the same callee twice, and that nobody calls:
 * the SIM of a gateway that brings foreign calls in as local ones. Its calls are real conversations, so how they end says
 * nothing.
 */
export const simBox: Signal = (_call, { outgoing, incoming, isPastKnown }, { policy }) => {
  if (!isPastKnown) return 0
  const { calls, callees60, slowCalls, slowCallees60, incomingPercent } = policy.behaviour.simBox
  if (outgoing.days > DAYS_MAX) return 0
  if (incoming.totalAttempts * 100 > outgoing.totalAttempts * incomingPercent) return 0
  if ((outgoing.attempts60 - outgoing.others60) * REPEATED_ONE_IN > outgoing.others60) return 0
  if (outgoing.others1 > HUMAN_PACE.callees1 || outgoing.others15 > HUMAN_PACE.callees15) return 0
  if (outgoing.others60 > HUMAN_PACE.callees60) return 0
  return Math.max(busyness(outgoing, callees60, calls), busyness(outgoing, slowCallees60, slowCalls))
}

function busyness(outgoing: ActivityView, callees60: number, calls: number): number {
  const busy = ramp(outgoing.others60, callees60 >> 1, callees60)
  return Math.min(busy, ramp(outgoing.totalAttempts, calls >> 1, calls))
}
