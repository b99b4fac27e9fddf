/**
 * Who called whom in the last seven days, and who talked with whom, without keeping a number of anybody.
 *
 * ```
 *   head │ days of the 8 slots │ 8 x counts of a day │ contacts: 8 filters │ calls: 8 filters
 *   epoch day 20,784 ─▶ slot 0, day 20,785 ─▶ slot 1 … a slot is used again after 8 days
 * ```
 * Two relations: `calls` (caller to callee: an attempt happened) and `contacts` (either way: they talked for a minute or
 * more). Each has a blocked Bloom filter a day (pair-block.ts) over the keyed hash of the pair, so nobody can look a pair up
 * without the key, and what is not asked for is forgotten with its day. A note touches one cache line of a filter, a
 * question one line a day, and stops at the first yes.
 *
 * The invariant: "no" is never said about a pair that was noted. A filter never denies what was put in, so the care goes
 * into what was not: a full day takes no more pairs and says so, a note that found no filter for its day is missed and
 * says so, and after a start, a gap or a jump of the clock the memory is complete only from then on. Whatever the memory
 * did not cover in whole is "unknown".
 *
 * Many threads note at once: bits are set by Atomics.or and never cleared but by `rotatePairs`, in the main thread of the
 * process, when a slot gets a new day. That is done ahead of midnight: in its last minutes a day costs the oldest one.
 */
import { BLOCK_WORDS, blockHas, blockSet } from './pair-block.ts'
import { hashPair } from './pair-hash.ts'
import {
  COUNT,
  COUNT_WORDS,
  DAY_MINUTES,
  FULL,
  firstBlock,
  LAST_MINUTE,
  MINUTE_MS,
  MISSED,
  PAIR_DAYS,
  type Pairs,
  type Relation,
  SINCE_MINUTE,
} from './pair-memory.ts'

export { createPairs, openPairs, type Pairs } from './pair-memory.ts'

/** From 23:45 UTC on the next day's filter lies ready: fifteen turns of a timer of a minute. */
export const AHEAD_MINUTES = 15

/**
 * Clocks may differ by so much: the times of threads, of a note and a question, of two turns of the rotation. Further apart
 * the clock has jumped, or the process stood still, and nobody knows what happened meanwhile.
 */
export const CLOCK_TOLERANCE_MINUTES = 5

/** Answers of callMatch: indexes into CALL_MATCHES of domain/report.ts. */
export const MATCH_UNKNOWN = 0
export const MATCH_NO = 1
export const MATCH_YES = 2

const SLOT_MASK = PAIR_DAYS - 1

/** Notes that `caller` tried to reach `callee`. Nothing when either is no number (0 or less). Any thread, no allocation. */
export function noteCall(pairs: Pairs, caller: number, callee: number, nowMs: number): void {
  if (!(caller > 0 && callee > 0)) return
  const slot = slotToNote(pairs, nowMs)
  if (slot < 0) return
  const { hasher, counts, calls } = pairs
  hashPair(hasher, caller, callee)
  const { digest } = hasher
  const isRising = caller <= callee
  putPair(counts, calls, slot, digest[isRising ? 0 : 1]!, digest[isRising ? 1 : 0]!)
}

/** Hashes the pair, so that what follows for the same two need not. Word index of the line of `calls` that noteCall writes. */
export function callLine({ hasher, calls }: Pairs, caller: number, callee: number, nowMs: number): number {
  if (!(caller > 0 && callee > 0)) return 0
  hashPair(hasher, caller, callee)
  const slot = ((nowMs / (MINUTE_MS * DAY_MINUTES)) | 0) & SLOT_MASK
  return firstBlock(calls, hasher.digest[caller <= callee ? 0 : 1]!) + slot * calls.slotStride
}

/** Likewise of the line of `contacts` that noteContact writes. */
export function contactLine({ hasher, contacts }: Pairs, caller: number, callee: number, nowMs: number): number {
  if (!(caller > 0 && callee > 0)) return 0
  hashPair(hasher, caller, callee)
  const slot = ((nowMs / (MINUTE_MS * DAY_MINUTES)) | 0) & SLOT_MASK
  return firstBlock(contacts, hasher.digest[0]!) + slot * contacts.slotStride
}

/** Notes that the two talked for a minute or more, whoever called. Rules as for noteCall. */
export function noteContact(pairs: Pairs, caller: number, callee: number, nowMs: number): void {
  if (!(caller > 0 && callee > 0)) return
  const slot = slotToNote(pairs, nowMs)
  if (slot < 0) return
  const { hasher, counts, contacts } = pairs
  hashPair(hasher, caller, callee)
  putPair(counts, contacts, slot, hasher.digest[0]!, hasher.digest[1]!)
}

