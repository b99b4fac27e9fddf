/**
 * The numbers of one layer of a list, exactly, in 4 bytes each: what a gate calls "maybe" is confirmed here.
 *
 * ```
 *   firsts   the first number of every block ── bisection ─▶ block ── starts ─▶ its part of `rests`
 *   rests    number - first of its block, ascending ── a guess from the slope of the block, then steps that double
 *   expires  only where anything expires or is removed: 8 bytes more a number
 * ```
 * Neighbours on a list lie about evenly, so the guess falls into the right cache line or the one beside it, where a bisection of a
 * block would touch six; where they do not, doubling steps are a bisection again (Bentley and Yao, "An almost optimal
 * algorithm for unbounded searching", 1976). A hash table would touch one line instead of two to four, for twice the memory
 * and twenty times the work to fill it: each number at a random place, instead of one after the other.
 *
 * A block ends when it is full, or when the next number is 2^32 or more above its first. How many end early cannot be known before, so a
 * table has room for GAPS_MAX of them; a layer that has more of them (there are that many only where numbers of all lengths
 * from all over the world are mixed) gets no table.
 *
 * Immutable once it is finished, so threads read it without Atomics: the message that hands the memory over orders the reads.
 */
import {
  ENTRY_ABSENT,
  ENTRY_EXPIRED,
  ENTRY_PRESENT,
  ENTRY_REMOVED,
  type EntryState,
  EXPIRES_NEVER,
  EXPIRES_REMOVED,
} from '../domain/lookup.ts'
import {
  assertCapacity,
  HEADER_BYTES,
  HEADER_WORDS,
  magicOf,
  openRegion,
  type RegionFormat,
  refusal,
} from './layout.ts'

/** As in a gate: more than every number of the largest country. */
export const NUMBER_TABLE_CAPACITY_MAX = 2 ** 29
/** 48 KiB at most. */
export const GAPS_MAX = 4_096
/** 4 KiB: one page, and 80 KB of `firsts` for 10 M numbers, which stay in the cache. */
const BLOCK_NUMBERS = 1_024
const BLOCK_SPAN = 2 ** 32

// Words of the head beyond layout.ts; the capacity is the count of numbers.
const HAS_EXPIRIES_WORD = 3
const BLOCK_COUNT_WORD = 4

const MAGIC = magicOf('ZNUM')
const VERSION = 1
const NAME = 'number table'

/** An opened table. Cheap to open; every thread opens its own over the same memory. */
export type NumberTable = {
  readonly blockCount: number
  readonly firsts: Float64Array
  /** One more than blocks. */
  readonly starts: Uint32Array
  readonly rests: Uint32Array
  /** Epoch milliseconds, EXPIRES_NEVER or EXPIRES_REMOVED by index in `rests`; empty when all count for ever. */
  readonly expires: Float64Array
}

export type NumberTableOptions = {
  /** How many numbers the layer has. */
  readonly capacity: number
  /** Whether any of them expires or is removed. */
  readonly hasExpiries: boolean
}

export type NumberTableWriter = {
  readonly memory: SharedArrayBuffer
  /**
   * Adds numbers[0..count), ascending, above all before; `expires` in step with it. False: this table cannot hold the layer
   * (it has expiries and `hasExpiries` is not set, more numbers than it said, gaps beyond GAPS_MAX), or they are not ascending: it must be dropped.
   */
  add(numbers: Float64Array, expires: Float64Array, count: number): boolean
  /** False when numbers are missing. After it the table may be opened. */
  finish(): boolean
}

function blocksMax(capacity: number): number {
  return Math.ceil(capacity / BLOCK_NUMBERS) + Math.min(capacity, GAPS_MAX)
}

function formatWith(hasExpiries: boolean): RegionFormat {
  return {
    name: NAME,
    magic: MAGIC,
    version: VERSION,
    regionBytes: (capacity) => HEADER_BYTES + blocksMax(capacity) * 12 + 4 + capacity * (hasExpiries ? 12 : 4),
  }
}

/** Bytes of a table. */
export function numberTableBytes({ capacity, hasExpiries }: NumberTableOptions): number {
  return formatWith(hasExpiries).regionBytes(capacity)
}

