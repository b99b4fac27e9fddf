/**
 * Blocks for keys with more attempts than their head holds: three pools, each searched like a clock (Corbató, "A paging
 * experiment with the Multics system", 1968) from where the last search ended.
 *
 * A free block is taken; else that of a key whose attempts have all left the windows (which keeps its head); else the key
 * longest not seen of those looked at is evicted with its block: a key is in the table whole or not at all.
 */
import { type Activity, BLOCK, BLOCK_WORDS, HANDS, LAST } from './activity-layout.ts'
import {
  BACK_MINUTES_MAX,
  classOf,
  evictHead,
  headOf,
  indexOf,
  releaseBlock,
  setOf,
  tryLockSet,
  unlockSet,
} from './activity-table.ts'

/**
 * Blocks looked at: one of the oldest 6 % of the pool is among them on average, and a search of a full pool, two cold lines
 * each, ends within some microseconds.
 */
const PROBES = 16

/** A key not seen for so long has no attempt within 60 whole minutes. */
const IDLE_SECONDS = 61 * 60

/** Searches of a full pool: each fails only when the set of the key it chose is locked by another thread at that moment. */
const SEARCHES = 8

/**
 * Word index of a block of the class, owned by the head (whose set must be locked), or 0: every key chosen was just being
 * counted by other threads.
 */
export function takeBlock(activity: Activity, head: number, size: number, seconds: number): number {
  let block = 0
  for (let search = 0; block === 0 && search < SEARCHES; search++) block = searchPool(activity, head, size, seconds)
  return block
}

function searchPool(activity: Activity, head: number, size: number, seconds: number): number {
  const words = activity.words
  const count = activity.poolCount[size]!
  const owner = indexOf(head)
  let oldest = 0
  let oldestAge = -1
  for (let probe = 0; probe < PROBES; probe++) {
    // Pairs with itself: a place to begin, no more. Threads that search at once begin at different blocks.
    const turn = Atomics.add(words, HANDS + size, 1) >>> 0
    const block = activity.poolAt[size]! + (turn % count) * BLOCK_WORDS[size]!
    // Pairs with the stores of owners here and in releaseBlock.
    const other = Atomics.load(words, block)
    if (other === owner) continue // the list that is to grow is in another pool; a block of this one cannot be ours
    if (other === 0) {
      // Pairs with the store in releaseBlock: the block is no longer written by who had it.
      if (Atomics.compareExchange(words, block, 0, owner) === 0) return block
      continue
    }
    const age = ageOf(words[headOf(other) + LAST]! >>> 0, seconds)
    if (age >= IDLE_SECONDS && seize(activity, block, other, owner, seconds)) return block
    if (age > oldestAge) {
      oldestAge = age
      oldest = block
    }
  }
  if (oldest === 0) return 0
  const other = Atomics.load(words, oldest) // as above
  return other !== 0 && seize(activity, oldest, other, owner, seconds) ? oldest : 0
}

/** Seconds since; a time in the future is now, one too far in the future is from before the clock was set back: old. */
function ageOf(last: number, seconds: number): number {
  const age = seconds - last
  if (age >= 0) return age
  return age < -BACK_MINUTES_MAX * 60 ? IDLE_SECONDS : 0
}

/** Takes a block from another head, unless it is busy or no longer that head's. */
function seize(activity: Activity, block: number, other: number, owner: number, seconds: number): boolean {
  const words = activity.words
  const set = setOf(other)
  const isOwnSet = set === setOf(owner)
  if (!isOwnSet && !tryLockSet(activity, set)) return false
  const head = headOf(other)
  const isTheirs = words[block] === other && words[head + BLOCK] === block && classOf(words, head) !== 0
  if (isTheirs) {
    if (ageOf(words[head + LAST]! >>> 0, seconds) >= IDLE_SECONDS) releaseBlock(activity, head)
    else evictHead(activity, head)
  }
  // Pairs with the compareExchange of any thread that saw it free meanwhile: one of us gets it.
  const isOurs = isTheirs && Atomics.compareExchange(words, block, 0, owner) === 0
  if (!isOwnSet) unlockSet(activity, set)
  return isOurs
}
