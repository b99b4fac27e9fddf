/**
 * The stored form of a layer: sorted numbers packed into blocks of about one page.
 *
 * One row a number would cost 31 bytes and one B-tree insertion each, 4.5 s for 10 M; a block costs 4 bytes a number
 * and one insertion a thousand: 0.3 s for 10 M. The price is a directory, the first number of every block (80 KB for 10 M numbers), which a reader
 * keeps in memory: a look-up is a binary search there, one get, and a binary search in the block. Dictionary id and expiry lie in
 * the block, so a look-up needs no second read.
 *
 * ```
 * block (all little-endian)            directory          range chunk
 *   0 u8   format version 1              0 u8  version 1    0 u8   version 1
 *   1 u8   flags                         4 u32 blocks       4 u32  count
 *   2 u16  count, 1..BLOCK_NUMBERS       8 f64 x blocks     8 f64 x count from, f64 x count to, u32 x count details
 *   4 u32  stamp, 0: unknown               u32 stamp
 *   8 f64  first number
 *  16 u32 x count  number - first, ascending
 *     u32 x count  details as in LayerContents   (flag HAS_DETAILS)
 *     f64 x count  expiresMs, Infinity: never    (flag HAS_EXPIRY)
 * ```
 *
 * A layer may be replaced under its id by another one with another stamp (write-rows.ts). Whoever keeps a directory sees from
 * the stamp in the block that it is not that directory's, and reads the directory anew.
 */
import { ScreeningError } from '../../domain/errors.ts'
import {
  ENTRY_ABSENT,
  ENTRY_EXPIRED,
  ENTRY_PRESENT,
  ENTRY_REMOVED,
  type EntryState,
  EXPIRES_NEVER,
  EXPIRES_REMOVED,
} from '../../domain/lookup.ts'
import { type LayerContents, NO_DETAILS, REMOVED } from '../ports.ts'

export const LAYER_FORMAT = 1
export const HAS_DETAILS = 1
export const HAS_EXPIRY = 2

/** 16 + 4 x 1,008 bytes and a page header of at most 24 fill one 4 KiB overflow page; with details two, with expiry four. */
export const BLOCK_NUMBERS = 1_008
export const BLOCK_HEADER_BYTES = 16
const BLOCK_STAMP_AT = 4
export const BLOCK_BYTES_MAX = BLOCK_HEADER_BYTES + BLOCK_NUMBERS * 16

/** 200 KB a chunk. */
export const CHUNK_RANGES = 10_000
export const RANGE_BYTES = 20

/** Reading one entry's details parses this many. */
export const CHUNK_DICTIONARY = 256

export type LayerHeader = {
  readonly numberCount: number
  readonly rangeCount: number
  readonly blockCount: number
  readonly dictionaryCount: number
  /** Of the LayerRef. Missing: unknown, as in data from before it was stored. */
  readonly stamp?: number
  /** False while it is written or dropped: garbage after a crash. */
  readonly isComplete: boolean
}

/** Where the block that begins at `start` ends (exclusive): full, or too wide for 32-bit differences. */
export function blockEnd(numbers: Float64Array, start: number): number {
  let end = Math.min(start + BLOCK_NUMBERS, numbers.length)
  const limit = numbers[start]! + 4_294_967_296
  while (numbers[end - 1]! >= limit) end--
  return end
}

/** Encodes numbers start..end-1 of a layer into `into`, returns the bytes used. */
export function encodeBlock(
  contents: Pick<LayerContents, 'numbers' | 'numberDetails'>,
  expiries: Float64Array | undefined,
  start: number,
  end: number,
  into: Buffer,
): number {
  const { numbers, numberDetails } = contents
  const first = numbers[start]!
  const count = end - start
  let flags = 0
  for (let index = start; numberDetails !== undefined && index < end; index++) {
    const details = numberDetails[index]!
    if (details === NO_DETAILS) continue
    flags |= HAS_DETAILS
    if (expiresMs(expiries, details) !== Number.POSITIVE_INFINITY) flags |= HAS_EXPIRY
  }
  into.fill(0, 0, BLOCK_HEADER_BYTES)
  into[0] = LAYER_FORMAT
  into[1] = flags
  into.writeUInt16LE(count, 2)
  into.writeDoubleLE(first, 8)
  let at = BLOCK_HEADER_BYTES
  for (let index = start; index < end; index++, at += 4) into.writeUInt32LE(numbers[index]! - first, at)
  if (flags & HAS_DETAILS) {
    for (let index = start; index < end; index++, at += 4) into.writeUInt32LE(numberDetails![index]!, at)
  }
  if (flags & HAS_EXPIRY) {
    for (let index = start; index < end; index++, at += 8) {
      into.writeDoubleLE(expiresMs(expiries, numberDetails![index]!), at)
    }
  }
  return at
}

function expiresMs(expiries: Float64Array | undefined, details: number): number {
  if (expiries === undefined || details === NO_DETAILS || details === REMOVED) return Number.POSITIVE_INFINITY
  return expiries[details - 1] ?? Number.POSITIVE_INFINITY
}

/** Index of the number in the block, -1 when it is not there. No allocation. */
export function findInBlock(block: DataView, number: number): number {
  const wanted = number - block.getFloat64(8, true)
  let low = 0
  let high = block.getUint16(2, true) - 1
  while (low <= high) {
    const middle = (low + high) >>> 1
    const found = block.getUint32(BLOCK_HEADER_BYTES + middle * 4, true)
    if (found === wanted) return middle
    if (found < wanted) low = middle + 1
    else high = middle - 1
  }
  return -1
}

