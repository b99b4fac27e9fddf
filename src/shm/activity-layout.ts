/**
 * Where everything lies in the region of activity (activity.ts has the picture), and what a thread holds of it.
 *
 * ```
 *   region head │ sets: a line and 15 heads of a line each │ blocks of 128 B │ of 1 KiB │ of 16 KiB │ ring of busy heads
 *
 *   set    lock │ 15 x (16 bits of hash, 16 bits of minute last seen)              a look-up reads this line …
 *   head    0 id low    1 id high, days, class, "last other is known"              … and this one, of the same page
 *           2 first seen, s   3 last seen, s   4 attempts | answered   5 long | listed   6 last other   7 block
 *           8-10 hashes   11-13 metas   14-15 trunks, last other high              the list of a caller with few attempts
 *   list block     owner │ hashes │ metas │ trunks                                 activity-list.ts
 *   dense block    owner │ minute │ sums │ trunks │ 60 buckets │ sketch            activity-dense.ts
 * ```
 * `listed` counts the attempts in the list, wherever it lies. `owner` is the index of the head, in lines
 * from the first set's, 0 when free.
 */
import { assertCapacity, createRegion, magicOf, openRegion, type RegionFormat } from './layout.ts'

/** 2^23 keys are 1.6 GB. A call touches three rows: its caller, its callee, the caller's block of 100 numbers. */
export const ACTIVITY_MAX = 2 ** 23

export const WAYS = 15
export const ACTIVITY_HEAD_WORDS = 16
/** The line of the set and its heads: 1 KiB. */
const SET_WORDS = (WAYS + 1) * ACTIVITY_HEAD_WORDS
/**
 * Where the sets begin: 1,008 bytes into the region. glibc's calloc, which large shared buffers come from, gives memory 16
 * bytes into a page; so lines are whole cache lines and no set lies in two pages. Another allocator costs speed alone.
 */
export const SETS_AT = 252

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
/** Words of a block, by class: 128 bytes, 1 KiB, 16 KiB. */
export const BLOCK_WORDS = Int32Array.of(0, 32, 256, 4_096)
/** Attempts a list holds, by class: owner and 2.5 words an attempt fill 31 of 32 and all of 256 words. */
export const LIST_ROOM = Int32Array.of(3, 12, 102)

// Words of the region's head beyond layout.ts.
export const OVERRUNS = 3
export const LOST = 4
export const BUSY_HAND = 5
/** The first event, and when the youngest key that had to make room was last seen; seconds, 0: never. */
export const BORN = 6
export const FORGOT = 7
/** A line for each class behind the head: POOLS + class x POOL_WORDS, with the words of activity-pool.ts. */
export const POOLS = 16
export const POOL_WORDS = 16

/** The ring of heads that were busy lately, for the exchange with other processes: 8 times what it takes a second. */
export const BUSY_RING = 8_192

/**
 * Blocks by capacity: for half of the keys, a 32nd and a 1,024th, 112 bytes a key in all. In a busy hour with 3.6 attempts a
 * key on average, half of the keys have more than three (Poisson), next to none more than 12; the larger blocks are for
 * those who call for a living. The least makes small tables work.
 */
const POOL_SHARE = Int32Array.of(0, 2, 32, 1_024)
const POOL_LEAST = Int32Array.of(0, 8, 8, 4)

/**
 * 1.25 ways a key: a table that holds `capacity` keys has 12 of 15 ways of a set taken on average, and evicts one key in 40
 * that it should still have room for (Poisson).
 */
const WAYS_PER_KEY = 1.25

type Places = {
  readonly sets: number
  readonly poolAt: Int32Array
  readonly poolCount: Int32Array
  readonly busyAt: number
  readonly wordCount: number
}

function placesOf(capacity: number): Places {
  const sets = Math.max(1, Math.ceil((capacity * WAYS_PER_KEY) / WAYS))
  const poolAt = new Int32Array(4)
  const poolCount = new Int32Array(4)
  let at = lineOf(sets)
  for (let size = 1; size <= DENSE; size++) {
    poolAt[size] = at
    poolCount[size] = Math.max(POOL_LEAST[size]!, Math.ceil(capacity / POOL_SHARE[size]!))
    at += poolCount[size]! * BLOCK_WORDS[size]!
  }
  return { sets, poolAt, poolCount, busyAt: at, wordCount: at + BUSY_RING }
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
  /** A sum of what fetchRows and others have loaded: means nothing. */
  seen: number
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
 * Memory for `capacity` keys (rows) at once; the longest not seen are evicted beyond. About 200 bytes a key: 200 MB for
 * 1 M. Pools for those who call much follow from the capacity.
 */
export function createActivity(capacity: number): SharedArrayBuffer {
  assertCapacity('table of activity', capacity, ACTIVITY_MAX)
  return createRegion(ACTIVITY_FORMAT, capacity)
}

/** Throws SNAPSHOT_FORMAT when the memory holds something else. Every thread opens its own. */
export function openActivity(memory: SharedArrayBuffer): Activity {
  const capacity = openRegion(ACTIVITY_FORMAT, memory)
  const { sets, poolAt, poolCount, busyAt } = placesOf(capacity)
  return {
    capacity,
    sets,
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
    seen: 0,
    scratch: new Int32Array(SCRATCH_WORDS),
    pending: new Float64Array(PENDING_MAX * PENDING_WORDS),
    pendingFirst: 0,
    pendingCount: 0,
    bed: new Int32Array(new SharedArrayBuffer(4)),
  }
}

/** Word index of the line of a set: the first set lies behind the region's head. Its heads follow, way by way. */
export function lineOf(set: number): number {
  return SETS_AT + set * SET_WORDS
}
