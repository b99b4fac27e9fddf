/**
 * One day of the memory of pairs as bytes for a file. A day, not the whole: seven of the eight do not change any more.
 *
 * ```
 *   64 bytes: magic, version, capacity, day, checksum, mark of the key, counts │ blocks of contacts │ blocks of calls
 * ```
 * The mark is the keyed hash of a pair that cannot exist, so a file made with another key is refused instead of answering
 * at random. Little-endian, like every machine we run on.
 */
import { checksumWords } from './checksum.ts'
import { checkHead, HEADER_BYTES, HEADER_WORDS, magicOf, refusal } from './layout.ts'
import { BLOCK_WORDS } from './pair-block.ts'
import { callHash } from './pair-hash.ts'
import { COUNT_WORDS, DAY_MINUTES, MINUTE_MS, PAIR_DAYS, type Pairs, type Relation } from './pair-memory.ts'

const FORMAT = { name: 'day of pairs', magic: magicOf('ZPRD'), version: 1 }

// Words of the head beyond layout.ts.
const DAY = 3
const CHECKSUM = 4
const MARK = 5
const COUNTS = 7
/** Pairs and "full" of contacts and of calls. */
const COUNTS_KEPT = 4

/**
 * The day in `slot` (0 to PAIR_DAYS - 1), or undefined when it holds none. Pairs that are being noted meanwhile may or may
 * not be in it. Any thread; about 1 ms a MB.
 */
export function pairsToBytes(pairs: Pairs, slot: number): Uint8Array | undefined {
  const { contacts, calls, counts } = pairs
  // Pairs with the stores in prepareDay.
  const day = Atomics.load(pairs.days, slot)
  if (day === 0) return undefined
  const words = new Uint32Array(snapshotBytes(pairs) / 4)
  words[0] = FORMAT.magic
  words[1] = FORMAT.version
  words[2] = pairs.capacityPerDay
  words[DAY] = day
  words.set(keyMark(pairs), MARK)
  words.set(counts.subarray(slot * COUNT_WORDS, slot * COUNT_WORDS + COUNTS_KEPT), COUNTS)
  copyBlocks(contacts, slot, words, HEADER_WORDS, true)
  copyBlocks(calls, slot, words, HEADER_WORDS + contacts.blocks * BLOCK_WORDS, true)
  // Pairs with the first store in prepareDay: a day that was being cleared meanwhile is nobody's.
  if (Atomics.load(pairs.days, slot) !== day) return undefined
  words[CHECKSUM] = checksumWords(words, 0)
  return new Uint8Array(words.buffer)
}

/**
 * Puts a day back, before any thread notes and before the first rotatePairs. False: the day is over by more than a week, or
 * yet to come, and is left out. Throws SNAPSHOT_FORMAT when the bytes are damaged, of another version, of a memory of another
 * size, or made with another key.
 */
export function pairsFromBytes(pairs: Pairs, bytes: Uint8Array, nowMs: number): boolean {
  if (bytes.byteLength < HEADER_BYTES) {
    throw refusal(FORMAT, `The day of pairs is cut short: it has ${bytes.byteLength} bytes.`)
  }
  // Not a view: a Buffer may begin at any byte of its pool.
  const words = new Uint32Array(new Uint8Array(bytes.subarray(0, bytes.byteLength & ~3)).buffer)
  const capacity = checkHead(FORMAT, words)
  if (capacity !== pairs.capacityPerDay) {
    throw refusal(FORMAT, `The day of pairs was made for ${capacity} pairs a day, expected ${pairs.capacityPerDay}.`)
  }
  if (bytes.byteLength !== snapshotBytes(pairs)) {
    throw refusal(FORMAT, `The day of pairs has ${bytes.byteLength} bytes, expected ${snapshotBytes(pairs)}.`)
  }
  const checksum = words[CHECKSUM]!
  words[CHECKSUM] = 0
  if (checksumWords(words, 0) !== checksum) {
    throw refusal(FORMAT, 'The day of pairs does not match its checksum: it is damaged.')
  }
  const mark = keyMark(pairs)
  if (words[MARK] !== mark[0] || words[MARK + 1] !== mark[1]) {
    throw refusal(FORMAT, 'The day of pairs was made with another key.')
  }
  const day = words[DAY]!
  const age = Math.floor(nowMs / MINUTE_MS / DAY_MINUTES) - day
  if (!(age >= 0 && age < PAIR_DAYS)) return false
  restoreDay(pairs, day, words)
  return true
}

function restoreDay(pairs: Pairs, day: number, words: Uint32Array): void {
  const { contacts, calls, counts } = pairs
  const slot = day & (PAIR_DAYS - 1)
  for (let i = 0; i < COUNTS_KEPT; i++) counts[slot * COUNT_WORDS + i] = words[COUNTS + i]!
  copyBlocks(contacts, slot, words, HEADER_WORDS, false)
  copyBlocks(calls, slot, words, HEADER_WORDS + contacts.blocks * BLOCK_WORDS, false)
  // Pairs with the loads of whoever asks: the filter is whole before it has a day.
  Atomics.store(pairs.days, slot, day)
}

function snapshotBytes({ contacts, calls }: Pairs): number {
  return HEADER_BYTES + (contacts.blocks + calls.blocks) * BLOCK_WORDS * 4
}

function keyMark({ hasher }: Pairs): Uint32Array {
  const { low, high } = callHash(hasher, 1, 1)
  return Uint32Array.of(low, high)
}

function copyBlocks(relation: Relation, slot: number, day: Uint32Array, from: number, isOut: boolean): void {
  const { words, blocks, blockStride, slotStride } = relation
  let base = slot * slotStride
  for (let at = from; at < from + blocks * BLOCK_WORDS; at += BLOCK_WORDS, base += blockStride) {
    for (let i = 0; i < BLOCK_WORDS; i++) {
      if (isOut) day[at + i] = words[base + i]!
      else words[base + i] = day[at + i]!
    }
  }
}
