/**
 * What callers have been doing in the last minutes, callees have been receiving and blocks of numbers have been sending:
 * one table of fixed size, shared by all threads of a process, fed by every verdict and call-end.
 *
 * ```
 *   key, whose ─▶ set of 15 ways (1 line: tag and second of each) ─▶ head (2 lines: totals, 9 attempts)
 *                                                                       └▶ block of 25, 102 attempts, or of counts and a sketch
 * ```
 * Most callers make few calls an hour: they cost three cache lines of one page. Who makes more gets a block from a pool, who
 * makes more than 102 an hour is counted by the minute, and its distinct others by a sketch.
 *
 * The invariant: counts are exact while a key is in the table. A key is evicted when its set is full and it was not seen
 * for longest, or when its block is needed and it was not seen for longest of those looked at; it then begins anew. Not
 * exact, and only for keys with more than 102 attempts an hour: distinct others (standard error 3.8 %), distinct trunks
 * beyond 48, and which of several attempts an end belongs to. Two counters in the region's head say when more than that was
 * given up: OVERRUNS (an attempt left a list early, because every block looked at was in use) and LOST (activity-pending.ts).
 *
 * Nobody waits without bound: a set that another thread holds for microseconds is tried again with this thread's next event
 * (activity-pending.ts), and a reader finds nothing known.
 */
import { BUSY_CALLER, countOne, endCaller, endOne } from './activity-counting.ts'
import { BUSY, countAttempt, readHead, readTotals, UNKNOWN } from './activity-events.ts'
import { type Activity, LOST, type Other, OVERRUNS, type Row } from './activity-layout.ts'
import { flushActivity, postpone, WAITING_ATTEMPT, WAITING_CALLER_END, WAITING_END } from './activity-pending.ts'
import { aimAt, findHead, isHeadOf, lockSet, unlockSet } from './activity-table.ts'
import { type ActivityView, clearActivityView } from './activity-view.ts'

export { type Activity, createActivity, openActivity } from './activity-layout.ts'
export { forgottenUntil, rememberedSince, rememberFrom, remembers, remembersRow } from './activity-past.ts'
export { flushActivity } from './activity-pending.ts'
export { aimEnd, aimRows, fetchEndHeads, fetchHeads, fetchLists, fetchSets } from './activity-rows.ts'
export { type ActivityView, clearActivityView, createActivityView } from './activity-view.ts'

/**
 * Whose activity: a caller's by ingress kind (add the INGRESS_KINDS index, 0 to 3), a number's as callee, or that of the
 * block of 100 numbers a caller lies in (key: the number without its last two digits), of suspicious strangers on
 * a trunk (key: by trunk and kind of suspicion), and of callers in a block that were never seen before.
 */
export const ACTIVITY_OF = { caller: 0, callee: 4, block: 5, strangersOnTrunk: 6, newcomersInBlock: 7 } as const

/**
 * What is known of `key` before the call that is being decided, at `nowMs` (epoch milliseconds): fills `into`. False and
 * zeros: nothing, or its set was busy. Changes nothing, allocates nothing. Keys that are no numbers (0 or below) are never
 * known.
 */
export function readActivity(activity: Activity, key: number, of: number, nowMs: number, into: ActivityView): boolean {
  clearActivityView(into)
  if (!(key > 0)) return false
  if (activity.pendingCount > 0) flushActivity(activity)
  const { row } = activity
  aimAt(activity, row, key, of)
  const { set } = row
  if (!lockSet(activity, set)) return false
  const head = findHead(activity, row)
  if (head !== 0) readHead(activity, head, (nowMs / 1_000) >>> 0, into)
  unlockSet(activity, set)
  return head !== 0
}

/**
 * The part of readActivity that is not of the last hour, for keys that are only asked about: no lock, so a row that another
 * thread is counting may have one more call in one count than in the other.
 */
export function readPast(activity: Activity, key: number, of: number, into: ActivityView): boolean {
  aimAt(activity, activity.row, key, of)
  if (key > 0) return readRowsPast(activity, activity.row, into)
  clearActivityView(into)
  return false
}

/** readPast of one of activity.rows. */
export function readRowsPast(activity: Activity, row: Row, into: ActivityView): boolean {
  clearActivityView(into)
  const head = findHead(activity, row)
  if (head === 0) return false
  readTotals(activity.words, head, into)
  // Pairs with the stores in insertHead: still this key's, so its totals were not another's.
  if (isHeadOf(activity, row, head)) return true
  clearActivityView(into)
  return false
}

