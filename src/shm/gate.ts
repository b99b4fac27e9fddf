/**
 * A gate answers "nothing is known about this number" from shared memory, without touching the store.
 *
 * ```
 *   number ─▶ two 32-bit mixes ─▶ first:  which block (512 bits, 64 bytes: one cache line)
 *                             └─▶ second: one bit in each of the block's 8 sections of 64 bits
 * ```
 * A blocked Bloom filter (Putze, Sanders, Singler, "Cache-, Hash- and Space-Efficient Bloom Filters", 2007), split into
 * sections so that the eight bits never fall on each other (as in Apache Impala's and Parquet's split-block filter).
 * The trade: a plain Bloom filter of the same size is wrong 0.05 % of the time but touches up to 11 cache lines; this
 * one touches one and is wrong GATE_FALSE_POSITIVE_RATE of the time when full. A wrong "maybe" costs one exact look-up.
 *
 * The invariant: a number that was added is never answered "no". Bits are only ever set, and by one writer per gate;
 * readers need no lock, because every word is read whole and a missing bit can only mean "not added yet".
 * Gates grow by being rebuilt and swapped (gate-writer.ts), never in place.
 */
import { checksumWords } from './checksum.ts'
import { mixNumber, mixNumberAgain } from './hash.ts'
import {
  assertCapacity,
  checkHead,
  createRegion,
  HEADER_BYTES,
  HEADER_WORDS,
  magicOf,
  openRegion,
  type RegionFormat,
  refusal,
} from './layout.ts'

/** 2 bytes a number: 20 MB for 10 M. 12 bits would be wrong 0.43 % of the time, 20 bits 0.023 %. */
export const GATE_BITS_PER_KEY = 16

/** Share of absent numbers a full gate answers "maybe" to; measured by test/property/gate.test.ts and bench/micro/gate.ts. */
export const GATE_FALSE_POSITIVE_RATE = 0.001

/**
 * What the gate of a layer has: an exact table stands behind it, so a wrong "maybe" costs 0.7 µs. At 12 bits 0.42 % of absent numbers pay
 * that, 3 ns in the mean, for a quarter less memory.
 */
const LAYER_GATE_BITS = 12

/** 2^29 numbers are 1 GiB: more than every number of the largest country. */
export const GATE_CAPACITY_MAX = 2 ** 29

const BLOCK_BITS = 512
const BLOCK_WORDS = BLOCK_BITS / 32

// Words of the head beyond layout.ts.
const COUNT_WORD = 3
const CHECKSUM_WORD = 4
const STAMP_WORD = 5

const FORMAT: RegionFormat = { name: 'gate', magic: magicOf('ZGAT'), version: 1, regionBytes: gateBytes }

/** An opened gate. Cheap to open; every thread opens its own over the same memory. */
export type Gate = {
  readonly memory: SharedArrayBuffer
  readonly header: Uint32Array
  readonly words: Uint32Array
  /** Blocks / 2^32: maps the first mix to a block without a division, for any number of blocks. */
  readonly blockScale: number
  readonly capacity: number
}

function gateBytes(capacity: number): number {
  return HEADER_BYTES + Math.max(1, Math.ceil((capacity * GATE_BITS_PER_KEY) / BLOCK_BITS)) * (BLOCK_BITS / 8)
}

/** An empty gate for `capacity` numbers at GATE_BITS_PER_KEY. More may be added: it only gets wrong "maybe" more often. */
export function createGate(capacity: number): SharedArrayBuffer {
  assertCapacity('gate', capacity, GATE_CAPACITY_MAX)
  return createRegion(FORMAT, capacity)
}

/** An empty gate for the numbers of a layer, at LAYER_GATE_BITS each. */
export function createLayerGate(numberCount: number): SharedArrayBuffer {
  return createGate(Math.ceil((numberCount * LAYER_GATE_BITS) / GATE_BITS_PER_KEY))
}

/** A gate that says "maybe" to every number: for whoever asks the store anyway and saves building one. */
export function createFullGate(): SharedArrayBuffer {
  const memory = createGate(1)
  openGate(memory).words.fill(0xffff_ffff)
  return memory
}

