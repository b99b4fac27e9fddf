/**
 * What other verdict processes and nodes say of their busiest rows: a bounded table that a reader adds to what this process
 * knows itself, so that a caller who spreads his calls is still seen.
 *
 * ```
 *   sources: 64 x (serial, second last heard) │ sets of 2 KiB: sequence, 15 x (16 bits of hash, serial) │ 15 summaries
 * ```
 * Approximate, each way on the side of more: a summary is up to a second old; between summaries windows do not slide, but
 * end whole minutes after they were heard; distinct others of two sources may be the same, so their sum is an upper bound.
 * Low are rows that a source did not tell: with fewer than four attempts an hour there, or beyond its busiest 1,000.
 *
 * A source that was silent for SOURCE_SILENT_SECONDS counts nothing, so a process that ended or restarted is not counted
 * beside its successor for longer. One writer, the main thread of the verdict process; readers check the set's sequence
 * before and after (a seqlock) and never wait.
 */
import { isSummary, readSummary, SUMMARY_WORDS } from './activity-summary.ts'
import { type ActivityView, clearActivityView, createActivityView } from './activity-view.ts'
import { mixNumber, mixNumberAgain } from './hash.ts'
import { assertCapacity, createRegion, HEADER_WORDS, magicOf, openRegion, type RegionFormat } from './layout.ts'

/** 2^20 rows are 143 MB. 65,536 hold 1,000 new ones a second of one source for a minute, 9 MB. */
const REMOTE_ROWS_MAX = 2 ** 20
/** Verdict processes of all nodes but this one. */
export const REMOTE_SOURCES_MAX = 64
/** A source speaks each second. */
export const SOURCE_SILENT_SECONDS = 10

const WAYS = 15
const LINE_WORDS = 16
/** 15 summaries of 24 words and their minutes, behind a line; 512 words in all leave every line whole. */
const SET_WORDS = 512
const ROW_WORDS = 32
const MINUTE = SUMMARY_WORDS
/** Tries of a reader that meets the writer at work. */
const TRIES = 4
const OF_FACTOR = 2 ** 50

// Words of the region's head beyond layout.ts.
const HEARD_ANY = 3
const SOURCES_AT = HEADER_WORDS
const SETS_AT = HEADER_WORDS + REMOTE_SOURCES_MAX * 2

const FORMAT: RegionFormat = {
  name: 'table of remote activity',
  magic: magicOf('ZRAC'),
  version: 1,
  regionBytes: (rows) => (SETS_AT + setsFor(rows) * SET_WORDS) * 4,
}

function setsFor(rows: number): number {
  return Math.max(1, Math.ceil(rows / WAYS))
}

export type RemoteActivity = {
  readonly words: Uint32Array
  readonly signed: Int32Array
  readonly sets: number
  /** This thread's: one summary, and the sums of a row. */
  readonly row: ActivityView
  readonly sums: ActivityView
}

/** Memory for so many rows of other processes, about 137 bytes each; those not told for longest make room. */
export function createRemoteActivity(rows: number): SharedArrayBuffer {
  assertCapacity('table of remote activity', rows, REMOTE_ROWS_MAX)
  return createRegion(FORMAT, rows)
}

/** Throws SNAPSHOT_FORMAT when the memory holds something else. */
export function openRemoteActivity(memory: SharedArrayBuffer): RemoteActivity {
  const rows = openRegion(FORMAT, memory)
  return {
    words: new Uint32Array(memory),
    signed: new Int32Array(memory),
    sets: setsFor(rows),
    row: createActivityView(),
    sums: createActivityView(),
  }
}

/** Whether any other was ever heard: one load, so that a process which is alone need not ask for its rows. */
export function hearsOthers({ words }: RemoteActivity): boolean {
  // The store in hearSource is seen a moment later at worst; addRemoteActivity looks again, in order.
  return words[HEARD_ANY] !== 0
}

/**
 * Adds to `into`, which readActivity has filled, what others say of the row at `nowMs`. True: something was added. Any
 * thread; no allocation, and a single load when nobody was heard lately.
 */
export function addRemoteActivity(
  remote: RemoteActivity,
  key: number,
  of: number,
  nowMs: number,
  into: ActivityView,
): boolean {
  const { words, signed } = remote
  const seconds = (nowMs / 1_000) >>> 0
  // Pairs with the store in hearSource.
  if (!isHeard(Atomics.load(words, HEARD_ANY), seconds) || !(key > 0)) return false
  const id = key + (of & 7) * OF_FACTOR
  const set = setAt(remote, id)
  const tag = tagOf(id)
  for (let tries = 0; tries < TRIES; tries++) {
    // Pairs with the adds in noteRow: odd while the set is written.
    const sequence = Atomics.load(signed, set)
    if ((sequence & 1) === 1) continue
    const found = sumRows(remote, set, tag, id, seconds)
    // Pairs with the first add in noteRow: unchanged, so what was summed is whole.
    if (Atomics.load(signed, set) !== sequence) continue
    if (found) addView(into, remote.sums)
    return found
  }
  return false
}

function sumRows(remote: RemoteActivity, set: number, tag: number, id: number, seconds: number): boolean {
  const { words, row, sums } = remote
  let found = false
  for (let way = 1; way <= WAYS; way++) {
    const entry = words[set + way]!
    if (entry >>> 16 !== tag || !isLive(words, entry & 0xffff, seconds)) continue
    const at = rowAt(set, way)
    if (words[at + 1]! * 2 ** 32 + words[at]! !== id) continue
    readSummary(words, at, row)
    if (!fade(row, ((seconds / 60) | 0) - words[at + MINUTE]!)) continue
    if (!found) clearActivityView(sums)
    found = true
    addView(sums, row)
  }
  return found
}

