/**
 * The table of activity: which head is whose. 15-way set-associative, so that a look-up reads one line of the set and those
 * of the head, and the place for a new key is found in the line of the set alone.
 *
 * Lock: one word per set, by compare-and-swap, guards its 15 heads and their blocks. Whoever holds one may try another but
 * never waits for it, so nobody can wait in a circle; whoever holds none tries SPINS times and then does something else.
 * Everything between lockSet and unlockSet is plain: 20-300 ns, 2-15 us once a minute for a key with a sketch.
 */
import {
  ACTIVITY_HEAD_WORDS,
  type Activity,
  BLOCK,
  CLASS_SHIFT,
  FORGOT,
  ID_HIGH,
  ID_HIGH_MASK,
  ID_LOW,
  LAST,
  LONG_LISTED,
  lineOf,
  type Row,
  SEEN_MASK,
  SETS_AT,
  TAG_MASK,
  TAG_SHIFT,
  WAYS,
} from './activity-layout.ts'
import { mixWords, mixWordsAgain } from './hash.ts'

/** Tries before a busy set is left alone: some microseconds, ten times what a holder that runs needs. */
const SPINS = 400

/** A clock that was set back by so many minutes at most counts into the newest minute; by more, windows begin anew. */
export const BACK_MINUTES_MAX = 60
export const BACK_SECONDS_MAX = BACK_MINUTES_MAX * 60 + 59

/** Keys are below 2^50 and `of` below 8: as two words, `of` lies in the upper one from this bit on. */
export const OF_SHIFT = 18
const KEY_HIGH_MASK = (1 << OF_SHIFT) - 1
/** Tells the tags of rows with the same key apart. */
const TAG_STEP = 0x14d
/** Rows of callees and blocks, by `of`. */
const FIRST_CALLEE = 4

/** Points `row` at the row of a key. */
export function aimAt(activity: Activity, row: Row, key: number, of: number): void {
  const low = key | 0
  const high = (key / 2 ** 32) | 0
  place(activity, row, low, high, of & 7, mixWords(low, high), mixWordsAgain(low, high))
}

/**
 * Points `row` at the row of a key that is known as two words and by both mixes of them. The rows of one number lie together:
 * those as caller in one set, that as callee in the other set of the same page, for a page costs more to find than a line.
 */
export function place(
  activity: Activity,
  row: Row,
  low: number,
  high: number,
  of: number,
  mix: number,
  mixAgain: number,
): void {
  const set = ((mix >>> 0) * activity.setScale) | 0
  const tag = (mixAgain + of * TAG_STEP) & TAG_MASK
  row.low = low
  row.high = (high & KEY_HIGH_MASK) | (of << OF_SHIFT)
  row.set = of >= FIRST_CALLEE && (set ^ 1) < activity.sets ? set ^ 1 : set
  row.tag = tag === 0 ? 1 : tag // 0 marks an empty way
  row.way = 0
}

/** Takes the lock of a set, or gives up after SPINS tries: false. */
export function lockSet(activity: Activity, set: number): boolean {
  const words = activity.words
  const line = lineOf(set)
  for (let spin = 0; spin < SPINS; spin++) {
    // Pairs with the store in unlockSet: what the last holder wrote is visible to us.
    if (Atomics.compareExchange(words, line, 0, 1) === 0) return true
    // Reads until the word may have changed, so that waiting threads do not take the line from the holder.
    while (spin < SPINS && Atomics.load(words, line) !== 0) spin++
  }
  return false
}

/** One try, for those who hold another set. */
export function tryLockSet(activity: Activity, set: number): boolean {
  // Pairs with the store in unlockSet.
  return Atomics.compareExchange(activity.words, lineOf(set), 0, 1) === 0
}

export function unlockSet(activity: Activity, set: number): void {
  // Pairs with the compareExchange in lockSet and tryLockSet.
  Atomics.store(activity.words, lineOf(set), 0)
}

/** Word index of the head of the row, or 0 (no head lies there). The set must be locked. */
export function findHead({ words }: Activity, { low, high, set, tag, way: hint }: Row): number {
  const line = lineOf(set)
  if (hint !== 0 && words[line + hint]! >>> TAG_SHIFT === tag) {
    const head = line + hint * ACTIVITY_HEAD_WORDS
    if (words[head + ID_LOW] === low && (words[head + ID_HIGH]! & ID_HIGH_MASK) === high) return head
  }
  for (let way = 1; way <= WAYS; way++) {
    if (words[line + way]! >>> TAG_SHIFT !== tag) continue
    const head = line + way * ACTIVITY_HEAD_WORDS
    if (words[head + ID_LOW] === low && (words[head + ID_HIGH]! & ID_HIGH_MASK) === high) return head
  }
  return 0
}

