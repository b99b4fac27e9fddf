/**
 * What an attempt and an end change, under the lock of the row's set. Each function says BUSY when another thread holds it
 * for too long, and has then changed nothing.
 */
import { appendDense, closeDense, fillDense, moveDense, sumDense } from './activity-dense.ts'
import { insertHead } from './activity-insert.ts'
import {
  type Activity,
  BLOCK,
  BUSY_HAND,
  BUSY_RING,
  DAYS_MAX,
  DAYS_SHIFT,
  DENSE,
  FIRST,
  ID_HIGH,
  LAST,
  LAST_OTHER,
  LAST_OTHER_HIGH,
  LAST_OTHER_KNOWN,
  LIST_ROOM,
  LONG_LISTED,
  type Other,
  OVERRUNS,
  type Row,
  TOTALS,
} from './activity-layout.ts'
import {
  ANSWERED,
  appendAttempt,
  closeListed,
  copyList,
  dropExpired,
  dropOldest,
  hashesAt,
  LONG_SECONDS,
  sumList,
  WINDOW_MINUTES,
} from './activity-list.ts'
import { giveBack, releaseBlock, takeBlock } from './activity-pool.ts'
import {
  BACK_MINUTES_MAX,
  classOf,
  findHead,
  indexOf,
  listedOf,
  lockSet,
  setBlock,
  setListed,
  touch,
  unlockSet,
} from './activity-table.ts'
import { type ActivityView, clearActivityView } from './activity-view.ts'

/** The set was held by another thread: nothing was done. */
export const BUSY = -1
export const UNKNOWN = 0
export const COUNTED = 1

/** Which attempts an end may be counted for: those known one by one, those in buckets, or either. */
export const LISTED = 1
export const BUCKETED = 2
export const ANY = LISTED | BUCKETED

/** A row with fewer attempts within the hour shows nothing that another process could add to. */
export const BUSY_ATTEMPTS = 4

const DAY_SECONDS = 86_400

/**
 * Counts an attempt to `other` at `seconds` in a row, and fills `into`, if given, with what was known before it.
 * COUNTED or BUSY.
 */
export function countAttempt(
  activity: Activity,
  row: Row,
  other: Other,
  trunk: number,
  seconds: number,
  into: ActivityView | undefined,
): number {
  const set = row.set
  if (!lockSet(activity, set)) return BUSY
  const words = activity.words
  let head = findHead(activity, row)
  // The sums of a list are written whole.
  if (into !== undefined && (head === 0 || classOf(words, head) === DENSE)) clearActivityView(into)
  if (head === 0) {
    head = insertHead(activity, row, seconds)
  } else {
    if (into !== undefined) readTotals(words, head, into)
    moveOn(activity, head, seconds)
    if (into !== undefined) readWindows(activity, head, 0, into)
  }
  const minute = ((words[head + LAST]! >>> 0) / 60) | 0
  touch(words, row, head)
  const { hash } = other
  const isSequential = noteOther(activity, head, other)
  const size = classOf(words, head)
  if (size !== DENSE && listedOf(words, head) === LIST_ROOM[size]!) makeRoom(activity, head, size, minute)
  if (classOf(words, head) === DENSE) appendDense(activity, words[head + BLOCK]!, hash, trunk, isSequential)
  else appendAttempt(activity, head, hash, trunk, isSequential, minute)
  countTotal(words, head)
  if (classOf(words, head) !== 0 || listedOf(words, head) >= BUSY_ATTEMPTS) noteBusy(activity, head)
  unlockSet(activity, set)
  return COUNTED
}

/** What is known of a head at `seconds`; `into` is clear. */
export function readHead(activity: Activity, head: number, seconds: number, into: ActivityView): void {
  const words = activity.words
  readTotals(words, head, into)
  const minute = minuteNow(words, head, seconds)
  const passed = minute - (((words[head + LAST]! >>> 0) / 60) | 0)
  if (minute >= 0 && passed < WINDOW_MINUTES) readWindows(activity, head, passed, into)
}

