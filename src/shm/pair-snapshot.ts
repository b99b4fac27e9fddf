/**
 * One day of the memory of pairs as bytes for a file. A day, not the whole: seven of the eight do not change any more.
 *
 * ```
 *   64 bytes: magic, version, capacity, day, checksum, mark of the key, counts │ blocks of contacts │ blocks of calls
 * ```
 * The mark is the keyed hash of a pair that cannot exist, so a file made with another key is refused instead of answering
 * at random. The checksum is of all blocks and then of the head (with 0 for itself), whose counts are read last.
 * Little-endian, like every machine we run on.
 */
import { checksumBehindHead, createChecksum } from './checksum.ts'
import { checkHead, HEADER_BYTES, HEADER_WORDS, magicOf, refusal } from './layout.ts'
import { BLOCK_WORDS } from './pair-block.ts'
import { callHash } from './pair-hash.ts'
import { COUNT_WORDS, DAY_MINUTES, MINUTE_MS, PAIR_DAYS, type Pairs, type Relation } from './pair-memory.ts'

const FORMAT = { name: 'day of pairs', magic: magicOf('ZPRD'), version: 2 }

// Words of the head beyond layout.ts.
const DAY = 3
const CHECKSUM = 4
const MARK = 5
const COUNTS = 7
/** 32 KiB are copied at a time. */
const STEP_BLOCKS = 512
/** Pairs and "full" of contacts and of calls. */
const COUNTS_KEPT = 4

/**
 * The day in `slot` (0 to PAIR_DAYS - 1) as chunks, each good until the next step, and at last its head, which goes before
 * them; undefined when the slot holds no day. Each step takes microseconds, so that a main thread can do something else in
 * between. Pairs that are being noted meanwhile may or may not be in it.
 */
export function* pairsInSteps(pairs: Pairs, slot: number): Generator<Uint8Array, Uint8Array | undefined> {
  const { contacts, calls, counts } = pairs
  // Pairs with the stores in prepareDay.
  const day = Atomics.load(pairs.days, slot)
  if (day === 0) return undefined
  const chunk = new Uint32Array(STEP_BLOCKS * BLOCK_WORDS)
  const checksum = createChecksum()
  for (const relation of [contacts, calls]) {
    for (let block = 0; block < relation.blocks; block += STEP_BLOCKS) {
      const part = chunk.subarray(0, Math.min(STEP_BLOCKS, relation.blocks - block) * BLOCK_WORDS)
      readBlocks(relation, slot, block, part)
      checksum.add(part, 0, part.length)
      yield new Uint8Array(part.buffer, 0, part.byteLength)
    }
  }
  const head = new Uint32Array(HEADER_WORDS)
  head.set([FORMAT.magic, FORMAT.version, pairs.capacityPerDay, day])
  head.set(keyMark(pairs), MARK)
  // After the bits: a day may come back a little fuller than it is, never emptier.
  head.set(counts.subarray(slot * COUNT_WORDS, slot * COUNT_WORDS + COUNTS_KEPT), COUNTS)
  // Pairs with the first store in prepareDay: a day that was being cleared meanwhile is nobody's.
  if (Atomics.load(pairs.days, slot) !== day) return undefined
  checksum.add(head, 0, HEADER_WORDS)
  head[CHECKSUM] = checksum.finish()
  return new Uint8Array(head.buffer)
}

/** Differs when a pair was put into the slot's day since, or it holds another day. */
export function pairsMark({ days, counts }: Pairs, slot: number): string {
  const line = slot * COUNT_WORDS
  return [days[slot], ...counts.subarray(line, line + COUNTS_KEPT)].join(' ')
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
  if (checksumBehindHead(words, HEADER_WORDS) !== checksum) {
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
  const callsAt = HEADER_WORDS + contacts.blocks * BLOCK_WORDS
  writeBlocks(contacts, slot, words.subarray(HEADER_WORDS, callsAt))
  writeBlocks(calls, slot, words.subarray(callsAt))
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

/** Blocks of the slot from `block` on, as many as `into` takes. */
function readBlocks(
  { words, blockStride, slotStride }: Relation,
  slot: number,
  block: number,
  into: Uint32Array,
): void {
  let base = slot * slotStride + block * blockStride
  if (blockStride === BLOCK_WORDS) {
    into.set(words.subarray(base, base + into.length))
    return
  }
  for (let at = 0; at < into.length; at += BLOCK_WORDS, base += blockStride) {
    for (let i = 0; i < BLOCK_WORDS; i++) into[at + i] = words[base + i]!
  }
}

/** All blocks of the slot. */
function writeBlocks({ words, blockStride, slotStride }: Relation, slot: number, from: Uint32Array): void {
  let base = slot * slotStride
  for (let at = 0; at < from.length; at += BLOCK_WORDS, base += blockStride) {
    for (let i = 0; i < BLOCK_WORDS; i++) words[base + i] = from[at + i]!
  }
}
