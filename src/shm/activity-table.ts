/**
 * The table of activity: which head is whose. 15-way set-associative, so that a look-up reads one line of the set and one
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
  SETS_AT,
  WAYS,
} from './activity-layout.ts'
import { mixNumber, mixNumberAgain } from './hash.ts'

/** Tries before a busy set is left alone: some microseconds, ten times what a holder that runs needs. */
const SPINS = 400

/** A clock that was set back by so many minutes at most counts into the newest minute; by more, windows begin anew. */
export const BACK_MINUTES_MAX = 60

/** Keys are below 2^50 and `of` below 8, so both together are an integer that the mixers take. */
const OF_FACTOR = 2 ** 50

/** Points the thread at a row: activity.low, high, set and tag. */
export function aimAt(activity: Activity, key: number, of: number): void {
  const id = key + (of & 7) * OF_FACTOR
  activity.low = id | 0
  activity.high = (id / 2 ** 32) | 0
  activity.set = ((mixNumber(id) >>> 0) * activity.setScale) | 0
  const tag = mixNumberAgain(id) & 0xffff
  activity.tag = tag === 0 ? 1 : tag // 0 marks an empty way
}

/** Words of a cache line. */
const LINE_WORDS = 16

/**
 * Loads the lines of four rows into the cache, all sets first, then all heads, then what blocks there are: a dozen misses and
 * more in the time of three. The locks that follow are fences, behind which no load can begin early; so without this each
 * row waits for its own. Reads without a lock and believes nothing of it. Keys that are no numbers load some row.
 */
export function fetchRows(
  activity: Activity,
  key0: number,
  of0: number,
  key1: number,
  of1: number,
  key2: number,
  of2: number,
  key3: number,
  of3: number,
): void {
  const { words, setScale } = activity
  const id0 = key0 + of0 * OF_FACTOR
  const id1 = key1 + of1 * OF_FACTOR
  const id2 = key2 + of2 * OF_FACTOR
  const id3 = key3 + of3 * OF_FACTOR
  const line0 = lineOf(((mixNumber(id0) >>> 0) * setScale) | 0)
  const line1 = lineOf(((mixNumber(id1) >>> 0) * setScale) | 0)
  const line2 = lineOf(((mixNumber(id2) >>> 0) * setScale) | 0)
  const line3 = lineOf(((mixNumber(id3) >>> 0) * setScale) | 0)
  let seen = words[line0]! ^ words[line1]! ^ words[line2]! ^ words[line3]!
  const head0 = headByTag(words, line0, mixNumberAgain(id0) & 0xffff)
  const head1 = headByTag(words, line1, mixNumberAgain(id1) & 0xffff)
  const head2 = headByTag(words, line2, mixNumberAgain(id2) & 0xffff)
  const head3 = headByTag(words, line3, mixNumberAgain(id3) & 0xffff)
  // A head without a block names 0, the region's own head.
  const block0 = words[head0 + BLOCK]!
  const block1 = words[head1 + BLOCK]!
  const block2 = words[head2 + BLOCK]!
  seen ^= words[head3 + BLOCK]! // a row that is only read for its totals needs no block
  seen ^= words[block0]! ^ words[block1]! ^ words[block2]!
  seen ^= words[block0 + LINE_WORDS]! ^ words[block1 + LINE_WORDS]! ^ words[block2 + LINE_WORDS]!
  activity.seen ^= seen // kept, so that no load is dropped as useless
}

/** Word index of the head of the way with the tag; of the region, whose word BLOCK is 0, when there is none. */
function headByTag(words: Int32Array, line: number, tag: number): number {
  for (let way = 1; way <= WAYS; way++) {
    if (words[line + way]! >>> 16 === tag) return line + way * ACTIVITY_HEAD_WORDS
  }
  return 0
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

/** Word index of the head of the row aimed at, or 0 (no head lies there). The set must be locked. */
export function findHead(activity: Activity): number {
  const { words, low, high, set, tag } = activity
  const line = lineOf(set)
  for (let way = 0; way < WAYS; way++) {
    if (words[line + 1 + way]! >>> 16 !== tag) continue
    const head = line + (way + 1) * ACTIVITY_HEAD_WORDS
    if (words[head + ID_LOW] === low && (words[head + ID_HIGH]! & ID_HIGH_MASK) === high) return head
  }
  return 0
}

/** Whether a head is that of the row aimed at, for those who read it without the lock. */
export function isHeadOf({ words, low, high }: Activity, head: number): boolean {
  return Atomics.load(words, head + ID_LOW) === low && (Atomics.load(words, head + ID_HIGH) & ID_HIGH_MASK) === high
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
export function touch(activity: Activity, head: number, minute: number): void {
  activity.words[wayOf(head)] = (activity.tag << 16) | (minute & 0xffff)
}

/** Word index of a head's entry in the line of its set. */
function wayOf(head: number): number {
  const lines = (head - SETS_AT) / ACTIVITY_HEAD_WORDS
  return SETS_AT + (lines & ~WAYS) * ACTIVITY_HEAD_WORDS + (lines & WAYS)
}

/** Index of a head, as blocks name their owner: lines from the first set's, so never 0. */
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
