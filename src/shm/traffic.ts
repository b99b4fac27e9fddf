/**
 * How often each caller called in an hour: the exact answer to "how many of the last day's calls would this list hit".
 *
 * ```
 *   hour 490,001 ─▶ table 1   ┌ caller f64 │ count u32 │ hour u32 ┐ x capacity, open addressing, linear probing
 *   hour 490,002 ─▶ table 0   └ an entry of another hour is empty ┘
 * ```
 * Two tables take turns, so the reader has an hour to carry a finished one away (stores/traffic-log). Every entry is
 * stamped with its hour, so a new hour needs no clearing: a fill of some MB in the middle of a verdict would show.
 * The trade: a table three quarters full takes no new callers. Calls are still counted, and the hour says it is not
 * complete, so figures made of it are lower bounds.
 *
 * One writer, the verdict thread that owns the region; readers check the stamp before and after each entry.
 */
import { mixNumber } from './hash.ts'
import {
  assertCapacity,
  createRegion,
  HEADER_BYTES,
  magicOf,
  openRegion,
  powerOfTwoAtLeast,
  type RegionFormat,
} from './layout.ts'

export const HOUR_MS = 3_600_000

/** 2^24 callers an hour and thread are 512 MB. */
export const TRAFFIC_CAPACITY_MAX = 2 ** 24

const ENTRY_BYTES = 16
const ENTRY_WORDS = ENTRY_BYTES / 4
const COUNT = 2
const STAMP = 3

// Head words, table t's begin at TABLE_WORDS * (t + 1).
const TABLE_WORDS = 4
const TABLE_HOUR = 0
const TABLE_CALLS = 1
const TABLE_CALLERS = 2
const TABLE_OVERFLOWED = 3

const FORMAT: RegionFormat = {
  name: 'traffic table',
  magic: magicOf('ZTRF'),
  version: 1,
  regionBytes: (capacity) => HEADER_BYTES + 2 * capacity * ENTRY_BYTES,
}

export type Traffic = {
  readonly header: Uint32Array
  /** The same entries as callers (every second one) and as words. */
  readonly callers: Float64Array
  readonly words: Uint32Array
  readonly capacity: number
  /** Most callers an hour may have: 3/4 of the capacity, where linear probing still takes 2.5 steps to miss. */
  readonly callersMax: number
}

/** Tables for `capacity` entries an hour, rounded up to a power of two (at least 4): 32 bytes an entry for both hours. */
export function createTraffic(capacity: number): SharedArrayBuffer {
  assertCapacity('traffic table', capacity, TRAFFIC_CAPACITY_MAX)
  return createRegion(FORMAT, powerOfTwoAtLeast(Math.max(4, capacity)))
}

/** Throws SNAPSHOT_FORMAT when the memory holds something else. */
export function openTraffic(memory: SharedArrayBuffer): Traffic {
  const capacity = openRegion(FORMAT, memory)
  return {
    header: new Uint32Array(memory, 0, HEADER_BYTES / 4),
    callers: new Float64Array(memory, HEADER_BYTES),
    words: new Uint32Array(memory, HEADER_BYTES),
    capacity,
    callersMax: (capacity / 4) * 3,
  }
}

/**
 * Counts one call at `nowMs` (epoch milliseconds). Only the owning thread may call it. A caller that is not a number
 * (negative, see NOT_A_NUMBER) counts in the total only.
 */
export function countCall(traffic: Traffic, caller: number, nowMs: number): void {
  const { header, words, callers, capacity } = traffic
  const hour = Math.floor(nowMs / HOUR_MS)
  const table = hour & 1
  const head = TABLE_WORDS * (table + 1)
  // A table only moves forward: after the clock was set back by hours, calls count in the hour that is there.
  if (header[head + TABLE_HOUR]! < hour) startHour(header, head, hour)
  const stamp = header[head + TABLE_HOUR]!
  header[head + TABLE_CALLS] = header[head + TABLE_CALLS]! + 1
  if (!(caller > 0)) return
  // The stamp of an empty entry: of the first hour of 1970 (a clock that was never set) no callers are kept.
  if (stamp === 0) return

  const mask = capacity - 1
  const start = table * capacity
  let slot = mixNumber(caller) & mask
  for (;;) {
    const entry = start + slot
    if (words[entry * ENTRY_WORDS + STAMP] !== stamp) break
    if (callers[entry * 2] === caller) {
      words[entry * ENTRY_WORDS + COUNT] = words[entry * ENTRY_WORDS + COUNT]! + 1
      return
    }
    slot = (slot + 1) & mask // ends: at least a quarter of the table carries another stamp
  }
  if (header[head + TABLE_CALLERS]! >= traffic.callersMax) {
    header[head + TABLE_OVERFLOWED] = 1
    return
  }
  header[head + TABLE_CALLERS] = header[head + TABLE_CALLERS]! + 1
  const entry = start + slot
  // Pairs with the second load in readTrafficHour: a reader of the hour that was here sees the stamp go first.
  Atomics.store(words, entry * ENTRY_WORDS + STAMP, 0)
  callers[entry * 2] = caller
  words[entry * ENTRY_WORDS + COUNT] = 1
  // Pairs with the first load in readTrafficHour: caller and count are visible before the stamp.
  Atomics.store(words, entry * ENTRY_WORDS + STAMP, stamp)
}

