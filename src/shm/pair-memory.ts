/** How the memory of pairs lies in its buffer; what it means stands in pairs.ts. */

import { AHEAD_MAX } from './ahead.ts'
import {
  assertCapacity,
  createRegion,
  HEADER_BYTES,
  HEADER_WORDS,
  lineFrom,
  magicOf,
  openRegion,
  type RegionFormat,
} from './layout.ts'
import { BLOCK_BITS, BLOCK_WORDS } from './pair-block.ts'
import { createPairHasher, type PairHasher } from './pair-hash.ts'

/** Today and seven days back. */
export const PAIR_DAYS = 8

/** Wrong about 0.02 % of absent pairs when full, all eight days together about 0.2 %; 16 bits would be 0.8 %. */
export const PAIR_BITS = 22

/** 2^26 pairs a day are 2.1 GiB. */
export const PAIRS_PER_DAY_MAX = 2 ** 26

export const MINUTE_MS = 60_000
export const DAY_MINUTES = 1_440

// Words of the head beyond layout.ts. Minutes are epoch minutes: small integers, and fine enough for days.
/** The memory is complete from the beginning of this minute on; 0: it was never rotated. */
export const SINCE_MINUTE = 3
/** The latest minute the rotation has seen. */
export const LAST_MINUTE = 4
/** 1: a note found no filter for its day. */
export const MISSED = 5

// Words of a day's line of counts.
export const COUNT_WORDS = HEADER_WORDS
export const COUNT = 0
export const FULL = 1
/** Where the two words of a relation begin in the line. */
const CONTACTS_AT = 0
const CALLS_AT = 2

const DAYS_BYTES = HEADER_BYTES + 64
/** Blocks are whole lines. */
const BODY_BYTES = lineFrom(DAYS_BYTES + PAIR_DAYS * COUNT_WORDS * 4)

export const PAIRS_FORMAT: RegionFormat = {
  name: 'memory of pairs',
  magic: magicOf('ZPRS'),
  version: 2,
  regionBytes: (capacity) => BODY_BYTES + PAIR_DAYS * (filterBytes(contactsOf(capacity)) + filterBytes(capacity)),
}

/**
 * The eight filters of one relation: block b of slot s begins at word `b * blockStride + s * slotStride`. Contacts are asked
 * about in every call, so the blocks with the same index of all days lie side by side: one page of memory, one stream of
 * lines. Calls are only noted there, so a day's blocks are together: today's part is what the caches hold.
 */
export type Relation = {
  readonly words: Uint32Array
  readonly blocks: number
  readonly blockStride: number
  readonly slotStride: number
  /** Blocks / 2^32: maps a hash word to a block without a division. */
  readonly blockScale: number
  readonly capacity: number
  /** Where its words begin in a day's line of counts. */
  readonly at: number
}

/** An opened memory. Every thread opens its own over the same buffer. */
export type Pairs = {
  readonly memory: SharedArrayBuffer
  readonly head: Int32Array
  /** The epoch day each slot holds; 0: none. A line of its own that is written once a day. */
  readonly days: Int32Array
  readonly counts: Int32Array
  readonly contacts: Relation
  readonly calls: Relation
  /** Of the call that is being decided: one of `ahead`. */
  hasher: PairHasher
  /** Of calls that are about to be decided (see AHEAD_MAX). */
  readonly ahead: readonly PairHasher[]
  readonly capacityPerDay: number
}

/** Fewer than one pair in two that called on a day talked for a minute: half of the attempts are not even answered. */
function contactsOf(capacityPerDay: number): number {
  return Math.ceil(capacityPerDay / 2)
}

function filterBytes(capacity: number): number {
  return Math.max(1, Math.ceil((capacity * PAIR_BITS) / BLOCK_BITS)) * (BLOCK_BITS / 8)
}

/**
 * Memory for `capacityPerDay` different pairs that call on a day, and half as many that talk for a minute: 33 bytes for each
 * pair a day. Nothing is noted and nothing denied before the first rotatePairs.
 */
export function createPairs(capacityPerDay: number): SharedArrayBuffer {
  assertCapacity('memory of pairs', capacityPerDay, PAIRS_PER_DAY_MAX)
  return createRegion(PAIRS_FORMAT, capacityPerDay)
}

/** `key`: two secret words. Throws SNAPSHOT_FORMAT when the memory holds something else. */
export function openPairs(memory: SharedArrayBuffer, key: Uint32Array): Pairs {
  const capacityPerDay = openRegion(PAIRS_FORMAT, memory)
  const hasher = createPairHasher(key)
  const contacts = openRelation(memory, {
    offset: BODY_BYTES,
    capacity: contactsOf(capacityPerDay),
    at: CONTACTS_AT,
    isByDay: false,
  })
  const calls = openRelation(memory, {
    offset: BODY_BYTES + contacts.words.byteLength,
    capacity: capacityPerDay,
    at: CALLS_AT,
    isByDay: true,
  })
  return {
    memory,
    head: new Int32Array(memory, 0, HEADER_WORDS),
    days: new Int32Array(memory, HEADER_BYTES, PAIR_DAYS),
    counts: new Int32Array(memory, DAYS_BYTES, PAIR_DAYS * COUNT_WORDS),
    contacts,
    calls,
    hasher,
    ahead: [hasher, ...Array.from({ length: AHEAD_MAX - 1 }, () => createPairHasher(key))],
    capacityPerDay,
  }
}

type Layout = { readonly offset: number; readonly capacity: number; readonly at: number; readonly isByDay: boolean }

function openRelation(memory: SharedArrayBuffer, { offset, capacity, at, isByDay }: Layout): Relation {
  const blocks = filterBytes(capacity) / 4 / BLOCK_WORDS
  return {
    words: new Uint32Array(memory, offset, PAIR_DAYS * blocks * BLOCK_WORDS),
    blocks,
    blockStride: isByDay ? BLOCK_WORDS : PAIR_DAYS * BLOCK_WORDS,
    slotStride: isByDay ? blocks * BLOCK_WORDS : BLOCK_WORDS,
    blockScale: blocks / 2 ** 32,
    capacity,
    at,
  }
}

/** The first word of the block that the hash word `low` has in slot 0; that of slot s is s * slotStride further. */
export function firstBlock(relation: Relation, low: number): number {
  return (((low >>> 0) * relation.blockScale) >>> 0) * relation.blockStride
}
