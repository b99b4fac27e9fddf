/**
 * Reputation records (domain/reputation.ts) of numbers, copied from the record so that a call need not read them from disk.
 *
 * ```
 *   number ─▶ mix ─▶ set of 4 ways ─▶ way of 256 bytes: ┌ sequence │ number: low, high │ 0 │ record, up to 232 bytes ┐
 * ```
 * A cache: what it does not have is in the record, and who finds nothing here asks there. A record of more than six reporters does not
 * fit (88 bytes and 24 for each) and stays there too. A set that is full forgets one of its numbers, in turn.
 *
 * One writer, the main thread of a verdict process, which puts what the record has when a number changes; readers copy a record out
 * under its sequence number, as in a seqlock (Boehm, "Can seqlocks get along with programming language memory models?", 2012): odd while
 * it is written, another one afterwards. The writer stores every word with Atomics, in order for all threads. A reader loads the record
 * plainly (Atomics.load is a call of 8 ns, and there are forty words), and looks at the sequence again by adding 0: a load might be
 * done before those above it, an addition is not. Nobody waits: a reader that meets the writer asks the record instead.
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

/** 4.3 GB. */
export const REPUTATIONS_MAX = 2 ** 24
/** Words of the longest record that is kept: 88 bytes and six reporters of 24. */
export const REPUTATION_WORDS_MAX = 58

const WAYS = 4
const WAY_WORDS = 64
const SET_WORDS = WAYS * WAY_WORDS
// Words of a way. The number 0 is nobody's: an empty way.
const LOW_WORD = 1
const HIGH_WORD = 2
const RECORD_WORD = 4
// Of a record: its second byte says how many reporters it has.
const HEADER_RECORD_WORDS = 22
const REPORTER_WORDS = 6
const TWO_TO_MINUS_32 = 2 ** -32

const FORMAT: RegionFormat = {
  name: 'reputation table',
  magic: magicOf('ZREP'),
  version: 1,
  regionBytes: (ways) => HEADER_BYTES + ways * WAY_WORDS * 4,
}

export type ReputationTable = { readonly words: Int32Array; readonly setMask: number }

/** Memory for `capacity` numbers, rounded up to a power of two (at least 4): 256 bytes each. */
export function createReputationTable(capacity: number): SharedArrayBuffer {
  assertCapacity(FORMAT.name, capacity, REPUTATIONS_MAX)
  return createRegion(FORMAT, powerOfTwoAtLeast(Math.max(WAYS, capacity)))
}

/** Throws SNAPSHOT_FORMAT when the memory holds something else. */
export function openReputationTable(memory: SharedArrayBuffer): ReputationTable {
  const ways = openRegion(FORMAT, memory)
  return { words: new Int32Array(memory, HEADER_BYTES), setMask: ways / WAYS - 1 }
}

/**
 * The one writer says what the record has of a number, undefined: nothing. What the table had of it is gone when this
 * returns, also when the new record is too long to be kept.
 */
export function putReputation(table: ReputationTable, number: number, record: DataView | undefined): void {
  const known = findWay(table, number)
  if (record === undefined || wordsOf(record.getInt32(0, true)) > REPUTATION_WORDS_MAX) {
    if (known >= 0) writeWay(table, known, 0, undefined)
    return
  }
  writeWay(table, known >= 0 ? known : wayFor(table, number), number, record)
}

/**
 * Copies the record of a number into `into` (REPUTATION_WORDS_MAX words, little-endian as the record is). False: not here, or
 * just being written; `into` is then worth nothing. Any thread, no allocation.
 */
export function readReputationWords(table: ReputationTable, number: number, into: Int32Array): boolean {
  const at = findWay(table, number)
  if (at < 0) return false
  const { words } = table
  // Pairs with the second store of a sequence in writeWay: what was written before it is visible.
  const sequence = Atomics.load(words, at)
  if ((sequence & 1) !== 0 || !isOf(words, at, number)) return false
  const first = words[at + RECORD_WORD]!
  const count = wordsOf(first)
  // A record that is being written may say anything.
  if (count > REPUTATION_WORDS_MAX) return false
  into[0] = first
  for (let word = 1; word < count; word++) into[word] = words[at + RECORD_WORD + word]!
  // Pairs with the first store of a sequence in writeWay: whoever loaded a word of the next record sees that it has begun.
  return Atomics.add(words, at, 0) === sequence
}

/** Words of a record that begins with this word. */
function wordsOf(first: number): number {
  return HEADER_RECORD_WORDS + REPORTER_WORDS * ((first >>> 8) & 0xff)
}

/** First word of the way that seems to have the number (a hint until its sequence was seen), -1: none. */
function findWay({ words, setMask }: ReputationTable, number: number): number {
  const mix = mixNumber(number)
  const set = (mix & setMask) * SET_WORDS
  // Begins at any of the four, so that the first is mostly the one.
  for (let turn = 0, way = mix >>> 30; turn < WAYS; turn++, way = (way + 1) & (WAYS - 1)) {
    const at = set + way * WAY_WORDS
    if (isOf(words, at, number)) return at
  }
  return -1
}

function isOf(words: Int32Array, at: number, number: number): boolean {
  return words[at + LOW_WORD] === (number | 0) && words[at + HIGH_WORD] === Math.floor(number * TWO_TO_MINUS_32)
}

/** An empty one, in the order of findWay, else the next in turn. */
function wayFor({ words, setMask }: ReputationTable, number: number): number {
  const mix = mixNumber(number)
  const set = (mix & setMask) * SET_WORDS
  let writes = 0
  for (let turn = 0, way = mix >>> 30; turn < WAYS; turn++, way = (way + 1) & (WAYS - 1)) {
    const at = set + way * WAY_WORDS
    if (isOf(words, at, 0)) return at
    writes += words[at]! >>> 1
  }
  return set + (writes & (WAYS - 1)) * WAY_WORDS
}

/** The stores of the sequence pair with the two looks at it in readReputationWords; all come in this order, for every thread. */
function writeWay({ words }: ReputationTable, at: number, number: number, record: DataView | undefined): void {
  const sequence = words[at]!
  Atomics.store(words, at, (sequence + 1) | 0)
  Atomics.store(words, at + LOW_WORD, number | 0)
  Atomics.store(words, at + HIGH_WORD, Math.floor(number * TWO_TO_MINUS_32))
  const count = record === undefined ? 0 : wordsOf(record.getInt32(0, true))
  for (let word = 0; word < count; word++)
    Atomics.store(words, at + RECORD_WORD + word, record!.getInt32(word * 4, true))
  Atomics.store(words, at, (sequence + 2) | 0)
}
