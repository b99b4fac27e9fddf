/**
 * Rows of activity in 24 words each, for other processes and nodes: the busiest of those that were counted since last asked.
 *
 * Only rows with four attempts within the hour or more are told: with fewer, a caller shows nothing on any node. Which rows
 * those are comes from a ring of heads that every count of such a row writes to; when it has gone round, the oldest of the
 * last second are missed until their next call.
 */
import { BUSY_ATTEMPTS, readHead } from './activity-events.ts'
import { type Activity, BUSY_HAND, BUSY_RING, ID_HIGH, ID_HIGH_MASK, ID_LOW, lineOf, WAYS } from './activity-layout.ts'
import { headOf, lockSet, setOf, unlockSet } from './activity-table.ts'
import { type ActivityView, clearActivityView, createActivityView } from './activity-view.ts'

export const SUMMARY_WORDS = 24

/** Fields of a view as they follow each other in a summary, behind the two words of the row's id. */
const FIELDS = [
  'attempts1',
  'attempts15',
  'attempts60',
  'others1',
  'others15',
  'others60',
  'ended60',
  'answered60',
  'short60',
  'brief60',
  'long60',
  'oneRing60',
  'talkSeconds60',
  'sequential60',
  'trunks15',
  'totalAttempts',
  'totalAnswered',
  'totalLong',
  'days',
] as const satisfies readonly (keyof ActivityView)[]
const FIELDS_AT = 2
const FIRST_SEEN = FIELDS_AT + FIELDS.length
const LAST_SEEN = FIRST_SEEN + 1

/** Bounds of what is believed: 67 M attempts an hour are 18,000 a second of one caller; sums of 15 stay integers. */
const ATTEMPTS_MAX = 2 ** 26
const DAY_SECONDS = 86_400
const NUMBER_MAX = 999_999_999_999_999

/** Remembers how far the ring was read. One per process, for the thread that tells others. */
export type ActivityCollector = {
  /**
   * The rows counted since the last time, busiest first, at most `max`, as of `nowMs`; SUMMARY_WORDS each. Takes about
   * 2 ms for 8,000 rows.
   */
  collect(nowMs: number, max: number): Uint32Array<ArrayBuffer>
}

export function createActivityCollector(activity: Activity): ActivityCollector {
  const { words } = activity
  const view = createActivityView()
  let read = Atomics.load(words, BUSY_HAND) >>> 0 // pairs with the store in noteBusy, as below
  return {
    collect(nowMs, max) {
      const hand = Atomics.load(words, BUSY_HAND) >>> 0
      const count = Math.min((hand - read) >>> 0, BUSY_RING)
      read = hand
      const indexes = new Set<number>()
      for (let turn = 1; turn <= count; turn++) {
        indexes.add(words[activity.busyAt + ((hand - turn) & (BUSY_RING - 1))]!)
      }
      const rows: Uint32Array[] = []
      for (const index of indexes) {
        const row = summarize(activity, index, nowMs, view)
        if (row !== undefined) rows.push(row)
      }
      rows.sort((one, other) => attemptsOf(other) - attemptsOf(one))
      const chosen = rows.slice(0, max)
      const summaries = new Uint32Array(chosen.length * SUMMARY_WORDS)
      for (const [i, row] of chosen.entries()) summaries.set(row, i * SUMMARY_WORDS)
      return summaries
    },
  }
}

function attemptsOf(row: Uint32Array): number {
  return row[FIELDS_AT + 2]!
}