/**
 * Whether the two talked for a minute or more today or on one of the seven days before, whoever called. Wrong about 0.2 % of
 * strangers when every day is full; forgets no contact but one of a full day. Any thread, no allocation.
 */
export function isKnownContact(pairs: Pairs, caller: number, callee: number, nowMs: number): boolean {
  if (!(caller > 0 && callee > 0)) return false
  const { hasher, days, contacts } = pairs
  hashPair(hasher, caller, callee)
  const { words, slotStride } = contacts
  const block = firstBlock(contacts, hasher.digest[0]!)
  const bits = hasher.digest[1]!
  const today = Math.floor(nowMs / MINUTE_MS / DAY_MINUTES)
  for (let day = today; day > today - PAIR_DAYS; day--) {
    const slot = day & SLOT_MASK
    if (days[slot] === day && blockHas(words, block + slot * slotStride, bits)) return true
  }
  return false
}

/**
 * Whether `caller` tried to reach `callee` from `sinceMs` on: MATCH_YES when a day of that period within the last seven has
 * it, MATCH_NO when the memory covered the whole period and no day has it, else MATCH_UNKNOWN. Any thread.
 */
export function callMatch(pairs: Pairs, caller: number, callee: number, sinceMs: number, nowMs: number): 0 | 1 | 2 {
  if (!(caller > 0 && callee > 0)) return MATCH_UNKNOWN
  hashPair(pairs.hasher, caller, callee)
  const { digest } = pairs.hasher
  const isRising = caller <= callee
  return matchHash(pairs, digest[isRising ? 0 : 1]!, digest[isRising ? 1 : 0]!, sinceMs, nowMs)
}

/** callMatch for a hash made elsewhere with the same key (callHash of pair-hash.ts). */
export function matchHash(pairs: Pairs, low: number, high: number, sinceMs: number, nowMs: number): 0 | 1 | 2 {
  const { days, counts, calls } = pairs
  const { words, slotStride, at } = calls
  const block = firstBlock(calls, low)
  const minute = Math.floor(nowMs / MINUTE_MS)
  const sinceMinute = Math.floor(sinceMs / MINUTE_MS) - CLOCK_TOLERANCE_MINUTES
  const today = Math.floor(minute / DAY_MINUTES)
  const oldest = today - PAIR_DAYS + 1
  const first = Math.floor(sinceMinute / DAY_MINUTES)
  // A note may be a tolerance ahead of the rotation, and the rotation a tolerance ahead of us: look into tomorrow too.
  const last = Math.floor((minute + 2 * CLOCK_TOLERANCE_MINUTES) / DAY_MINUTES)
  // A period that begins in the future is one of another clock.
  const isPast = sinceMinute <= minute
  let isCovered = isPast && first >= oldest && isComplete(pairs, sinceMinute, minute)
  for (let day = last; day >= Math.max(first, oldest); day--) {
    const slot = day & SLOT_MASK
    // Pairs with the stores in prepareDay: bits of the day are read only while the slot holds it.
    if (Atomics.load(days, slot) !== day) {
      if (day <= today) isCovered = false
      continue
    }
    if (blockHas(words, block + slot * slotStride, high)) return MATCH_YES
    // Pairs with the store in putPair: a pair that was turned away may be this one.
    if (Atomics.load(counts, slot * COUNT_WORDS + at + FULL) !== 0) isCovered = false
    // Pairs with the first store in prepareDay: still the same day, so the bits were not being cleared.
    if (Atomics.load(days, slot) !== day) isCovered = false
  }
  return isCovered ? MATCH_NO : MATCH_UNKNOWN
}

/** Whether every call since the beginning of `sinceMinute` was noted, or turned away by a day that says it is full. */
function isComplete({ head }: Pairs, sinceMinute: number, minute: number): boolean {
  // Pair with the stores in rotatePairs and in slotToNote. A clock that differs from the rotation's has jumped since.
  const lastMinute = Atomics.load(head, LAST_MINUTE)
  if (lastMinute === 0 || Math.abs(minute - lastMinute) > CLOCK_TOLERANCE_MINUTES) return false
  return Atomics.load(head, MISSED) === 0 && sinceMinute >= Atomics.load(head, SINCE_MINUTE)
}

/** The slot of the day of `nowMs`, or -1 when it does not lie ready, or the clock differs from the rotation's: missed. */
function slotToNote(pairs: Pairs, nowMs: number): number {
  const { head, days } = pairs
  const minute = Math.floor(nowMs / MINUTE_MS)
  const day = Math.floor(minute / DAY_MINUTES)
  const slot = day & SLOT_MASK
  const ahead = minute - head[LAST_MINUTE]!
  if (day > 0 && days[slot] === day && ahead <= CLOCK_TOLERANCE_MINUTES && ahead >= -CLOCK_TOLERANCE_MINUTES) {
    return slot
  }
  // Pairs with the loads in rotatePairs and isComplete.
  Atomics.store(head, MISSED, 1)
  return -1
}

