/**
 * Long talks of numbers that somebody may have reported, from the verdict threads to the main thread of their process.
 *
 * ```
 *   head: taken, written │ ring of slots: serial │ hash of the callee │ caller low │ caller high, ingress kind
 * ```
 * It may lose: a thread that meets another one at the same moment, or a full ring, gives its talk up. Many threads write,
 * one reads; nobody waits.
 */
import { mixNumber } from './hash.ts'
import {
  assertCapacity,
  createRegion,
  HEADER_WORDS,
  magicOf,
  openRegion,
  powerOfTwoAtLeast,
  type RegionFormat,
} from './layout.ts'

export const LONG_TALKS_MAX = 2 ** 20

// Words of the region's head beyond layout.ts: slots read, slots given to writers, both since the start.
const READ = 3
const GIVEN = 4

const SLOT_WORDS = 4
const HIGH_BITS = 24
const HIGH_MASK = (1 << HIGH_BITS) - 1

const FORMAT: RegionFormat = {
  name: 'ring of long talks',
  magic: magicOf('ZLTK'),
  version: 1,
  regionBytes: (slots) => (HEADER_WORDS + slots * SLOT_WORDS) * 4,
}

export type LongTalks = { readonly words: Int32Array; readonly mask: number }

/** Room for so many talks between two visits of the reader, rounded up to a power of two; 16 bytes each. */
export function createLongTalks(slots: number): SharedArrayBuffer {
  assertCapacity(FORMAT.name, slots, LONG_TALKS_MAX)
  return createRegion(FORMAT, powerOfTwoAtLeast(slots))
}

/** Throws SNAPSHOT_FORMAT when the memory holds something else. */
export function openLongTalks(memory: SharedArrayBuffer): LongTalks {
  return { mask: openRegion(FORMAT, memory) - 1, words: new Int32Array(memory) }
}

/**
 * Notes that `callee` talked for long with `caller`, who called on this kind of ingress (INGRESS_KINDS index). False: it is
 * lost, and nothing else happens. Any thread, no allocation.
 */
export function noteLongTalk({ words, mask }: LongTalks, caller: number, callee: number, ingress: number): boolean {
  // Pairs with the store in takeLongTalks: a slot is written again only after it was read.
  const given = Atomics.load(words, GIVEN)
  if (((given - Atomics.load(words, READ)) | 0) > mask) return false
  // Pairs with the same in other threads: each gets a slot of its own.
  if (Atomics.compareExchange(words, GIVEN, given, (given + 1) | 0) !== given) return false
  const at = HEADER_WORDS + (given & mask) * SLOT_WORDS
  words[at + 1] = mixNumber(callee)
  words[at + 2] = caller | 0
  words[at + 3] = (ingress << HIGH_BITS) | (caller / 2 ** 32)
  // Pairs with the load in takeLongTalks: the slot is whole before it has its serial.
  Atomics.store(words, at, (given + 1) | 0)
  return true
}

/**
 * Hands over what was noted since the last time, oldest first, `max` at most: the caller, the ingress kind and a hash of
 * the callee. For one reader.
 */
export function takeLongTalks(
  { words, mask }: LongTalks,
  max: number,
  onTalk: (caller: number, ingress: number, calleeHash: number) => void,
): void {
  let read = words[READ]!
  for (let taken = 0; taken < max; taken++) {
    const at = HEADER_WORDS + (read & mask) * SLOT_WORDS
    const serial = (read + 1) | 0
    // Pairs with the store in noteLongTalk.
    if (Atomics.load(words, at) !== serial) return
    const high = words[at + 3]!
    onTalk((high & HIGH_MASK) * 2 ** 32 + (words[at + 2]! >>> 0), high >>> HIGH_BITS, words[at + 1]!)
    read = serial
    // Pairs with the load in noteLongTalk.
    Atomics.store(words, READ, read)
  }
}
