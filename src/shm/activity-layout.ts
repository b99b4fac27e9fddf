/**
 * Where everything lies in the region of activity (activity.ts has the picture), and what a thread holds of it.
 *
 * ```
 *   region head │ sets: one line each │ heads: one line each │ blocks of 256 B │ of 2 KiB │ of 16 KiB │ ring of busy heads
 *
 *   set    lock │ 15 x (16 bits of hash, 16 bits of minute last seen)              a look-up reads this line …
 *   head    0 id low    1 id high, days, class, "last other is known"              … and this one
 *           2 first seen, s   3 last seen, s   4 attempts | answered   5 long | listed   6 last other   7 block
 *           8-10 hashes   11-13 metas   14-15 trunks, last other high              the list of a caller with few attempts
 *   list block     owner │ hashes │ metas │ trunks                                 activity-list.ts
 *   dense block    owner │ minute │ sums │ trunks │ 60 buckets │ sketch            activity-dense.ts
 * ```
 * `listed` counts the attempts in the list, wherever it lies. `owner` is the index of the head plus one, 0 when free.
 */
import {
  assertCapacity,
  createRegion,
  HEADER_BYTES,
  HEADER_WORDS,
  magicOf,
  openRegion,
  type RegionFormat,
} from './layout.ts'

/** 2^23 keys are 1.2 GB. A call touches three rows: its caller, its callee, the caller's block of 100 numbers. */
export const ACTIVITY_MAX = 2 ** 23

export const WAYS = 15
export const SET_WORDS = WAYS + 1
export const ACTIVITY_HEAD_WORDS = 16

// Words of a head.
export const ID_LOW = 0
export const ID_HIGH = 1
export const FIRST = 2
export const LAST = 3
export const TOTALS = 4
export const LONG_LISTED = 5
export const LAST_OTHER = 6
export const BLOCK = 7
/** Half word of a head: the half that three trunks leave free. */
export const LAST_OTHER_HIGH = 31

// Parts of the word ID_HIGH: 21 bits of id, 8 of days, 2 of class, 1 flag.
export const ID_HIGH_MASK = 0x1fffff
export const DAYS_SHIFT = 21
export const DAYS_MAX = 255
export const CLASS_SHIFT = 29
export const LAST_OTHER_KNOWN = 1 << 31

/** Block classes: 0 none (the list lies in the head), 1 and 2 longer lists, 3 buckets and a sketch. */
export const DENSE = 3
/** Words of a block, by class: 256 bytes, 2 KiB, 16 KiB. */
export const BLOCK_WORDS = Int32Array.of(0, 64, 512, 4_096)
/** Attempts a list holds, by class: owner and 2.5 words an attempt fill 63.5 of 64 and 511 of 512 words. */
export const LIST_ROOM = Int32Array.of(3, 25, 204)

// Words of the region's head beyond layout.ts.
/** + class: where the search for a free block goes on. */
export const HANDS = 3
export const OVERRUNS = 7
export const LOST = 8
export const BUSY_HAND = 9

/** The ring of heads that were busy lately, for the exchange with other processes: 8 times what it takes a second. */
export const BUSY_RING = 8_192

/**
 * Blocks by capacity. Few callers call four times an hour, fewer 26 times, very few 205 times: an eighth, a 128th and a
 * 1,024th of the keys, 64 bytes a key in all. The least makes small tables work.
 */
const POOL_SHARE = Int32Array.of(0, 8, 128, 1_024)
const POOL_LEAST = Int32Array.of(0, 8, 8, 4)

/**
 * 1.25 ways a key: a table that holds `capacity` keys has 12 of 15 ways of a set taken on average, and evicts one key in 40
 * that it should still have room for (Poisson).
 */
const WAYS_PER_KEY = 1.25

type Places = {
  readonly sets: number
  readonly headsAt: number
  readonly poolAt: Int32Array
  readonly poolCount: Int32Array
  readonly busyAt: number
  readonly wordCount: number
}

