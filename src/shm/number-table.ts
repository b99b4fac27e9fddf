/**
 * The numbers of one layer of a list, exactly, in a byte or less each: what a gate calls "maybe" is confirmed here.
 *
 * ```
 *   firsts   the first number of every block ── bisection ─▶ block ── places ─▶ its words (number-block.ts)
 *   expires  only where anything expires or is removed: 8 bytes more a number
 * ```
 * A block says of up to 1,024 numbers how far each is above its first (Elias-Fano codes): 2 bits and the logarithm of their mean
 * distance. 100 million numbers of a country's thousand million take 71 MB, 10 million 11 MB. A look-up touches two or three lines
 * beside each other, and those of the bisection, which stay in the cache.
 *
 * A block ends when it is full, or when the next number is 2^32 or more above its first. How many end early cannot be known before, so a
 * table has room for GAPS_MAX of them; a layer that has more of them (there are that many only where numbers of all lengths
 * from all over the world are mixed) gets no table.
 *
 * How small numbers get cannot be known before either. So a region is as large as the worst would need, and filled from its front: pages that
 * are never touched are never given to the process by the kernel. numberTableBytesUsed says what is.
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
import { BLOCK_NUMBERS, BLOCK_SPAN, findInBlock, WORDS_BESIDE_NUMBERS, writeBlock } from './number-block.ts'

/** As in a gate: more than every number of the largest country. */
export const NUMBER_TABLE_CAPACITY_MAX = 2 ** 29
/** 128 KiB at most. */
export const GAPS_MAX = 4_096

// Words of the head beyond layout.ts; the capacity is the count of numbers.
const HAS_EXPIRIES_WORD = 3
const BLOCK_COUNT_WORD = 4
const USED_WORD = 5

const MAGIC = magicOf('ZNUM')
const VERSION = 2
const NAME = 'number table'

/** An opened table. Cheap to open; every thread opens its own over the same memory. */
export type NumberTable = {
  readonly blockCount: number
  readonly firsts: Float64Array
  /** Two of each block: where in `words` it begins, and how many numbers are before it. */
  readonly places: Uint32Array
  readonly words: Uint32Array
  /** Epoch milliseconds, EXPIRES_NEVER or EXPIRES_REMOVED by index of the number; empty when all count for ever. */
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
  /** Of it in use so far. */
  readonly bytesUsed: number
  /**
   * Adds numbers[0..count), ascending, above all before; `expires` in step with it. False: this table cannot hold the layer
   * (it has expiries and `hasExpiries` is not set, more numbers than it said, gaps beyond GAPS_MAX), or they are not ascending: it must be dropped.
   */
  add(numbers: Float64Array, expires: Float64Array, count: number): boolean
  /** False when numbers are missing, or one gap was too many. After it the table may be opened. */
  finish(): boolean
}

function blocksMax(capacity: number): number {
  return Math.ceil(capacity / BLOCK_NUMBERS) + Math.min(capacity, GAPS_MAX)
}

/** Two words after the last block may be read with it. */
function wordsMax(capacity: number): number {
  return capacity + blocksMax(capacity) * WORDS_BESIDE_NUMBERS + 2
}

function formatWith(hasExpiries: boolean): RegionFormat {
  return {
    name: NAME,
    magic: MAGIC,
    version: VERSION,
    regionBytes: (capacity) =>
      HEADER_BYTES + blocksMax(capacity) * 16 + (hasExpiries ? capacity * 8 : 0) + wordsMax(capacity) * 4,
  }
}

/** What a table takes at least: numbers that follow each other without a gap. */
export function numberTableBytesLeast({ capacity, hasExpiries }: NumberTableOptions): number {
  return HEADER_BYTES + Math.floor(capacity / 4) + (hasExpiries ? capacity * 8 : 0)
}

/** What a finished table takes. Beyond it nothing of the region was touched. Throws as openNumberTable does. */
export function numberTableBytesUsed(memory: SharedArrayBuffer): number {
  const { blockCount, expires } = openNumberTable(memory)
  return bytesUsed(blockCount, expires.length, new Uint32Array(memory, 0, HEADER_WORDS)[USED_WORD]!)
}

