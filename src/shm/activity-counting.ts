/** Raw arguments of attempts and ends become the small integers that activity-events.ts counts. */
import { ANY, BUCKETED, BUSY, COUNTED, countAttempt, countEnd, LISTED } from './activity-events.ts'
import type { Activity, Other } from './activity-layout.ts'
import { ANSWERED, ONE_RING, UNANSWERED } from './activity-list.ts'
import { otherHash } from './activity-rows.ts'
import { aimAt, seemsKnown } from './activity-table.ts'
import type { ActivityView } from './activity-view.ts'
import { mixNumber } from './hash.ts'

const DAY_MS = 86_400_000

/** One ring takes 4 to 6 s with its pause; a call that rang no longer was not meant to be answered. */
const ONE_RING_MS = 5_000

/** What endCaller answers when a set was busy: nothing was counted. */
export const BUSY_CALLER = -2

/** Ingress kinds a caller may have a row of. */
const INGRESS_ROWS = 4

/** COUNTED or BUSY; what was known before goes into `into`, which is as it was when the row is BUSY. */
export function countOne(
  activity: Activity,
  key: number,
  of: number,
  other: number,
  trunk: number,
  nowMs: number,
  into: ActivityView | undefined,
): number {
  const { row } = activity
  aimAt(activity, row, key, of)
  scratch.hash = hashOfOther(other)
  scratch.low = other | 0
  scratch.high = (other / 2 ** 32) & 0xffff
  return countAttempt(activity, row, scratch, trunk & 0xffff, (nowMs / 1_000) >>> 0, into)
}

/** A thread's own. */
const scratch: Other = { hash: 0, low: 0, high: 0 }

/** COUNTED, UNKNOWN or BUSY. */
export function endOne(
  activity: Activity,
  key: number,
  of: number,
  other: number,
  answered: boolean,
  ringMs: number,
  talkMs: number,
  nowMs: number,
): number {
  return end(activity, key, of, other, answered, ringMs, talkMs, nowMs, ANY)
}

/** The ingress kind of the caller's row that counted the end; -1 when none did; or BUSY_CALLER. */
export function endCaller(
  activity: Activity,
  caller: number,
  callee: number,
  answered: boolean,
  ringMs: number,
  talkMs: number,
  nowMs: number,
): number {
  // Rows that know their attempts one by one first: those in buckets only say that it may be theirs.
  for (let which = LISTED; which <= BUCKETED; which++) {
    for (let ingress = 0; ingress < INGRESS_ROWS; ingress++) {
      aimAt(activity, activity.row, caller, ingress)
      // Of most kinds there is no row: not to be locked for that.
      if (!seemsKnown(activity, activity.row)) continue
      const outcome = end(activity, caller, ingress, callee, answered, ringMs, talkMs, nowMs, which)
      if (outcome === COUNTED) return ingress
      if (outcome === BUSY) return BUSY_CALLER
    }
  }
  return -1
}

function end(
  activity: Activity,
  key: number,
  of: number,
  other: number,
  answered: boolean,
  ringMs: number,
  talkMs: number,
  nowMs: number,
  which: number,
): number {
  const ring = withinDay(ringMs)
  const talk = answered ? withinDay(talkMs) : 0
  const outcome = answered ? ANSWERED : ring > 0 && ring <= ONE_RING_MS ? ONE_RING : UNANSWERED
  const talkSeconds = (talk / 1_000) | 0
  const lengthSeconds = ((ring + talk) / 1_000) | 0
  const seconds = (nowMs / 1_000) >>> 0
  const { row } = activity
  aimAt(activity, row, key, of)
  return countEnd(activity, row, hashOfOther(other), outcome, talkSeconds, lengthSeconds, seconds, which)
}

/** Milliseconds from 0 to a day; what is no number is 0. */
function withinDay(ms: number): number {
  if (!(ms > 0)) return 0
  return Math.min(ms, DAY_MS)
}

/** 32 bits of a number, never 0; 0 for what is no number (withheld). */
function hashOfOther(other: number): number {
  return other > 0 ? otherHash(mixNumber(other)) : 0
}