function placesOf(capacity: number): Places {
  const sets = Math.max(1, Math.ceil((capacity * WAYS_PER_KEY) / WAYS))
  const headsAt = HEADER_WORDS + sets * SET_WORDS
  const poolAt = new Int32Array(4)
  const poolCount = new Int32Array(4)
  let at = headsAt + sets * WAYS * ACTIVITY_HEAD_WORDS
  for (let size = 1; size <= DENSE; size++) {
    poolAt[size] = at
    poolCount[size] = Math.max(POOL_LEAST[size]!, Math.ceil(capacity / POOL_SHARE[size]!))
    at += poolCount[size]! * BLOCK_WORDS[size]!
  }
  return { sets, headsAt, poolAt, poolCount, busyAt: at, wordCount: at + BUSY_RING }
}

export const ACTIVITY_FORMAT: RegionFormat = {
  name: 'table of activity',
  magic: magicOf('ZACT'),
  version: 1,
  regionBytes: (capacity) => placesOf(capacity).wordCount * 4,
}

/** Opened activity: the shared memory, where things lie in it, and this thread's own notes. One per thread. */
export type Activity = Omit<Places, 'wordCount'> & {
  readonly capacity: number
  /** The same region as words, half words and bytes. */
  readonly words: Int32Array
  readonly halves: Uint16Array
  readonly bytes: Uint8Array
  /** Sets / 2^32: maps a hash to a set without a division. */
  readonly setScale: number
  /** The row the thread works on, set by aimAt (activity-table.ts). */
  low: number
  high: number
  set: number
  tag: number
  /** Histograms and estimates of a sketch measured at a time that is not its own (sliding-sketch.ts). */
  readonly scratch: Int32Array
  /** Events that met a busy set, to be counted with the next one (activity-pending.ts): first index and count of a ring. */
  readonly pending: Float64Array
  pendingFirst: number
  pendingCount: number
  /** A word that nobody notifies, to sleep on. */
  readonly bed: Int32Array
}

/** Numbers of an event that waits: kind, key, of, other, three arguments, time. */
export const PENDING_WORDS = 8
/** 1,024 events: 10 ms of one thread's calls at 30,000 a second, three rows each. */
export const PENDING_MAX = 1_024

/** Counts and estimates of three histograms of 17 ranks: see sliding-sketch.ts. */
export const SCRATCH_WORDS = 54

/**
 * Memory for `capacity` keys (rows) at once; the longest not seen are evicted beyond. About 150 bytes a key: 150 MB for
 * 1 M. Pools for those who call much follow from the capacity.
 */
export function createActivity(capacity: number): SharedArrayBuffer {
  assertCapacity('table of activity', capacity, ACTIVITY_MAX)
  return createRegion(ACTIVITY_FORMAT, capacity)
}

/** Throws SNAPSHOT_FORMAT when the memory holds something else. Every thread opens its own. */
export function openActivity(memory: SharedArrayBuffer): Activity {
  const capacity = openRegion(ACTIVITY_FORMAT, memory)
  const { sets, headsAt, poolAt, poolCount, busyAt } = placesOf(capacity)
  return {
    capacity,
    sets,
    headsAt,
    poolAt,
    poolCount,
    busyAt,
    words: new Int32Array(memory),
    halves: new Uint16Array(memory),
    bytes: new Uint8Array(memory),
    setScale: sets / 2 ** 32,
    low: 0,
    high: 0,
    set: 0,
    tag: 0,
    scratch: new Int32Array(SCRATCH_WORDS),
    pending: new Float64Array(PENDING_MAX * PENDING_WORDS),
    pendingFirst: 0,
    pendingCount: 0,
    bed: new Int32Array(new SharedArrayBuffer(4)),
  }
}

/** Word index of the line of a set: the first set lies behind the region's head. */
export function lineOf(set: number): number {
  return HEADER_BYTES / 4 + set * SET_WORDS
}
