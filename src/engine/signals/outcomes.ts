import type { ActivityView } from '../../shm/activity.ts'

/** Calls of the last hour that came to nothing: not answered, or over within six seconds. */
export function fruitless(activity: ActivityView): number {
  return activity.ended60 - activity.answered60 + activity.short60
}

/** Calls of the last hour to which somebody listened: six seconds or more. */
export function listened(activity: ActivityView): number {
  return activity.answered60 - activity.short60
}

/** Calls of the last hour in vain beyond twice those that were listened to: below 0 where most are. */
export function surplusInVain(activity: ActivityView): number {
  return fruitless(activity) - 2 * listened(activity)
}

/** Calls of the last hour in which people talked: 30 seconds or more. */
export function talks(activity: ActivityView): number {
  return activity.answered60 - activity.short60 - activity.brief60
}

/** Calls per one that goes to a callee of the last hour again: people call again those who did not answer. */
export const REPEATED_ONE_IN = 8

/** Days a number must have called on before its past says anything for it. */
const ESTABLISHED_DAYS = 3
/** Incoming calls per 100 outgoing: a number whose owner is called back. */
const ESTABLISHED_INCOMING_PERCENT = 5

/** A number with a past: days of calls, and people who call it. */
export function isEstablished(outgoing: ActivityView, incoming: ActivityView): boolean {
  return (
    outgoing.days >= ESTABLISHED_DAYS &&
    incoming.totalAttempts * 100 >= outgoing.totalAttempts * ESTABLISHED_INCOMING_PERCENT
  )
}