export function readTotals(words: Int32Array, head: number, into: ActivityView): void {
  into.firstSeenMs = (words[head + FIRST]! >>> 0) * 1_000
  into.lastSeenMs = (words[head + LAST]! >>> 0) * 1_000
  into.days = (words[head + ID_HIGH]! >>> DAYS_SHIFT) & DAYS_MAX
  into.totalAttempts = words[head + TOTALS]! & 0xffff
  into.totalAnswered = words[head + TOTALS]! >>> 16
  into.totalLong = words[head + LONG_LISTED]! & 0xffff
}

/** The windows as of `passed` minutes (below 60) after the head's newest. */
function readWindows(activity: Activity, head: number, passed: number, into: ActivityView): void {
  const words = activity.words
  if (classOf(words, head) === DENSE) sumDense(activity, words[head + BLOCK]!, passed, into)
  else sumList(activity, head, passed, into)
}

/**
 * For whoever tells other processes of the busiest (remote-activity.ts). A hint, so plain loads and stores: an atomic add is a
 * call of a hundred instructions. A thread that is stopped between load and store takes back what others noted meanwhile: those
 * rows are told of after their next call.
 */
function noteBusy({ words, busyAt }: Activity, head: number): void {
  const turn = words[BUSY_HAND]!
  words[BUSY_HAND] = (turn + 1) | 0
  words[busyAt + (turn & (BUSY_RING - 1))] = indexOf(head)
}

/** Notes the outcome of an attempt to `other` that began `lengthSeconds` ago, as the end says. COUNTED, UNKNOWN or BUSY. */
export function countEnd(
  activity: Activity,
  row: Row,
  hash: number,
  outcome: number,
  talkSeconds: number,
  lengthSeconds: number,
  seconds: number,
  which: number,
): number {
  const set = row.set
  if (!lockSet(activity, set)) return BUSY
  const words = activity.words
  const head = findHead(activity, row)
  const minute = head === 0 ? -1 : minuteNow(words, head, seconds)
  let isCounted = false
  if (minute >= 0) {
    if (classOf(words, head) !== DENSE) {
      isCounted = (which & LISTED) !== 0 && closeListed(words, head, hash, outcome, talkSeconds, minute)
    } else if ((which & BUCKETED) !== 0) {
      const late = minute - ((seconds / 60) | 0) // above 0 when the clock was set back
      const began = Math.floor((seconds - lengthSeconds) / 60) + late
      isCounted = closeDense(activity, words[head + BLOCK]!, hash, outcome, talkSeconds, began, minute)
    }
    if (isCounted && outcome === ANSWERED) countAnswer(words, head, talkSeconds)
  }
  unlockSet(activity, set)
  return isCounted ? COUNTED : UNKNOWN
}

/**
 * The minute that windows of the head end with at `seconds`: now, or its newest when the clock was set back a little, or
 * -1 when it was set back by more than BACK_MINUTES_MAX: then nothing in the head is of the last hour.
 */
export function minuteNow(words: Int32Array, head: number, seconds: number): number {
  const minute = (seconds / 60) | 0
  const newest = ((words[head + LAST]! >>> 0) / 60) | 0
  if (minute >= newest) return minute
  return newest - minute <= BACK_MINUTES_MAX ? newest : -1
}

/** Moves the windows of a head on to `seconds` and notes that it was seen. */
function moveOn(activity: Activity, head: number, seconds: number): void {
  const words = activity.words
  const last = words[head + LAST]! >>> 0
  const newest = (last / 60) | 0
  const minute = minuteNow(words, head, seconds)
  if (minute < 0) {
    releaseBlock(activity, head)
    words[head + LAST] = seconds
    if (words[head + FIRST]! >>> 0 > seconds) words[head + FIRST] = seconds
    return
  }
  if (seconds <= last) return
  if (((seconds / DAY_SECONDS) | 0) > ((last / DAY_SECONDS) | 0)) countDay(words, head)
  if (minute > newest) moveList(activity, head, newest, minute)
  words[head + LAST] = seconds
}

function moveList(activity: Activity, head: number, newest: number, minute: number): void {
  const words = activity.words
  const size = classOf(words, head)
  if (minute - newest >= WINDOW_MINUTES) {
    releaseBlock(activity, head) // until then at least its newest attempt is in the windows
  } else if (size === DENSE) {
    moveDense(activity, words[head + BLOCK]!, minute)
  } else if (size !== 0) {
    dropExpired(activity, head, newest, minute - newest)
    // One less than the head holds, so that a caller at the border does not move to and fro.
    if (listedOf(words, head) < LIST_ROOM[0]!) moveBack(activity, head)
  }
}