/** A table to be filled, once, by one thread. */
export function createNumberTable({ capacity, hasExpiries }: NumberTableOptions): NumberTableWriter {
  assertCapacity(NAME, capacity, NUMBER_TABLE_CAPACITY_MAX)
  const memory = new SharedArrayBuffer(numberTableBytes({ capacity, hasExpiries }))
  const header = new Uint32Array(memory, 0, HEADER_WORDS)
  header.set([MAGIC, VERSION, capacity, Number(hasExpiries), 0])
  const { firsts, starts, rests, expires } = viewsOf(memory, capacity, hasExpiries, blocksMax(capacity))
  let total = 0
  let blocks = 0
  let first = 0
  let last = Number.NEGATIVE_INFINITY

  return {
    memory,
    add(numbers, given, count) {
      if (total + count > capacity) return false
      for (let index = 0; index < count; index++) {
        const number = numbers[index]!
        if (!(number > last)) return false
        if (blocks === 0 || total - starts[blocks - 1]! === BLOCK_NUMBERS || number - first >= BLOCK_SPAN) {
          if (blocks === firsts.length) return false
          first = number
          firsts[blocks] = number
          starts[blocks++] = total
        }
        if (hasExpiries) expires[total] = given[index]!
        else if (given[index] !== EXPIRES_NEVER) return false
        rests[total++] = number - first
        last = number
      }
      return true
    },
    finish() {
      starts[blocks] = total
      header[BLOCK_COUNT_WORD] = blocks
      return total === capacity
    },
  }
}

/** Throws SNAPSHOT_FORMAT when the memory holds something else. */
export function openNumberTable(memory: SharedArrayBuffer): NumberTable {
  if (memory.byteLength < HEADER_BYTES) throw refusal({ name: NAME }, `The buffer is too short for a ${NAME}.`)
  const header = new Uint32Array(memory, 0, HEADER_WORDS)
  const hasExpiries = header[HAS_EXPIRIES_WORD] === 1
  const capacity = openRegion(formatWith(hasExpiries), memory)
  const blockCount = header[BLOCK_COUNT_WORD]!
  if (blockCount > blocksMax(capacity)) {
    throw refusal({ name: NAME }, `A ${NAME} of ${capacity} cannot have ${blockCount} blocks.`)
  }
  return { blockCount, ...viewsOf(memory, capacity, hasExpiries, blocksMax(capacity)) }
}

function viewsOf(memory: SharedArrayBuffer, capacity: number, hasExpiries: boolean, blocks: number) {
  const expiresAt = HEADER_BYTES + blocks * 8
  const expiresCount = hasExpiries ? capacity : 0
  const startsAt = expiresAt + expiresCount * 8
  return {
    firsts: new Float64Array(memory, HEADER_BYTES, blocks),
    expires: new Float64Array(memory, expiresAt, expiresCount),
    starts: new Uint32Array(memory, startsAt, blocks + 1),
    rests: new Uint32Array(memory, startsAt + (blocks + 1) * 4, capacity),
  }
}

/** What the layer says of a number. Any thread, no allocation. */
export function numberTableState(table: NumberTable, number: number, nowMs: number): EntryState {
  const index = findNumber(table, number)
  if (index < 0) return ENTRY_ABSENT
  if (table.expires.length === 0) return ENTRY_PRESENT
  const expiresMs = table.expires[index]!
  if (expiresMs === EXPIRES_REMOVED) return ENTRY_REMOVED
  return nowMs > expiresMs ? ENTRY_EXPIRED : ENTRY_PRESENT
}

/** Index in `rests`, -1 when it is not there. */
function findNumber({ firsts, starts, rests, blockCount }: NumberTable, number: number): number {
  if (blockCount === 0) return -1
  // As in findSegment (intervals.ts): always halves, the comparison a mask.
  let block = 0
  for (let length = blockCount; length > 1; ) {
    const half = length >>> 1
    block += half & -Number(firsts[block + half]! <= number)
    length -= half
  }
  const first = firsts[block]!
  const wanted = number - first
  if (wanted < 0 || wanted >= BLOCK_SPAN) return -1
  const start = starts[block]!
  const end = starts[block + 1]!
  // The last block has no neighbour to guess the slope from: a bisection then, by steps that double.
  const span = block + 1 < blockCount ? firsts[block + 1]! - first : BLOCK_SPAN
  return findRest(rests, start, end, Math.floor((wanted / span) * (end - start)), wanted >>> 0)
}

/** `guess`: how far from start it may be. */
function findRest(rests: Uint32Array, start: number, end: number, guess: number, wanted: number): number {
  let low = start
  let high = end - 1
  let at = Math.min(start + guess, high)
  let step = 8
  // Until low..high is what the last step jumped over.
  if (rests[at]! <= wanted) {
    low = at
    while (low + step <= high && rests[low + step]! <= wanted) {
      low += step
      step *= 2
    }
    high = Math.min(high, low + step)
  } else {
    high = at
    while (high - step >= low && rests[high - step]! > wanted) {
      high -= step
      step *= 2
    }
    low = Math.max(low, high - step)
  }
  while (low < high) {
    at = (low + high + 1) >>> 1
    if (rests[at]! <= wanted) low = at
    else high = at - 1
  }
  return rests[low] === wanted ? low : -1
}