/**
 * Whether the set may hold the row, without its lock: false when its tag is not there, which another thread may be about to
 * change. For rows whose key was counted long before.
 */
export function seemsKnown({ words }: Activity, { set, tag }: Row): boolean {
  const line = lineOf(set)
  for (let way = 1; way <= WAYS; way++) if (words[line + way]! >>> TAG_SHIFT === tag) return true
  return false
}

/** Whether a head is that of the row, for those who read it without the lock. */
export function isHeadOf({ words }: Activity, { low, high }: Row, head: number): boolean {
  // Pairs with the stores of whoever gives the head to another key, under its lock. In order: what was read before is older.
  return Atomics.load(words, head + ID_LOW) === low && (words[head + ID_HIGH]! & ID_HIGH_MASK) === high
}

/**
 * The way of a set that a new key takes at `seconds`: an empty one, else that of the key longest not seen. Times are kept modulo
 * 2^22 s: a key not seen for 48 days may pass for a young one.
 */
export function wayToGive(words: Int32Array, line: number, seconds: number): number {
  // Age and way in one number, so that the oldest is found without a branch, which nobody could foresee; of equals the first.
  let oldest = 0
  for (let way = 1; way <= WAYS; way++) {
    const entry = words[line + way]!
    if (entry === 0) return way
    const older = (((seconds + BACK_SECONDS_MAX - entry) & SEEN_MASK) << 4) + (WAYS - way) - oldest
    oldest += older & ~(older >> 31)
  }
  return WAYS - (oldest & 15)
}

/**
 * Seconds since the key of an entry was seen, and BACK_SECONDS_MAX: a clock set back a little must not make the newest keys the
 * oldest.
 */
export function unseenFor(entry: number, seconds: number): number {
  return (seconds + BACK_SECONDS_MAX - entry) & SEEN_MASK
}

/** The way is empty. Whoever calls this has seen to the head's block. */
export function forgetWay(words: Int32Array, head: number): void {
  words[wayOf(head)] = 0
}

/**
 * A key had to give up its block, and with it its place (activity-past.ts). Two threads may lose one another's note, by
 * little.
 */
export function noteForgotten(words: Int32Array, head: number): void {
  if (words[head + LAST]! > words[FORGOT]!) words[FORGOT] = words[head + LAST]!
}

/** Notes in the line of the set when the key was last seen, for insertHead. */
export function touch(words: Int32Array, { tag }: Row, head: number): void {
  words[wayOf(head)] = entryOf(tag, words[head + LAST]!)
}

/** What the line of a set says of a key last seen at `seconds`. */
export function entryOf(tag: number, seconds: number): number {
  return (tag << TAG_SHIFT) | (seconds & SEEN_MASK)
}

/** Word index of a head's entry in the line of its set. */
function wayOf(head: number): number {
  const index = indexOf(head)
  return lineOf(setOf(index)) + (index & WAYS)
}

/** Index of a head, as blocks name their owner: 16 a set, of which the set's own line has the first, so never 0. */
export function indexOf(head: number): number {
  return ((head - SETS_AT) / ACTIVITY_HEAD_WORDS) | 0
}

export function headOf(index: number): number {
  return SETS_AT + index * ACTIVITY_HEAD_WORDS
}

export function setOf(index: number): number {
  return index >>> 4
}

export function classOf(words: Int32Array, head: number): number {
  return (words[head + ID_HIGH]! >>> CLASS_SHIFT) & 3
}

export function setBlock(words: Int32Array, head: number, size: number, block: number): void {
  words[head + ID_HIGH] = (words[head + ID_HIGH]! & ~(3 << CLASS_SHIFT)) | (size << CLASS_SHIFT)
  words[head + BLOCK] = block
}

/** Attempts in the head's list, wherever it lies. */
export function listedOf(words: Int32Array, head: number): number {
  return words[head + LONG_LISTED]! >>> 16
}

export function setListed(words: Int32Array, head: number, listed: number): void {
  words[head + LONG_LISTED] = (words[head + LONG_LISTED]! & 0xffff) | (listed << 16)
}