function putPair(counts: Int32Array, relation: Relation, slot: number, low: number, high: number): void {
  const { words, slotStride, capacity, at } = relation
  const base = firstBlock(relation, low) + slot * slotStride
  if (blockHas(words, base, high)) return
  const count = slot * COUNT_WORDS + at
  if (counts[count + FULL] !== 0) return
  // Pairs with the same in every thread, so that no more than `capacity` pass. Two threads with the same pair count it
  // twice: a day may be full too early, never too late.
  if (Atomics.add(counts, count + COUNT, 1) >= capacity) {
    // Pairs with the load in matchHash.
    Atomics.store(counts, count + FULL, 1)
    return
  }
  blockSet(words, base, high)
}

export type PairsState = {
  /** Epoch day. */
  readonly day: number
  /** Pairs put in today. */
  readonly calls: number
  readonly contacts: number
  /** One of the two relations had to turn pairs of today away. */
  readonly isFull: boolean
  /** Complete from then on, days that were full aside; epoch milliseconds. */
  readonly sinceMs: number
}

/** For metrics and the log of the main thread. */
export function pairsState(pairs: Pairs, nowMs: number): PairsState {
  const day = Math.floor(nowMs / MINUTE_MS / DAY_MINUTES)
  const { head, days, counts, calls, contacts } = pairs
  const sinceMs = head[SINCE_MINUTE]! * MINUTE_MS
  if (days[day & SLOT_MASK] !== day) return { day, calls: 0, contacts: 0, isFull: false, sinceMs }
  const line = (day & SLOT_MASK) * COUNT_WORDS
  return {
    day,
    // The add that turned a pair away counted it.
    calls: Math.min(counts[line + calls.at + COUNT]!, calls.capacity),
    contacts: Math.min(counts[line + contacts.at + COUNT]!, contacts.capacity),
    isFull: counts[line + calls.at + FULL] !== 0 || counts[line + contacts.at + FULL] !== 0,
    sinceMs,
  }
}

/**
 * Makes the filters of today ready, and tomorrow's in the last AHEAD_MINUTES of a day. For the main thread of the process
 * alone: before the first note and then each minute (MINUTE_MS). A turn that comes late, a clock that jumped, and notes that
 * were missed leave a memory that is complete from the next minute on.
 */
export function rotatePairs(pairs: Pairs, nowMs: number): void {
  const { head } = pairs
  const minute = Math.floor(nowMs / MINUTE_MS)
  const day = Math.floor(minute / DAY_MINUTES)
  // A machine without a clock, or no time at all.
  if (!(day > 0)) return
  const lastMinute = head[LAST_MINUTE]!
  const isOnTime = Math.abs(minute - lastMinute) <= CLOCK_TOLERANCE_MINUTES
  const wasReady = pairs.days[day & SLOT_MASK] === day
  prepareDay(pairs, day)
  if (minute % DAY_MINUTES >= DAY_MINUTES - AHEAD_MINUTES) prepareDay(pairs, day + 1)
  // Pair with the store in slotToNote. Since first: nobody sees a memory that is neither missing notes nor begun anew.
  if (!isOnTime || !wasReady || Atomics.load(head, MISSED) !== 0) {
    // The next minute: what was missed may have happened in this one.
    Atomics.store(head, SINCE_MINUTE, minute + 1)
    Atomics.store(head, MISSED, 0)
  }
  // Pairs with the loads in isComplete and slotToNote. Never back by small steps: many would add up to hours unseen.
  Atomics.store(head, LAST_MINUTE, isOnTime ? Math.max(minute, lastMinute) : minute)
}

function prepareDay(pairs: Pairs, day: number): void {
  const { days, counts, contacts, calls } = pairs
  const slot = day & SLOT_MASK
  const held = days[slot]!
  if (held === day) return
  // Pairs with the loads in matchHash and slotToNote: nobody takes what is being cleared for a day.
  Atomics.store(days, slot, 0)
  // A slot that never held a day is zero, and its pages need not be touched.
  if (held !== 0) {
    counts.fill(0, slot * COUNT_WORDS, (slot + 1) * COUNT_WORDS)
    clearSlot(contacts, slot)
    clearSlot(calls, slot)
  }
  // Pairs with the loads in matchHash and slotToNote: the filter is empty before it has a day.
  Atomics.store(days, slot, day)
}

function clearSlot({ words, blocks, blockStride, slotStride }: Relation, slot: number): void {
  const end = slot * slotStride + blocks * blockStride
  for (let base = slot * slotStride; base < end; base += blockStride) words.fill(0, base, base + BLOCK_WORDS)
}