/** Word index of the line where countCall looks first, for who loads it before. */
export function trafficLine({ capacity }: Traffic, caller: number, nowMs: number): number {
  const table = (nowMs / HOUR_MS) & 1
  return (table * capacity + (mixNumber(caller) & (capacity - 1))) * ENTRY_WORDS
}

function startHour(header: Uint32Array, head: number, hour: number): void {
  // Pairs with the loads in readTrafficHour: 0 while the totals change, so that nobody takes them for either hour's.
  Atomics.store(header, head + TABLE_HOUR, 0)
  header[head + TABLE_CALLS] = 0
  header[head + TABLE_CALLERS] = 0
  header[head + TABLE_OVERFLOWED] = 0
  // Pairs with the loads in readTrafficHour.
  Atomics.store(header, head + TABLE_HOUR, hour)
}

/** Some 10 microseconds of work. */
const STEP_ENTRIES = 2_048

/**
 * Visits the callers of an hour (epoch hours: nowMs / HOUR_MS rounded down) in no order, while the owner may be counting; yields after
 * every few thousand entries, for whoever has something else to do.
 * `calls` is the total, callers that are not numbers included: read last, so that calls that come meanwhile may be in it and not with their
 * caller, and it is never less than all callers' calls together; shares made of it are lower bounds. `complete` is false when callers are missing: the table
 * was full, the hour was overwritten while it was read, or lies before 1970-01-01T01:00Z. An hour the table does not hold is 0 calls, complete.
 */
export function* readTrafficHour(
  memory: SharedArrayBuffer,
  hour: number,
  visit: (caller: number, count: number) => void,
): Generator<undefined, { calls: number; complete: boolean }> {
  const traffic = openTraffic(memory)
  const { header, capacity } = traffic
  const table = hour & 1
  const head = TABLE_WORDS * (table + 1)
  if (hour <= 0) return { calls: 0, complete: false }
  // Pairs with the last store in startHour.
  if (Atomics.load(header, head + TABLE_HOUR) !== hour) return { calls: 0, complete: true }
  const callsBefore = header[head + TABLE_CALLS]!
  const end = (table + 1) * capacity
  let visited = 0
  for (let entry = table * capacity; entry < end; entry += STEP_ENTRIES) {
    visited += visitEntries(traffic, entry, Math.min(entry + STEP_ENTRIES, end), hour, visit)
    yield undefined
  }
  const overflowed = header[head + TABLE_OVERFLOWED]! !== 0
  const callsAfter = header[head + TABLE_CALLS]!
  // Pairs with the first store in startHour: unchanged, so what was read above is of this hour.
  const unmoved = Atomics.load(header, head + TABLE_HOUR) === hour
  // Of an hour that was overwritten meanwhile the total is gone: what is known of it is what was there before, or was seen.
  const calls = Math.max(unmoved ? callsAfter : callsBefore, visited)
  return { calls, complete: unmoved && !overflowed }
}

/** Returns how many calls the callers it visited have together. */
function visitEntries(
  { words, callers }: Traffic,
  from: number,
  to: number,
  hour: number,
  visit: (caller: number, count: number) => void,
): number {
  let visited = 0
  for (let entry = from; entry < to; entry++) {
    // Pairs with the last store in countCall.
    if (Atomics.load(words, entry * ENTRY_WORDS + STAMP) !== hour) continue
    const caller = callers[entry * 2]!
    const count = words[entry * ENTRY_WORDS + COUNT]!
    // Pairs with the first store in countCall: unchanged, so caller and count belong to this hour.
    if (Atomics.load(words, entry * ENTRY_WORDS + STAMP) !== hour) continue
    visited += count
    visit(caller, count)
  }
  return visited
}
