/**
 * The head every region of shared memory begins with, checked whenever one is opened.
 *
 * ```
 *   word  0 magic   1 version   2 capacity   3..15 the region's own   | byte 64: the region's body
 * ```
 * A region is one SharedArrayBuffer; its size follows from its capacity alone, so magic, version, capacity and length
 * together say whether a buffer is what the caller takes it for. 64 bytes, because a body that starts on a line of its
 * own never shares it with the head. Words are in machine order: shared memory never leaves the machine, and the
 * snapshots made of it are little-endian like every machine we run on.
 */
import { ScreeningError } from '../domain/errors.ts'

export const HEADER_BYTES = 64
export const HEADER_WORDS = HEADER_BYTES / 4

const LINE_BYTES = 64
/** glibc's calloc, which large shared buffers come from, gives memory so far into a page. Another allocator costs speed alone. */
const ALLOCATED_AT = 16

/** The first offset from `bytes` on at which a cache line begins. */
export function lineFrom(bytes: number): number {
  return Math.ceil((bytes + ALLOCATED_AT) / LINE_BYTES) * LINE_BYTES - ALLOCATED_AT
}
const MAGIC_WORD = 0
const VERSION_WORD = 1
const CAPACITY_WORD = 2

/** What a region is: `name` completes "does not hold a …" in errors, `regionBytes` maps its capacity to its length. */
export type RegionFormat = {
  readonly name: string
  readonly magic: number
  readonly version: number
  readonly regionBytes: (capacity: number) => number
}

/** Four ASCII letters as a little-endian word, so that a hex dump shows them. */
export function magicOf(letters: string): number {
  let word = 0
  for (let i = 3; i >= 0; i--) word = (word << 8) | letters.charCodeAt(i)
  return word >>> 0
}

/** Allocates a zeroed region and writes its head. */
export function createRegion(format: RegionFormat, capacity: number): SharedArrayBuffer {
  const memory = new SharedArrayBuffer(format.regionBytes(capacity))
  const words = new Uint32Array(memory, 0, HEADER_WORDS)
  words[MAGIC_WORD] = format.magic
  words[VERSION_WORD] = format.version
  words[CAPACITY_WORD] = capacity
  return memory
}

/** Of an x86 or ARM kernel, at least: larger ones are touched more than once. */
const PAGE_BYTES = 4_096

/**
 * Takes all memory of a new region from the kernel now, which else hands out each page when it is first written to: several
 * times as long as a decision, in the middle of a call. Only before another thread has the region.
 */
export function touchPages(memory: SharedArrayBuffer): void {
  const bytes = new Uint8Array(memory)
  // Writing what is there makes the page ours; reading would not.
  for (let at = 0; at < bytes.length; at += PAGE_BYTES) bytes[at] = bytes[at]!
}

/**
 * Checks the head of a region and returns its capacity. Throws SNAPSHOT_FORMAT when the buffer is another region, of
 * another version, or not as long as its capacity says.
 */
export function openRegion(format: RegionFormat, memory: SharedArrayBuffer): number {
  if (memory.byteLength < HEADER_BYTES) {
    throw refusal(format, `The buffer of ${memory.byteLength} bytes is too short to hold a ${format.name}.`)
  }
  const words = new Uint32Array(memory, 0, HEADER_WORDS)
  const capacity = checkHead(format, words)
  if (format.regionBytes(capacity) !== memory.byteLength) {
    throw refusal(
      format,
      `Expected ${format.regionBytes(capacity)} bytes for a ${format.name} of ${capacity}, got ${memory.byteLength}.`,
    )
  }
  return capacity
}

/** Checks magic and version only, for a head that was read from elsewhere, and returns the capacity it claims. */
export function checkHead(format: Omit<RegionFormat, 'regionBytes'>, words: Uint32Array): number {
  if (words[MAGIC_WORD] !== format.magic) throw refusal(format, `The data do not hold a ${format.name}.`)
  const version = words[VERSION_WORD]!
  if (version !== format.version) {
    throw refusal(format, `Got a v${version} ${format.name}, expected v${format.version}.`)
  }
  return words[CAPACITY_WORD]!
}

export function refusal(format: Pick<RegionFormat, 'name'>, message: string): ScreeningError {
  return new ScreeningError('SNAPSHOT_FORMAT', message, { region: format.name })
}

/** The smallest power of two at or above `count`: tables are sized by it so that an index is a mask away. */
export function powerOfTwoAtLeast(count: number): number {
  let size = 1
  while (size < count) size *= 2
  return size
}

/** A capacity is a programmer's or the configuration's: beyond its bounds is an assertion, not an operating error. */
export function assertCapacity(name: string, capacity: number, max: number): void {
  if (!Number.isInteger(capacity) || capacity < 0 || capacity > max) {
    throw new RangeError(`The capacity of a ${name} must be an integer from 0 to ${max}, got ${capacity}.`)
  }
}