/** Throws SNAPSHOT_FORMAT when the memory holds something else. */
export function openGate(memory: SharedArrayBuffer): Gate {
  const capacity = openRegion(FORMAT, memory)
  const words = new Uint32Array(memory, HEADER_BYTES)
  return {
    memory,
    header: new Uint32Array(memory, 0, HEADER_WORDS),
    words,
    blockScale: words.length / BLOCK_WORDS / 2 ** 32,
    capacity,
  }
}

/**
 * Adds one number (an integer below 2^53). Only the gate's one writer may call it. When it returns, a look-up in any
 * thread that starts later says "maybe".
 */
export function gateAdd(gate: Gate, number: number): void {
  const added = setBits(gate.words, gate.blockScale, number)
  // Pairs with nothing that reads the count: a sequentially consistent write after the bits drains them to every thread
  // before the caller can tell anybody that the number is in.
  Atomics.add(gate.header, COUNT_WORD, added)
}

/** Adds numbers[from..to). Same rules as gateAdd; faster by a full fence a number. */
export function gateAddAll(gate: Gate, numbers: Float64Array, from = 0, to = numbers.length): void {
  const { words, blockScale } = gate
  let added = 0
  for (let i = from; i < to; i++) added += setBits(words, blockScale, numbers[i]!)
  // As in gateAdd: publishes all bits above at once.
  Atomics.add(gate.header, COUNT_WORD, added)
}

/** Word index of the line of the number, for who loads it before it is asked for. */
export function gateLine({ blockScale }: Gate, number: number): number {
  return (((mixNumber(number) >>> 0) * blockScale) >>> 0) * BLOCK_WORDS
}

/** False: the number was certainly not added. True: look it up. Any thread, no allocation, 1 cache line. */
export function gateHas(gate: Gate, number: number): boolean {
  const words = gate.words
  const base = (((mixNumber(number) >>> 0) * gate.blockScale) >>> 0) * BLOCK_WORDS
  const bits = mixNumberAgain(number)
  const bit0 = bits >>> 26
  const bit1 = Math.imul(bits, MULTIPLIER_1) >>> 26
  const bit2 = Math.imul(bits, MULTIPLIER_2) >>> 26
  const bit3 = Math.imul(bits, MULTIPLIER_3) >>> 26
  // The low bit of each shifted word is the wanted bit (a shift count counts modulo 32). Four without a branch, then one
  // branch that 97 % of absent numbers take: predictable, where a branch per bit is not.
  const firstHalf =
    (words[base + (bit0 >>> 5)]! >>> bit0) &
    (words[base + 2 + (bit1 >>> 5)]! >>> bit1) &
    (words[base + 4 + (bit2 >>> 5)]! >>> bit2) &
    (words[base + 6 + (bit3 >>> 5)]! >>> bit3)
  if ((firstHalf & 1) === 0) return false
  const bit4 = Math.imul(bits, MULTIPLIER_4) >>> 26
  const bit5 = Math.imul(bits, MULTIPLIER_5) >>> 26
  const bit6 = Math.imul(bits, MULTIPLIER_6) >>> 26
  const bit7 = Math.imul(bits, MULTIPLIER_7) >>> 26
  const secondHalf =
    (words[base + 8 + (bit4 >>> 5)]! >>> bit4) &
    (words[base + 10 + (bit5 >>> 5)]! >>> bit5) &
    (words[base + 12 + (bit6 >>> 5)]! >>> bit6) &
    (words[base + 14 + (bit7 >>> 5)]! >>> bit7)
  return (secondHalf & 1) === 1
}

// Odd multipliers of the Parquet split-block filter: each section takes the top six bits of its own product.
const MULTIPLIERS = Int32Array.of(1, 0x44974d91, 0xa2b7289d, 0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31, 0x47b6137b)
const MULTIPLIER_1 = 0x44974d91
const MULTIPLIER_2 = 0xa2b7289d | 0
const MULTIPLIER_3 = 0x705495c7
const MULTIPLIER_4 = 0x2df1424b
const MULTIPLIER_5 = 0x9efc4947 | 0
const MULTIPLIER_6 = 0x5c6bfb31
const MULTIPLIER_7 = 0x47b6137b

/** Sets the eight bits of a number; 1 when any was new, else 0. */
function setBits(words: Uint32Array, blockScale: number, number: number): number {
  const base = (((mixNumber(number) >>> 0) * blockScale) >>> 0) * BLOCK_WORDS
  const bits = mixNumberAgain(number)
  let missing = 0
  for (let section = 0; section < 8; section++) {
    const bit = Math.imul(bits, MULTIPLIERS[section]!) >>> 26
    const index = base + section * 2 + (bit >>> 5)
    const word = words[index]!
    const mask = 1 << (bit & 31)
    missing |= ~word & mask
    words[index] = word | mask
  }
  return missing === 0 ? 0 : 1
}