/** Takes from a summary heard `passed` minutes ago the windows that are over. False: all of them. */
function fade(row: ActivityView, passed: number): boolean {
  if (passed >= 60 || passed < -60) return false
  if (passed >= 1) {
    row.attempts1 = 0
    row.others1 = 0
  }
  if (passed >= 15) {
    row.attempts15 = 0
    row.others15 = 0
    row.trunks15 = 0
  }
  return true
}

const COUNT_MAX = 0x7fffffff

/** Counts add; so do distinct others, as an upper bound; trunks and days are the greater. */
function addView(into: ActivityView, other: ActivityView): void {
  into.attempts1 += other.attempts1
  into.attempts15 += other.attempts15
  into.attempts60 += other.attempts60
  into.others1 += other.others1
  into.others15 += other.others15
  into.others60 += other.others60
  into.ended60 += other.ended60
  into.answered60 += other.answered60
  into.short60 += other.short60
  into.brief60 += other.brief60
  into.long60 += other.long60
  into.oneRing60 += other.oneRing60
  into.talkSeconds60 = Math.min(into.talkSeconds60 + other.talkSeconds60, COUNT_MAX)
  into.sequential60 += other.sequential60
  into.trunks15 = Math.max(into.trunks15, other.trunks15)
  into.days = Math.max(into.days, other.days)
  into.totalAttempts += other.totalAttempts
  into.totalAnswered += other.totalAnswered
  into.totalLong += other.totalLong
  into.lastSeenMs = Math.max(into.lastSeenMs, other.lastSeenMs)
  if (into.firstSeenMs === 0 || other.firstSeenMs < into.firstSeenMs) into.firstSeenMs = other.firstSeenMs
}

/** A serial is 64 times a generation plus the place: of two sources in one place, only the later counts. */
function isLive(words: Uint32Array, serial: number, seconds: number): boolean {
  const at = SOURCES_AT + (serial & (REMOTE_SOURCES_MAX - 1)) * 2
  return words[at] === serial && isHeard(words[at + 1]!, seconds)
}

/** A clock that was set back by more than the silence makes what was heard before it old. */
function isHeard(heard: number, seconds: number): boolean {
  const silence = seconds - heard
  return heard !== 0 && silence <= SOURCE_SILENT_SECONDS && silence >= -SOURCE_SILENT_SECONDS
}

/** Notes that a source spoke. Only the writer may call it. */
export function hearSource(remote: RemoteActivity, serial: number, nowMs: number): void {
  const { words } = remote
  const seconds = (nowMs / 1_000) >>> 0
  const at = SOURCES_AT + (serial & (REMOTE_SOURCES_MAX - 1)) * 2
  words[at + 1] = seconds
  words[at] = serial
  // Pairs with the load in addRemoteActivity: the source is there before anybody looks for its rows.
  Atomics.store(words, HEARD_ANY, seconds)
}

/**
 * Keeps the rows of `summaries` that could be true (isSummary) as told by the source at `nowMs`; returns how many were not.
 * Only the writer may call it.
 */
export function noteRows(remote: RemoteActivity, serial: number, summaries: Uint32Array, nowMs: number): number {
  let refused = summaries.length % SUMMARY_WORDS === 0 ? 0 : 1
  const minute = (nowMs / 60_000) | 0
  for (let at = 0; at + SUMMARY_WORDS <= summaries.length; at += SUMMARY_WORDS) {
    if (isSummary(summaries, at, remote.row)) noteRow(remote, serial, summaries, at, minute, (nowMs / 1_000) >>> 0)
    else refused++
  }
  return refused
}

function noteRow(
  remote: RemoteActivity,
  serial: number,
  summaries: Uint32Array,
  from: number,
  minute: number,
  seconds: number,
): void {
  const { words, signed } = remote
  const id = summaries[from + 1]! * 2 ** 32 + summaries[from]!
  const set = setAt(remote, id)
  const tag = tagOf(id)
  const way = chooseWay(words, set, ((tag << 16) | serial) >>> 0, id, minute, seconds)
  const at = rowAt(set, way)
  // Pairs with the loads in addRemoteActivity.
  Atomics.add(signed, set, 1)
  words[set + way] = (tag << 16) | serial
  for (let i = 0; i < SUMMARY_WORDS; i++) words[at + i] = summaries[from + i]!
  words[at + MINUTE] = minute
  // Pairs with the loads in addRemoteActivity: the row is whole before the sequence is even again.
  Atomics.add(signed, set, 1)
}

/** The way of the same row and source, an empty one, one of a source that is gone, or that told longest ago. */
function chooseWay(
  words: Uint32Array,
  set: number,
  entry: number,
  id: number,
  minute: number,
  seconds: number,
): number {
  let chosen = 1
  let oldest = -1
  for (let way = 1; way <= WAYS; way++) {
    const at = rowAt(set, way)
    const there = words[set + way]!
    if (there === entry && words[at + 1]! * 2 ** 32 + words[at]! === id) return way
    const minutes = Math.abs(minute - words[at + MINUTE]!)
    const age = there === 0 ? 2 ** 33 : isLive(words, there & 0xffff, seconds) ? minutes : 2 ** 32 + minutes
    if (age > oldest) {
      oldest = age
      chosen = way
    }
  }
  return chosen
}

function setAt(remote: RemoteActivity, id: number): number {
  return SETS_AT + (((mixNumber(id) >>> 0) * (remote.sets / 2 ** 32)) | 0) * SET_WORDS
}

function rowAt(set: number, way: number): number {
  return set + LINE_WORDS + (way - 1) * ROW_WORDS
}

function tagOf(id: number): number {
  const tag = mixNumberAgain(id) & 0xffff
  return tag === 0 ? 1 : tag
}