/** `details` as in LayerContents of the number at `index`. */
export function detailsInBlock(block: DataView, index: number): number {
  if ((block.getUint8(1) & HAS_DETAILS) === 0) return NO_DETAILS
  return block.getUint32(BLOCK_HEADER_BYTES + (block.getUint16(2, true) + index) * 4, true)
}

/** When the number at `index` expires: epoch milliseconds, EXPIRES_NEVER, or EXPIRES_REMOVED. */
function expiresInBlock(block: DataView, index: number): number {
  const flags = block.getUint8(1)
  if (flags === 0) return EXPIRES_NEVER
  if (detailsInBlock(block, index) === REMOVED) return EXPIRES_REMOVED
  if ((flags & HAS_EXPIRY) === 0) return EXPIRES_NEVER
  return block.getFloat64(BLOCK_HEADER_BYTES + block.getUint16(2, true) * 8 + index * 8, true)
}

/** What the engine wants to know about a number in a block. No allocation. */
export function stateInBlock(block: DataView, number: number, nowMs: number): EntryState {
  const index = findInBlock(block, number)
  if (index < 0) return ENTRY_ABSENT
  const expires = expiresInBlock(block, index)
  if (expires === EXPIRES_REMOVED) return ENTRY_REMOVED
  return nowMs > expires ? ENTRY_EXPIRED : ENTRY_PRESENT
}

/** Where numbers go, and what is wanted beside them. */
export type NumbersInto = {
  readonly into: Float64Array
  readonly detailsInto?: Uint32Array | undefined
  readonly expiresInto?: Float64Array | undefined
}

/** Copies the numbers of a block that are > after into `into` from `at` on, as many as fit; returns the next free index. */
export function copyBlock(
  block: DataView,
  after: number,
  at: number,
  { into, detailsInto, expiresInto }: NumbersInto,
): number {
  const first = block.getFloat64(8, true)
  const count = block.getUint16(2, true)
  let next = at
  for (let index = 0; index < count && next < into.length; index++) {
    const number = first + block.getUint32(BLOCK_HEADER_BYTES + index * 4, true)
    if (number <= after) continue
    if (detailsInto !== undefined) detailsInto[next] = detailsInBlock(block, index)
    if (expiresInto !== undefined) expiresInto[next] = expiresInBlock(block, index)
    into[next++] = number
  }
  return next
}

export function stampBlock(block: Buffer, stamp: number): void {
  block.writeUInt32LE(stamp, BLOCK_STAMP_AT)
}

export function blockStamp(block: DataView): number {
  return block.getUint32(BLOCK_STAMP_AT, true)
}

/** The first number of every block, and the stamp that the blocks carry. */
export type Directory = { readonly firsts: Float64Array; readonly stamp: number }

export function encodeDirectory(firsts: readonly number[], stamp: number): Buffer {
  const bytes = Buffer.alloc(8 + firsts.length * 8 + 4)
  bytes.writeUInt32LE(stamp, 8 + firsts.length * 8)
  bytes[0] = LAYER_FORMAT
  bytes.writeUInt32LE(firsts.length, 4)
  for (const [index, first] of firsts.entries()) bytes.writeDoubleLE(first, 8 + index * 8)
  return bytes
}

export function decodeDirectory(bytes: Buffer): Directory {
  assertFormat(bytes)
  const firsts = new Float64Array(bytes.readUInt32LE(4))
  for (let index = 0; index < firsts.length; index++) firsts[index] = bytes.readDoubleLE(8 + index * 8)
  const stampAt = 8 + firsts.length * 8
  // Directories of before stamps were stored end here.
  return { firsts, stamp: bytes.length < stampAt + 4 ? 0 : bytes.readUInt32LE(stampAt) }
}

/** Index of the block that may hold the number, -1 when it lies before the first. */
export function findBlock({ firsts }: Directory, number: number): number {
  let low = 0
  let high = firsts.length - 1
  while (low <= high) {
    const middle = (low + high) >>> 1
    if (firsts[middle]! <= number) low = middle + 1
    else high = middle - 1
  }
  return high
}

export function encodeRanges(contents: LayerContents, start: number, end: number): Buffer {
  const count = end - start
  const bytes = Buffer.alloc(8 + count * RANGE_BYTES)
  bytes[0] = LAYER_FORMAT
  bytes.writeUInt32LE(count, 4)
  for (let index = 0; index < count; index++) {
    bytes.writeDoubleLE(contents.rangesFrom[start + index]!, 8 + index * 8)
    bytes.writeDoubleLE(contents.rangesTo[start + index]!, 8 + (count + index) * 8)
    bytes.writeUInt32LE(contents.rangeDetails?.[start + index] ?? NO_DETAILS, 8 + count * 16 + index * 4)
  }
  return bytes
}

/** Decodes a chunk into the three arrays from `at` on; returns how many ranges it held. */
export function decodeRanges(
  bytes: Buffer,
  at: number,
  from: Float64Array,
  to: Float64Array,
  details: Uint32Array,
): number {
  assertFormat(bytes)
  const count = bytes.readUInt32LE(4)
  for (let index = 0; index < count; index++) {
    from[at + index] = bytes.readDoubleLE(8 + index * 8)
    to[at + index] = bytes.readDoubleLE(8 + (count + index) * 8)
    details[at + index] = bytes.readUInt32LE(8 + count * 16 + index * 4)
  }
  return count
}

function assertFormat(bytes: Uint8Array): void {
  if (bytes[0] === LAYER_FORMAT) return
  throw new ScreeningError('STORAGE_FORMAT', `A stored layer has format ${bytes[0]}, expected ${LAYER_FORMAT}.`)
}
