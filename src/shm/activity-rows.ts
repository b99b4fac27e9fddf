/**
 * The rows of one call: where they are is worked out once, from one hash of each number, and all of them are loaded into the
 * cache before the first is locked. The locks are fences, behind which no load can begin early, so without this each row would
 * wait for the memory of its own.
 *
 * ```
 *   aimRows      only reckons
 *   fetchSets    lines of sets       three pages, for the caller's two rows share one
 *   fetchHeads   heads               the same pages
 *   fetchLists   blocks              of the few rows with more attempts than a head holds
 * ```
 * Each step needs what the one before has loaded; what else a call touches is loaded in between (engine/fetch-memory.ts). All
 * of this reads without a lock and believes nothing of it.
 */
import {
  ACTIVITY_HEAD_WORDS,
  type Activity,
  BLOCK,
  lineOf,
  NO_HEAD,
  type Other,
  type Row,
  TAG_SHIFT,
  WAYS,
} from './activity-layout.ts'
import { aimAt, place, seemsKnown, wayToGive } from './activity-table.ts'
import { mixWords, mixWordsAgain } from './hash.ts'

/** Of rows whose kind is not known, and which to begin with. */
const NO_KIND = -1
const ANY_KIND = 0
const OF_CALLEE = 4
const OF_BLOCK = 5
/** Words of a cache line. */
const LINE_WORDS = 16

/**
 * Points activity.rows at the rows of a call: the caller's own (`of`: its ingress kind), the callee's, that of the caller's
 * block (key `block`), and the caller's as a callee; unless it has just done so for the same call. Keys that are no numbers
 * aim at some row.
 */
export function aimRows(activity: Activity, caller: number, of: number, callee: number, block: number): void {
  const { rows } = activity
  const { numbers } = rows
  if (numbers[0] === caller && numbers[1] === callee && numbers[2] === of) return
  numbers[0] = caller
  numbers[1] = callee
  numbers[2] = of
  const low = caller | 0
  const high = (caller / 2 ** 32) | 0
  const mix = mixWords(low, high)
  const mixAgain = mixWordsAgain(low, high)
  place(activity, rows.outgoing, low, high, of, mix, mixAgain)
  place(activity, rows.incoming, low, high, OF_CALLEE, mix, mixAgain)
  setOther(rows.caller, caller > 0, low, high, mix)
  const calleeLow = callee | 0
  const calleeHigh = (callee / 2 ** 32) | 0
  const calleeMix = mixWords(calleeLow, calleeHigh)
  place(activity, rows.called, calleeLow, calleeHigh, OF_CALLEE, calleeMix, mixWordsAgain(calleeLow, calleeHigh))
  setOther(rows.callee, callee > 0, calleeLow, calleeHigh, calleeMix)
  const blockLow = block | 0
  const blockHigh = (block / 2 ** 32) | 0
  place(
    activity,
    rows.block,
    blockLow,
    blockHigh,
    OF_BLOCK,
    mixWords(blockLow, blockHigh),
    mixWordsAgain(blockLow, blockHigh),
  )
}

/** Loads the lines of the sets of the rows aimed at. */
export function fetchSets(activity: Activity): void {
  const { rows, words } = activity
  // Kept, so that no load is dropped as useless.
  activity.seen ^=
    words[lineOf(rows.outgoing.set)]! ^
    words[lineOf(rows.called.set)]! ^
    words[lineOf(rows.block.set)]! ^
    words[lineOf(rows.incoming.set)]!
}

/** Points activity.rows at the rows of an end: as aimRows, but nobody says on which kind of ingress the caller came in. */
export function aimEnd(activity: Activity, caller: number, callee: number, block: number): void {
  aimRows(activity, caller, ANY_KIND, callee, block)
}

/**
 * Loads the heads that an end changes, where there are any. Of the kinds of ingress the first counts that seems to have a row;
 * all of them lie in one set.
 */
export function fetchEndHeads(activity: Activity): void {
  const { rows, words } = activity
  const { outgoing } = rows
  for (let kind = 0; kind < OF_CALLEE && !seemsKnown(activity, outgoing); kind++) {
    aimAt(activity, outgoing, rows.numbers[0]!, kind)
  }
  rows.numbers[2] = NO_KIND // they are not those of a call
  const caller = findWay(words, outgoing)
  const called = findWay(words, rows.called)
  const block = findWay(words, rows.block)
  activity.seen ^=
    words[caller + BLOCK]! ^
    words[caller + LINE_WORDS]! ^
    words[called + BLOCK]! ^
    words[called + LINE_WORDS]! ^
    words[block + BLOCK]! ^
    words[block + LINE_WORDS]!
}

function setOther(other: Other, isNumber: boolean, low: number, high: number, mix: number): void {
  other.hash = isNumber ? otherHash(mix) : 0
  other.low = low
  other.high = high & 0xffff
}

/** A number's hash as an other's, of its first mix: never 0. */
export function otherHash(mix: number): number {
  return mix === 0 ? 1 : mix
}

/** Loads the heads of the rows aimed at, or those that they would take at `seconds`, and notes where they seem to be. */
export function fetchHeads(activity: Activity, seconds: number): void {
  const { rows, words } = activity
  const outgoing = findOrGive(words, rows.outgoing, seconds)
  const called = findOrGive(words, rows.called, seconds)
  const block = findOrGive(words, rows.block, seconds)
  const incoming = findWay(words, rows.incoming)
  activity.seen ^=
    words[outgoing + BLOCK]! ^
    words[outgoing + LINE_WORDS]! ^
    words[called + BLOCK]! ^
    words[called + LINE_WORDS]! ^
    words[block + BLOCK]! ^
    words[block + LINE_WORDS]! ^
    words[incoming + BLOCK]! // only its totals are read
}

/** Loads the beginning of the blocks that the rows' lists lie in. */
export function fetchLists(activity: Activity): void {
  const { rows, words } = activity
  activity.seen ^= fetchList(words, rows.outgoing) ^ fetchList(words, rows.called) ^ fetchList(words, rows.block)
}

function fetchList(words: Int32Array, row: Row): number {
  const block = words[headAt(row) + BLOCK]!
  if (block === 0) return 0
  return words[block]! ^ words[block + LINE_WORDS]! ^ words[block + 2 * LINE_WORDS]! ^ words[block + 3 * LINE_WORDS]!
}

function findOrGive(words: Int32Array, row: Row, seconds: number): number {
  const found = findWay(words, row)
  if (found !== NO_HEAD) return found
  const line = lineOf(row.set)
  row.way = wayToGive(words, line, seconds)
  return line + row.way * ACTIVITY_HEAD_WORDS
}

/** Sets row.way to the way with its tag; the head's word index, or NO_HEAD. */
function findWay(words: Int32Array, row: Row): number {
  const line = lineOf(row.set)
  const { tag } = row
  for (let way = 1; way <= WAYS; way++) {
    if (words[line + way]! >>> TAG_SHIFT !== tag) continue
    row.way = way
    return line + way * ACTIVITY_HEAD_WORDS
  }
  return NO_HEAD
}

function headAt({ set, way }: Row): number {
  return way === 0 ? NO_HEAD : lineOf(set) + way * ACTIVITY_HEAD_WORDS
}
