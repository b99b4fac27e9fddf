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
  BORN,
  CLASS_SHIFT,
  DAYS_SHIFT,
  FIRST,
  FORGOT,
  ID_HIGH,
  ID_HIGH_MASK,
  ID_LOW,
  LAST,
  LAST_OTHER,
  LONG_LISTED,
  lineOf,
  SETS_AT,
  TOTALS,
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

/**
 * Loads the lines of three rows into the cache, all sets first, then all heads: six misses in the time of two. The locks
 * that follow are fences, behind which no load can begin early; so without this each row waits for its own. Reads
 * without a lock and believes nothing of it.
 */
export function fetchRows(
  activity: Activity,
  key0: number,
  of0: number,
  key1: number,
  of1: number,
  key2: number,
  of2: number,
): void {
  const { words, setScale } = activity
  const id0 = key0 + of0 * OF_FACTOR
  const id1 = key1 + of1 * OF_FACTOR
  const id2 = key2 + of2 * OF_FACTOR
  const line0 = lineOf(((mixNumber(id0) >>> 0) * setScale) | 0)
  const line1 = lineOf(((mixNumber(id1) >>> 0) * setScale) | 0)
  const line2 = lineOf(((mixNumber(id2) >>> 0) * setScale) | 0)
  let seen = words[line0]! ^ words[line1]! ^ words[line2]!
  seen ^= words[line0 + wayOfTag(words, line0, mixNumberAgain(id0) & 0xffff) * ACTIVITY_HEAD_WORDS]!
  seen ^= words[line1 + wayOfTag(words, line1, mixNumberAgain(id1) & 0xffff) * ACTIVITY_HEAD_WORDS]!
  seen ^= words[line2 + wayOfTag(words, line2, mixNumberAgain(id2) & 0xffff) * ACTIVITY_HEAD_WORDS]!
  activity.seen = seen // kept, so that no load is dropped as useless
}

/** 0 when no way has the tag. */
function wayOfTag(words: Int32Array, line: number, tag: number): number {
  for (let way = WAYS; way > 0; way--) if (words[line + way]! >>> 16 === tag) return way
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

/**
 * A head for the row aimed at, which findHead did not find, first seen now: an empty way or that of the key longest not
 * seen, by whole minutes. Minutes are kept modulo 2^16: a key not seen for 45 days may pass for a young one.
 */
export function insertHead(activity: Activity, seconds: number): number {
  const { words, set } = activity
  const line = lineOf(set)
  const minute = (seconds / 60) | 0
  let chosen = 0
  let oldest = -1
  for (let way = 0; way < WAYS; way++) {
    const entry = words[line + 1 + way]!
    // A clock set back a little must not make the newest keys the oldest.
    const age = entry === 0 ? 0x10000 : (minute + BACK_MINUTES_MAX - entry) & 0xffff
    if (age > oldest) {
      oldest = age
      chosen = way
    }
  }
  const head = line + (chosen + 1) * ACTIVITY_HEAD_WORDS
  if (words[line + 1 + chosen] !== 0) evictHead(activity, head)
  if (words[BORN] === 0) words[BORN] = seconds
  words[line + 1 + chosen] = (activity.tag << 16) | (minute & 0xffff)
  words[head + ID_LOW] = activity.low
  words[head + ID_HIGH] = activity.high | (1 << DAYS_SHIFT)
  words[head + FIRST] = seconds
  words[head + LAST] = seconds
  words[head + TOTALS] = 0
  words[head + LONG_LISTED] = 0
  words[head + LAST_OTHER] = 0
  words[head + BLOCK] = 0
  return head
}

/**
 * A place for the row aimed at, last seen at `seconds`, from a snapshot: an empty way, or that of a key not seen for longer
 * still; 0 when there is none. Its head is another's until the caller has written it.
 */
export function placeHead(activity: Activity, seconds: number): number {
  const { words, set } = activity
  let chosen = -1
  let oldest = seconds
  for (let way = 0; way < WAYS; way++) {
    const isEmpty = words[lineOf(set) + 1 + way] === 0
    const last = isEmpty ? -1 : words[lineOf(set) + (way + 1) * ACTIVITY_HEAD_WORDS + LAST]! >>> 0
    if (last >= oldest) continue
    oldest = last
    chosen = way
    if (isEmpty) break
  }
  if (chosen < 0) return 0
  const head = lineOf(set) + (chosen + 1) * ACTIVITY_HEAD_WORDS
  if (words[lineOf(set) + 1 + chosen] !== 0) removeHead(activity, head)
  words[lineOf(set) + 1 + chosen] = (activity.tag << 16) | ((seconds / 60) & 0xffff)
  if (words[BORN] === 0 || seconds < words[BORN]!) words[BORN] = seconds
  return head
}

/** Forgets a key that should still be there. Its set must be locked; two threads may lose one another's note, by little. */
export function evictHead(activity: Activity, head: number): void {
  const { words } = activity
  if (words[head + LAST]! > words[FORGOT]!) words[FORGOT] = words[head + LAST]!
  removeHead(activity, head)
}

/** Forgets a key and gives its block back. Its set must be locked. */
export function removeHead(activity: Activity, head: number): void {
  releaseBlock(activity, head)
  activity.words[wayOf(head)] = 0
}

/** The head's list is empty and lies in the head again; its block, if it has one, is free. Its set must be locked. */
export function releaseBlock(activity: Activity, head: number): void {
  const { words } = activity
  words[head + LONG_LISTED] = words[head + LONG_LISTED]! & 0xffff
  if (classOf(words, head) === 0) return
  // Pairs with the load and compareExchange in takeBlock: our last writes to the block come before its next owner's.
  Atomics.store(words, words[head + BLOCK]!, 0)
  setBlock(words, head, 0, 0)
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