/**
 * Counts one attempt towards `other` (the callee; for rows of callees and blocks the caller; negative: withheld, which is
 * nobody's distinct other) through `trunk` (index up to 65,535, 0 unknown) at `nowMs`. Keys that are no numbers are not
 * counted. Allocates nothing.
 */
export function noteAttempt(
  activity: Activity,
  key: number,
  of: number,
  other: number,
  trunk: number,
  nowMs: number,
): void {
  if (!(key > 0)) return
  count(activity, key, of, other, trunk, nowMs, undefined)
}

/**
 * readActivity, then noteAttempt, in one: the row is looked up and locked once, which halves what both cost. For calls that
 * will count whatever is decided.
 */
export function readAndNoteAttempt(
  activity: Activity,
  key: number,
  of: number,
  other: number,
  trunk: number,
  nowMs: number,
  into: ActivityView,
): boolean {
  clearActivityView(into)
  if (!(key > 0)) return false
  count(activity, key, of, other, trunk, nowMs, into)
  return into.totalAttempts > 0
}

/**
 * readAndNoteAttempt for one of activity.rows and one of its others, at `seconds`: no number is handed on that does not fit
 * a small integer.
 */
export function readAndNoteRow(
  activity: Activity,
  row: Row,
  other: Other,
  trunk: number,
  seconds: number,
  into: ActivityView,
): void {
  if (activity.pendingCount > 0) flushActivity(activity)
  if (activity.pendingCount === 0 && countAttempt(activity, row, other, trunk & 0xffff, seconds, into) !== BUSY) return
  clearActivityView(into)
  const id = row.high * 2 ** 32 + (row.low >>> 0)
  const number = other.hash === 0 ? -1 : other.high * 2 ** 32 + (other.low >>> 0)
  const key = id % 2 ** 50
  postpone(activity, WAITING_ATTEMPT, key, Math.floor(id / 2 ** 50), number, trunk, 0, 0, seconds * 1_000)
}

function count(
  activity: Activity,
  key: number,
  of: number,
  other: number,
  trunk: number,
  nowMs: number,
  into: ActivityView | undefined,
): void {
  if (activity.pendingCount > 0) flushActivity(activity)
  // While events wait, all that follow do: an attempt must not be overtaken by its end.
  if (activity.pendingCount > 0 || countOne(activity, key, of, other, trunk, nowMs, into) === BUSY) {
    postpone(activity, WAITING_ATTEMPT, key, of, other, trunk, 0, 0, nowMs)
  }
}

/**
 * Notes how an attempt ended: the newest towards `other` of the last 60 minutes that has no outcome yet. False: none is
 * known, so the end counts nowhere. Talk is clamped to a day. Postponed behind a busy set: true.
 */
export function noteEnd(
  activity: Activity,
  key: number,
  of: number,
  other: number,
  answered: boolean,
  ringMs: number,
  talkMs: number,
  nowMs: number,
): boolean {
  if (!(key > 0)) return false
  if (activity.pendingCount > 0) flushActivity(activity)
  const outcome = activity.pendingCount > 0 ? BUSY : endOne(activity, key, of, other, answered, ringMs, talkMs, nowMs)
  if (outcome === BUSY) postpone(activity, WAITING_END, key, of, other, answered ? 1 : 0, ringMs, talkMs, nowMs)
  return outcome !== UNKNOWN
}

/**
 * noteEnd for a caller whose ingress kind the end does not say: the row of the four that knows an attempt to this callee
 * without an outcome. Returns its INGRESS_KINDS index, -1 when none does, and 0 when it was postponed.
 */
export function noteCallerEnd(
  activity: Activity,
  caller: number,
  callee: number,
  answered: boolean,
  ringMs: number,
  talkMs: number,
  nowMs: number,
): number {
  if (!(caller > 0)) return -1
  if (activity.pendingCount > 0) flushActivity(activity)
  const ingress =
    activity.pendingCount > 0 ? BUSY_CALLER : endCaller(activity, caller, callee, answered, ringMs, talkMs, nowMs)
  if (ingress !== BUSY_CALLER) return ingress
  postpone(activity, WAITING_CALLER_END, caller, 0, callee, answered ? 1 : 0, ringMs, talkMs, nowMs)
  return 0
}

/** What the table had to give up since it was made, of all threads; for metrics. Both are 0 in a table that is large enough. */
export function activityLosses(activity: Activity): { readonly overruns: number; readonly lost: number } {
  // Pairs with the adds where something is given up: counters, read without order.
  const at = (word: number) => Atomics.load(activity.words, word) >>> 0
  return { overruns: at(OVERRUNS), lost: at(LOST) }
}