/** Share of set bits, 0..1: 0.4 when full. The eighth power is about the share of wrong "maybe". For metrics: O(size). */
export function gateFill(gate: Gate): number {
  let bits = 0
  for (let i = 0; i < gate.words.length; i++) {
    let word = gate.words[i]!
    word -= (word >>> 1) & 0x55555555
    word = (word & 0x33333333) + ((word >>> 2) & 0x33333333)
    bits += Math.imul((word + (word >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
  }
  return bits / (gate.words.length * 32)
}

/**
 * How many different numbers were added: adding one again does not count, and one in GATE_FALSE_POSITIVE_RATE is missed.
 * gateMerge (gate-merge.ts) does not count. Rebuild when it passes gateCapacity.
 */
export function gateCount(gate: Gate): number {
  // Pairs with the Atomics.add in gateAdd and gateAddAll: another thread sees a count whose bits are in.
  return Atomics.load(gate.header, COUNT_WORD)
}

/** The number of keys the gate was sized for. */
export function gateCapacity(gate: Gate): number {
  return gate.capacity
}

/**
 * A snapshot of the gate with its checksum, ready for a file. Bits set while it is being copied may or may not be in it:
 * whoever restores it replays the changes since. `stamp` (32 bits) names the contents it was made of.
 */
export function gateToBytes(memory: SharedArrayBuffer, stamp: number): Uint8Array {
  openRegion(FORMAT, memory)
  const bytes = new Uint8Array(memory.byteLength)
  bytes.set(new Uint8Array(memory))
  const words = new Uint32Array(bytes.buffer)
  words[STAMP_WORD] = stamp
  words[CHECKSUM_WORD] = snapshotChecksum(words)
  return bytes
}

/**
 * The gate in a snapshot of the contents that `stamp` names: a copy, or the memory of `bytes` itself when it is shared memory and holds nothing
 * else. Throws SNAPSHOT_FORMAT when it is of other contents, corrupted,
 * cut short, too long, or of another version.
 */
export function gateFromBytes(bytes: Uint8Array, stamp: number): SharedArrayBuffer {
  if (bytes.byteLength < HEADER_BYTES) {
    throw refusal(FORMAT, `The gate snapshot is cut short: it has ${bytes.byteLength} bytes.`)
  }
  // Not bytes.slice: a Buffer, which file readers return, overrides it with a view of its pool.
  const head = new Uint32Array(Uint8Array.from(bytes.subarray(0, HEADER_BYTES)).buffer)
  const capacity = checkHead(FORMAT, head)
  if (capacity > GATE_CAPACITY_MAX || gateBytes(capacity) !== bytes.byteLength) {
    throw refusal(FORMAT, `The gate snapshot for ${capacity} numbers has ${bytes.byteLength} bytes: it is damaged.`)
  }
  const memory = ownMemoryOf(bytes)
  const words = new Uint32Array(memory)
  const expected = words[CHECKSUM_WORD]!
  if (snapshotChecksum(words) !== expected) {
    throw refusal(FORMAT, 'The gate snapshot does not match its checksum: it is damaged.')
  }
  if (words[STAMP_WORD] !== stamp) {
    throw refusal(FORMAT, 'The gate snapshot was made of other contents.')
  }
  words[CHECKSUM_WORD] = 0
  words[STAMP_WORD] = 0
  return memory
}

function ownMemoryOf(bytes: Uint8Array): SharedArrayBuffer {
  const { buffer, byteLength } = bytes
  if (buffer instanceof SharedArrayBuffer && buffer.byteLength === byteLength) return buffer
  const memory = new SharedArrayBuffer(byteLength)
  new Uint8Array(memory).set(bytes)
  return memory
}

/** Over the whole snapshot, with 0 in place of the checksum itself. */
function snapshotChecksum(words: Uint32Array): number {
  const stored = words[CHECKSUM_WORD]!
  words[CHECKSUM_WORD] = 0
  const sum = checksumWords(words, 0)
  words[CHECKSUM_WORD] = stored
  return sum
}
