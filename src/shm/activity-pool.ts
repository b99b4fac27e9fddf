/**
 * Blocks for keys with more attempts than their head holds: three pools, one for each class.
 *
 * ```
 *   line of a pool:  lock │ top of the stack of free blocks │ blocks used so far │ hand of the clock
 *   block:           owner, 0 free │ next free one, while it is free │ …
 * ```
 * A free block is taken, else one that was never used, else the clock goes round (Corbató, "A paging experiment with the
 * Multics system", 1968): the block of a key whose attempts have all left the windows (which keeps its head), or that of the
 * key longest not seen of those looked at, which is evicted: a key is in the table whole or not at all.
 *
 * The lock guards the stack, for a few words. A block with an owner is that head's, and the owner changes under the lock
 * of the head's set alone.
 */
import { type Activity, BLOCK, BLOCK_WORDS, LAST, POOL_WORDS, POOLS } from './activity-layout.ts'
import {
  BACK_MINUTES_MAX,
  classOf,
  forgetWay,
  headOf,
  indexOf,
  noteForgotten,
  setBlock,
  setListed,
  setOf,
  tryLockSet,
  unlockSet,
} from './activity-table.ts'

// Words of a pool's line.
const LOCK = 0
const TOP = 1
const USED = 2
const HAND = 3

/** An owner that is no head: the block was given back while the stack was locked. */
const ORPHAN = -1

/** Tries before a stack is left alone: its lock is held for tens of nanoseconds. */
const SPINS = 400

/**
 * Blocks looked at: one of the oldest 6 % of the pool is among them on average, and a search of a full pool, two cold lines
 * each, ends within some microseconds.
 */
const PROBES = 16

/** Searches of a full pool: each fails only when the set of the key it chose is locked by another thread at that moment. */
const SEARCHES = 8

/** A key not seen for so long has no attempt within 60 whole minutes. */
const IDLE_SECONDS = 61 * 60

/**
 * Word index of a block of the class, owned by the head (whose set must be locked), or 0: every key chosen was just being
 * counted by other threads.
 */
export function takeBlock(activity: Activity, head: number, size: number, seconds: number): number {
  const owner = indexOf(head)
  let block = popFree(activity, size)
  if (block === 0) block = firstUse(activity, size)
  if (block !== 0) {
    // Pairs with the load in searchPool.
    Atomics.store(activity.words, block, owner)
    return block
  }
  for (let search = 0; block === 0 && search < SEARCHES; search++) block = searchPool(activity, owner, size, seconds)
  return block
}

/** Gives the head's block back and empties its list, which lies in the head again. Its set must be locked. */
export function releaseBlock(activity: Activity, head: number): void {
  const { words } = activity
  setListed(words, head, 0)
  const size = classOf(words, head)
  if (size === 0) return
  const block = words[head + BLOCK]!
  setBlock(words, head, 0, 0)
  giveBack(activity, size, block)
}

/** Gives back a block that no head names any more. */
export function giveBack(activity: Activity, size: number, block: number): void {
  const { words } = activity
  const pool = POOLS + size * POOL_WORDS
  if (!lockPool(words, pool)) {
    // Pairs with the compareExchange in searchPool, which finds it.
    Atomics.store(words, block, ORPHAN)
    return
  }
  words[block + 1] = words[pool + TOP]!
  Atomics.store(words, block, 0) // pairs with the load in searchPool: free blocks are the stack's
  words[pool + TOP] = block
  unlockPool(words, pool)
}

function popFree(activity: Activity, size: number): number {
  const { words } = activity
  const pool = POOLS + size * POOL_WORDS
  if (words[pool + TOP] === 0 || !lockPool(words, pool)) return 0
  const block = words[pool + TOP]!
  if (block !== 0) words[pool + TOP] = words[block + 1]!
  unlockPool(words, pool)
  return block
}

/** A block that nobody has had yet. */
function firstUse(activity: Activity, size: number): number {
  const { words } = activity
  const used = POOLS + size * POOL_WORDS + USED
  const count = activity.poolCount[size]!
  // Pair with each other: threads that ask at once get different blocks; the load keeps the count from going round.
  if (Atomics.load(words, used) >= count) return 0
  const index = Atomics.add(words, used, 1)
  return index < count ? activity.poolAt[size]! + index * BLOCK_WORDS[size]! : 0
}

function lockPool(words: Int32Array, pool: number): boolean {
  for (let spin = 0; spin < SPINS; spin++) {
    // Pairs with the store in unlockPool.
    if (Atomics.compareExchange(words, pool + LOCK, 0, 1) === 0) return true
  }
  return false
}

function unlockPool(words: Int32Array, pool: number): void {
  // Pairs with the compareExchange in lockPool: the stack is whole before it is free.
  Atomics.store(words, pool + LOCK, 0)
}

function searchPool(activity: Activity, owner: number, size: number, seconds: number): number {
  const { words } = activity
  const count = activity.poolCount[size]!
  const hand = POOLS + size * POOL_WORDS + HAND
  let oldest = 0
  let oldestAge = -1
  for (let probe = 0; probe < PROBES; probe++) {
    // Pairs with itself: threads that search at once look at different blocks.
    const turn = Atomics.add(words, hand, 1) >>> 0
    const block = activity.poolAt[size]! + (turn % count) * BLOCK_WORDS[size]!
    // Pairs with the stores of owners.
    const other = Atomics.load(words, block)
    if (other === 0 || other === owner) continue
    if (other === ORPHAN) {
      // Pairs with the store in giveBack.
      if (Atomics.compareExchange(words, block, ORPHAN, owner) === ORPHAN) return block
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
  return other > 0 && seize(activity, oldest, other, owner, seconds) ? oldest : 0
}

/** Seconds since; a time in the future is now, one too far in the future is from before the clock was set back: old. */
function ageOf(last: number, seconds: number): number {
  const age = seconds - last
  if (age >= 0) return age
  return age < -BACK_MINUTES_MAX * 60 ? IDLE_SECONDS : 0
}

/** Takes a block from another head, unless that is being counted or has it no more. */
function seize(activity: Activity, block: number, other: number, owner: number, seconds: number): boolean {
  const words = activity.words
  const set = setOf(other)
  const isOwnSet = set === setOf(owner)
  if (!isOwnSet && !tryLockSet(activity, set)) return false
  const head = headOf(other)
  const isTheirs = words[block] === other && words[head + BLOCK] === block && classOf(words, head) !== 0
  if (isTheirs) {
    setBlock(words, head, 0, 0)
    setListed(words, head, 0)
    if (ageOf(words[head + LAST]! >>> 0, seconds) < IDLE_SECONDS) {
      noteForgotten(words, head)
      forgetWay(words, head)
    }
    // Pairs with the load in searchPool.
    Atomics.store(words, block, owner)
  }
  if (!isOwnSet) unlockSet(activity, set)
  return isTheirs
}