function moveBack(activity: Activity, head: number): void {
  const words = activity.words
  const hashes = hashesAt(words, head)
  const room = LIST_ROOM[classOf(words, head)]!
  const size = classOf(words, head)
  const block = words[head + BLOCK]!
  setBlock(words, head, 0, 0)
  copyList(activity, hashes, room, head)
  giveBack(activity, size, block)
}

/** Makes room for one more attempt in a list that is full. */
function makeRoom(activity: Activity, head: number, size: number, minute: number): void {
  dropExpired(activity, head, minute, 0)
  if (listedOf(activity.words, head) === LIST_ROOM[size]!) grow(activity, head, minute)
}

function grow(activity: Activity, head: number, minute: number): void {
  const { words, halves } = activity
  const size = classOf(words, head)
  const block = takeBlock(activity, head, size + 1, words[head + LAST]! >>> 0)
  if (block === 0) {
    // All blocks looked at were in use at this very moment: rather a low count than a wait.
    dropOldest(words, halves, head, 1)
    Atomics.add(words, OVERRUNS, 1) // pairs with nothing: a counter for metrics
    return
  }
  const old = words[head + BLOCK]!
  const hashes = hashesAt(words, head)
  if (size + 1 === DENSE) fillDense(activity, head, block, minute)
  setBlock(words, head, size + 1, block)
  if (size + 1 === DENSE) setListed(words, head, 0)
  else copyList(activity, hashes, LIST_ROOM[size]!, head)
  if (size !== 0) giveBack(activity, size, old)
}

/** Remembers the other and says whether it is 1 to 4 from the one before. */
function noteOther({ words, halves }: Activity, head: number, { hash, low, high }: Other): boolean {
  if (hash === 0) {
    words[head + ID_HIGH] = words[head + ID_HIGH]! & ~LAST_OTHER_KNOWN
    return false
  }
  const highAt = head * 2 + LAST_OTHER_HIGH
  let isSequential = false
  // Hardly ever near in the low words: only then in whole.
  if (((low - words[head + LAST_OTHER]! + 4) | 0) >>> 0 <= 8 && words[head + ID_HIGH]! < 0) {
    const step = (high - halves[highAt]!) * 2 ** 32 + ((low >>> 0) - (words[head + LAST_OTHER]! >>> 0))
    isSequential = step !== 0 && step >= -4 && step <= 4
  }
  words[head + LAST_OTHER] = low
  halves[highAt] = high
  words[head + ID_HIGH] = words[head + ID_HIGH]! | LAST_OTHER_KNOWN
  return isSequential
}

function countDay(words: Int32Array, head: number): void {
  const days = (words[head + ID_HIGH]! >>> DAYS_SHIFT) & DAYS_MAX
  if (days < DAYS_MAX) words[head + ID_HIGH] = words[head + ID_HIGH]! + (1 << DAYS_SHIFT)
}

function countTotal(words: Int32Array, head: number): void {
  let totals = words[head + TOTALS]!
  if ((totals & 0xffff) === 0xffff) {
    totals = (totals >>> 1) & 0x7fff7fff
    const long = words[head + LONG_LISTED]!
    words[head + LONG_LISTED] = (long & ~0xffff) | ((long & 0xffff) >>> 1)
  }
  words[head + TOTALS] = totals + 1
}

/** Answered calls never pass attempts, nor long ones answered: a halving may lie between an attempt and its end. */
function countAnswer(words: Int32Array, head: number, talkSeconds: number): void {
  const attempts = words[head + TOTALS]! & 0xffff
  const answered = Math.min((words[head + TOTALS]! >>> 16) + 1, attempts)
  words[head + TOTALS] = attempts | (answered << 16)
  if (talkSeconds < LONG_SECONDS) return
  const word = words[head + LONG_LISTED]!
  words[head + LONG_LISTED] = (word & ~0xffff) | Math.min((word & 0xffff) + 1, answered)
}