function bytesUsed(blocks: number, expires: number, words: number): number {
  return HEADER_BYTES + blocks * 16 + expires * 8 + words * 4
}

/** A table to be filled, once, by one thread. */
export function createNumberTable({ capacity, hasExpiries }: NumberTableOptions): NumberTableWriter {
  assertCapacity(NAME, capacity, NUMBER_TABLE_CAPACITY_MAX)
  const memory = new SharedArrayBuffer(formatWith(hasExpiries).regionBytes(capacity))
  const header = new Uint32Array(memory, 0, HEADER_WORDS)
  header.set([MAGIC, VERSION, capacity, Number(hasExpiries), 0, 0])
  const { firsts, places, words, expires } = viewsOf(memory, capacity, hasExpiries)
  /** Of the block that is open: how far its numbers are above its first. */
  const rests = new Uint32Array(BLOCK_NUMBERS)
  let restCount = 0
  let blocks = 0
  let used = 0
  let total = 0
  let first = 0
  let last = Number.NEGATIVE_INFINITY

  /** False: there were too many gaps. */
  function close(): boolean {
    if (restCount === 0) return true
    if (blocks === firsts.length) return false
    firsts[blocks] = first
    places[2 * blocks] = used
    places[2 * blocks + 1] = total - restCount
    used = writeBlock(words, used, rests, restCount)
    blocks++
    restCount = 0
    return true
  }

  return {
    memory,
    get bytesUsed() {
      return bytesUsed(blocks, hasExpiries ? total : 0, used)
    },
    add(numbers, given, count) {
      if (total + count > capacity) return false
      for (let index = 0; index < count; index++) {
        const number = numbers[index]!
        if (!(number > last)) return false
        if ((restCount === BLOCK_NUMBERS || number - first >= BLOCK_SPAN) && !close()) return false
        if (restCount === 0) first = number
        if (hasExpiries) expires[total] = given[index]!
        else if (given[index] !== EXPIRES_NEVER) return false
        rests[restCount++] = number - first
        total++
        last = number
      }
      return true
    },
    finish() {
      if (!close()) return false
      header[BLOCK_COUNT_WORD] = blocks
      header[USED_WORD] = used
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
  return { blockCount, ...viewsOf(memory, capacity, hasExpiries) }
}

function viewsOf(memory: SharedArrayBuffer, capacity: number, hasExpiries: boolean) {
  const blocks = blocksMax(capacity)
  const expiresAt = HEADER_BYTES + blocks * 8
  const expiresCount = hasExpiries ? capacity : 0
  const placesAt = expiresAt + expiresCount * 8
  return {
    firsts: new Float64Array(memory, HEADER_BYTES, blocks),
    expires: new Float64Array(memory, expiresAt, expiresCount),
    places: new Uint32Array(memory, placesAt, blocks * 2),
    words: new Uint32Array(memory, placesAt + blocks * 8, wordsMax(capacity)),
  }
}

/** What the layer says of a number. Any thread, no allocation. */
export function numberTableState(table: NumberTable, number: number, nowMs: number): EntryState {
  const { firsts, blockCount, expires } = table
  if (blockCount === 0) return ENTRY_ABSENT
  // As in findSegment (intervals.ts): always halves, the comparison a mask.
  let block = 0
  for (let length = blockCount; length > 1; ) {
    const half = length >>> 1
    block += half & -Number(firsts[block + half]! <= number)
    length -= half
  }
  const rest = number - firsts[block]!
  if (rest < 0 || rest >= BLOCK_SPAN) return ENTRY_ABSENT
  const index = findInBlock(table.words, table.places[2 * block]!, rest >>> 0)
  if (index < 0) return ENTRY_ABSENT
  if (expires.length === 0) return ENTRY_PRESENT
  const expiresMs = expires[table.places[2 * block + 1]! + index]!
  if (expiresMs === EXPIRES_REMOVED) return ENTRY_REMOVED
  return nowMs > expiresMs ? ENTRY_EXPIRED : ENTRY_PRESENT
}