/** Undefined: the head is another's by now, or busy, or has become quiet. */
function summarize(activity: Activity, index: number, nowMs: number, view: ActivityView): Uint32Array | undefined {
  const { words } = activity
  const set = setOf(index)
  if (!lockSet(activity, set)) return undefined
  const head = headOf(index)
  const way = index & WAYS
  const isThere = way !== 0 && words[lineOf(set) + way] !== 0
  const row = new Uint32Array(SUMMARY_WORDS)
  if (isThere) {
    row[0] = words[head + ID_LOW]!
    row[1] = words[head + ID_HIGH]! & ID_HIGH_MASK
    clearActivityView(view)
    readHead(activity, head, (nowMs / 1_000) >>> 0, view)
  }
  unlockSet(activity, set)
  if (!isThere || view.attempts60 < BUSY_ATTEMPTS) return undefined
  for (const [i, field] of FIELDS.entries()) row[FIELDS_AT + i] = view[field]
  row[FIRST_SEEN] = view.firstSeenMs / 1_000
  row[LAST_SEEN] = view.lastSeenMs / 1_000
  return row
}

/** Fills `into` with the summary at `at`; on the verdict path, so word by word. */
export function readSummary(summaries: Uint32Array, at: number, into: ActivityView): void {
  into.attempts1 = summaries[at + 2]!
  into.attempts15 = summaries[at + 3]!
  into.attempts60 = summaries[at + 4]!
  into.others1 = summaries[at + 5]!
  into.others15 = summaries[at + 6]!
  into.others60 = summaries[at + 7]!
  into.ended60 = summaries[at + 8]!
  into.answered60 = summaries[at + 9]!
  into.short60 = summaries[at + 10]!
  into.brief60 = summaries[at + 11]!
  into.long60 = summaries[at + 12]!
  into.oneRing60 = summaries[at + 13]!
  into.talkSeconds60 = summaries[at + 14]!
  into.sequential60 = summaries[at + 15]!
  into.trunks15 = summaries[at + 16]!
  into.totalAttempts = summaries[at + 17]!
  into.totalAnswered = summaries[at + 18]!
  into.totalLong = summaries[at + 19]!
  into.days = summaries[at + 20]!
  into.firstSeenMs = summaries[at + FIRST_SEEN]! * 1_000
  into.lastSeenMs = summaries[at + LAST_SEEN]! * 1_000
}

/** Whether the summary at `at` could be a row of activity: what comes from another process or node is not believed unseen. */
export function isSummary(summaries: Uint32Array, at: number, view: ActivityView): boolean {
  const id = summaries[at + 1]! * 2 ** 32 + summaries[at]!
  const key = id % 2 ** 50
  if (summaries[at + 1]! > ID_HIGH_MASK || id >= 6 * 2 ** 50 || key < 1 || key > NUMBER_MAX) return false
  readSummary(summaries, at, view)
  return areWindows(view) && areOutcomes(view) && areTotals(view)
}

function areWindows(view: ActivityView): boolean {
  const { attempts1, attempts15, attempts60, others1, others15, others60 } = view
  return (
    attempts60 >= 1 &&
    attempts60 <= ATTEMPTS_MAX &&
    attempts1 <= attempts15 &&
    attempts15 <= attempts60 &&
    others1 <= attempts1 &&
    others15 <= attempts15 &&
    others60 <= attempts60 &&
    view.sequential60 <= attempts60 &&
    view.trunks15 <= Math.min(attempts15, 0xffff)
  )
}

function areOutcomes({
  attempts60,
  ended60,
  answered60,
  short60,
  brief60,
  long60,
  oneRing60,
  talkSeconds60,
}: ActivityView) {
  return (
    ended60 <= attempts60 &&
    answered60 + oneRing60 <= ended60 &&
    short60 + brief60 + long60 <= answered60 &&
    talkSeconds60 <= Math.min(answered60 * DAY_SECONDS, 0x7fffffff)
  )
}

function areTotals({ totalAttempts, totalAnswered, totalLong, days, firstSeenMs, lastSeenMs }: ActivityView) {
  return (
    totalAttempts >= 1 &&
    totalAttempts <= 0xffff &&
    totalAnswered <= totalAttempts &&
    totalLong <= totalAnswered &&
    days >= 1 &&
    days <= 255 &&
    firstSeenMs <= lastSeenMs
  )
}
