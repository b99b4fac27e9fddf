/**
 * Where everything lies in the region of activity (activity.ts has the picture), and what a thread holds of it.
 *
 * ```
 *   region head │ sets: a line and 15 heads of two lines each │ blocks of 256 B │ of 1 KiB │ of 16 KiB │ ring of busy heads
 *
 *   set    lock │ 15 x (10 bits of hash, 22 bits of second last seen)              a look-up reads this line …
 *   head    0 id low    1 id high, days, class, "last other is known"              … and these two, of the same page
 *           2 first seen, s   3 last seen, s   4 attempts | answered   5 long | listed   6 last other   7 block
 *           8-16 hashes   17-25 metas   26-30 trunks   31 last other high          the list of a caller with few attempts
 *   list block     owner │ hashes │ metas │ trunks                                 activity-list.ts
 *   dense block    owner │ minute │ sums │ trunks │ 60 buckets │ sketch            activity-dense.ts
 * ```
 * `listed` counts the attempts in the list, wherever it lies. `owner` is the index of the head, in lines
 * from the first set's, 0 when free.
 */
import { AHEAD_MAX } from './ahead.ts'
import { assertCapacity, createRegion, magicOf, openRegion, type RegionFormat } from './layout.ts'

/** 2^23 keys are 1.8 GB. A call touches three rows: its caller, its callee, the caller's block of 100 numbers. */
export const ACTIVITY_MAX = 2 ** 23

export const WAYS = 15
export const ACTIVITY_HEAD_WORDS = 32
/** The line of the set, as much again, and its heads: 2 KiB. */
const SET_WORDS = (WAYS + 1) * ACTIVITY_HEAD_WORDS
/**
 * Where the sets begin: 2,032 bytes into the region. glibc's calloc, which large shared buffers come from, gives memory 16
 * bytes into a page; so lines are whole cache lines and two sets lie in one page. Another allocator costs speed alone.
 */
export const SETS_AT = 508

// An entry of the set's line: what tells keys of a set apart, and when the key was last seen, modulo 48 days. So the key to give
// up is found in this line: the heads are cold, and a full set has fifteen.
export const TAG_SHIFT = 22
export const SEEN_MASK = (1 << TAG_SHIFT) - 1
export const TAG_MASK = 0x3ff

// Words of a head.
export const ID_LOW = 0
export const ID_HIGH = 1
export const FIRST = 2
export const LAST = 3
export const TOTALS = 4
export const LONG_LISTED = 5
export const LAST_OTHER = 6
export const BLOCK = 7
/** Half word of a head, behind the nine trunks. */
export const LAST_OTHER_HIGH = 63

// Parts of the word ID_HIGH: 21 bits of id, 8 of days, 2 of class, 1 flag.
export const ID_HIGH_MASK = 0x1fffff
export const DAYS_SHIFT = 21
export const DAYS_MAX = 255
export const CLASS_SHIFT = 29
export const LAST_OTHER_KNOWN = 1 << 31

/** Block classes: 0 none (the list lies in the head), 1 and 2 longer lists, 3 buckets and a sketch. */
export const DENSE = 3
/** Words of a block, by class: 256 bytes, 1 KiB, 16 KiB. */
export const BLOCK_WORDS = Int32Array.of(0, 64, 256, 4_096)
/**
 * Attempts a list holds, by class: owner and 2.5 words an attempt fill 63.5 of 64 and all of 256 words. Nine in the head, so
 * that few calls must go to a block: it lies in another page, whose address is only known when the head is there.
 */
export const LIST_ROOM = Int32Array.of(9, 25, 102)

// Words of the region's head beyond layout.ts.
export const OVERRUNS = 3
export const LOST = 4
export const BUSY_HAND = 5
/** The first event, and when the youngest key that had to make room was last seen; seconds, 0: never. */
export const BORN = 6
export const FORGOT = 8
/** The word of BLOCK stays 0, so that fetchRows can take the region's head for a head without a block. */
export const NO_HEAD = 0
/** A line for each class behind the head: POOLS + class x POOL_WORDS, with the words of activity-pool.ts. */
export const POOLS = 16
export const POOL_WORDS = 16

/** The ring of heads that were busy lately, for the exchange with other processes: 8 times what it takes a second. */
export const BUSY_RING = 8_192

/**
 * Blocks by capacity: for a 16th of the keys, a 64th and a 1,024th, 48 bytes a key in all. In a busy hour with 3.6 attempts a
 * key on average, one key in 300 has more than nine (Poisson): blocks are for those who call for a living, and for number
 * blocks of companies. The least makes small tables work.
 */
const POOL_SHARE = Int32Array.of(0, 16, 64, 1_024)
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
  version: 3,
  regionBytes: (capacity) => placesOf(capacity).wordCount * 4,
}

/** Where the row of a key is to be found, all small integers: aimAt and aimRows (activity-table.ts, activity-rows.ts). */
export type Row = {
  low: number
  high: number
  set: number
  tag: number
  /** The way its head was seen in without a lock, 1 to WAYS; 0: none. A hint. */
  way: number
}

/** Another number as a row counts it: 32 bits of hash, 0 for one that is withheld; its low 32 and next 16 bits. */
export type Other = { hash: number; low: number; high: number }

/** The rows a call touches, and its two numbers as each other's. */
export type CallRows = {
  /** Caller, callee and `of` of the caller's row: what the rest was made for. */
  readonly numbers: Float64Array
  readonly outgoing: Row
  readonly called: Row
  readonly block: Row
  readonly incoming: Row
  readonly caller: Other
  readonly callee: Other
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
  /** The row that a single event works on. */
  readonly row: Row
  /** The rows of the call that is being decided: one of `ahead`. */
  rows: CallRows
  /** Rows of calls that are about to be decided. */
  readonly ahead: readonly CallRows[]
  /** A sum of what was loaded ahead: means nothing. */
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
 * Memory for `capacity` keys (rows) at once; the longest not seen are evicted beyond. About 220 bytes a key: 220 MB for
 * 1 M. Pools for those who call much follow from the capacity.
 */
export function createActivity(capacity: number): SharedArrayBuffer {
  assertCapacity('table of activity', capacity, ACTIVITY_MAX)
  return createRegion(ACTIVITY_FORMAT, capacity)
}

/** Throws SNAPSHOT_FORMAT when the memory holds something else. Every thread opens its own. */
export function openActivity(memory: SharedArrayBuffer): Activity {
  const rows = createCallRows()
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
    row: createRow(),
    rows,
    ahead: [rows, ...Array.from({ length: AHEAD_MAX - 1 }, createCallRows)],
    seen: 0,
    scratch: new Int32Array(SCRATCH_WORDS),
    pending: new Float64Array(PENDING_MAX * PENDING_WORDS),
    pendingFirst: 0,
    pendingCount: 0,
    bed: new Int32Array(new SharedArrayBuffer(4)),
  }
}

function createRow(): Row {
  return { low: 0, high: 0, set: 0, tag: 0, way: 0 }
}

function createCallRows(): CallRows {
  return {
    numbers: new Float64Array(3),
    outgoing: createRow(),
    called: createRow(),
    block: createRow(),
    incoming: createRow(),
    caller: { hash: 0, low: 0, high: 0 },
    callee: { hash: 0, low: 0, high: 0 },
  }
}

/** Word index of the line of a set: the first set lies behind the region's head. Its heads follow, way by way. */
export function lineOf(set: number): number {
  return SETS_AT + set * SET_WORDS
}
