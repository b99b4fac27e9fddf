/**
 * The memory of recent calls: the same call asked again within the window gets the same answer and counts once.
 *
 * ```
 *   hash low ─▶ set of 4 ways: ┌ lock │ low │ high │ seconds ┐ x 4 │ payload of way 0 │ … of way 3
 *                              └───────── one cache line ─────┘     └ 16 words: one line of the same page
 * ```
 * A 4-way set-associative cache keyed by a secret-keyed 64-bit hash, shared by all threads of a process, because a switch
 * may repeat a question on another connection. The trade: a set that is full of calls younger than the window forgets its
 * oldest, and that call is then decided afresh: an honest answer, counted twice. The invariant: a payload is never torn
 * and never another call's.
 *
 * Lock: one word per way, 0 free, 1 taken, by compare-and-swap, held for a copy of 16 words. Nobody ever waits: a busy
 * way reads as "not found". The unit of failure is the process, so no lock outlives its holder.
 */
import {
  assertCapacity,
  createRegion,
  HEADER_BYTES,
  lineFrom,
  magicOf,
  openRegion,
  powerOfTwoAtLeast,
  type RegionFormat,
} from './layout.ts'

/** What is remembered of a decision; the engine lays it out. */
export const RECENT_PAYLOAD_WORDS = 16

/** 2^24 calls are 1.3 GB: 60 s of 280,000 calls a second. */
export const RECENT_CALLS_MAX = 2 ** 24

const WAYS = 4
const WAY_WORDS = 4
const KEYS_WORDS = WAYS * WAY_WORDS
const LOCK = 0
const LOW = 1
const HIGH = 2
const SECONDS = 3

const BODY_BYTES = lineFrom(HEADER_BYTES)

const FORMAT: RegionFormat = {
  name: 'memory of recent calls',
  magic: magicOf('ZRCT'),
  version: 2,
  regionBytes: (calls) => BODY_BYTES + calls * (WAY_WORDS + RECENT_PAYLOAD_WORDS) * 4,
}
const NOTED_FORMAT: RegionFormat = {
  name: 'memory of noted calls',
  magic: magicOf('ZNTD'),
  version: 1,
  regionBytes: (calls) => BODY_BYTES + calls * WAY_WORDS * 4,
}

export type RecentCalls = {
  /** Sets, as keys and as payloads. */
  readonly keys: Int32Array
  readonly payloads: Uint32Array
  readonly setMask: number
  readonly setWords: number
}

/** Memory for `capacity` calls, rounded up to a power of two (at least 4): 80 bytes each. */
export function createRecentCalls(capacity: number): SharedArrayBuffer {
  assertCapacity('memory of recent calls', capacity, RECENT_CALLS_MAX)
  return createRegion(FORMAT, powerOfTwoAtLeast(Math.max(WAYS, capacity)))
}

/** Throws SNAPSHOT_FORMAT when the memory holds something else. */
export function openRecentCalls(memory: SharedArrayBuffer): RecentCalls {
  return viewsOf(memory, openRegion(FORMAT, memory), KEYS_WORDS + WAYS * RECENT_PAYLOAD_WORDS)
}

/** Memory for calls of which nothing is remembered but that they were there (noteOnce): 16 bytes each. Else as createRecentCalls. */
export function createNotedCalls(capacity: number): SharedArrayBuffer {
  assertCapacity('memory of noted calls', capacity, RECENT_CALLS_MAX)
  return createRegion(NOTED_FORMAT, powerOfTwoAtLeast(Math.max(WAYS, capacity)))
}

/** Throws SNAPSHOT_FORMAT when the memory holds something else. */
export function openNotedCalls(memory: SharedArrayBuffer): RecentCalls {
  return viewsOf(memory, openRegion(NOTED_FORMAT, memory), KEYS_WORDS)
}

function viewsOf(memory: SharedArrayBuffer, calls: number, setWords: number): RecentCalls {
  return {
    keys: new Int32Array(memory, BODY_BYTES),
    payloads: new Uint32Array(memory, BODY_BYTES),
    setMask: calls / WAYS - 1,
    setWords,
  }
}

/**
 * Copies what was remembered of the call (low, high: its 64-bit hash) at most `windowSeconds` ago into `into`. False: not
 * remembered, too old, or busy in another thread; `into` is then untouched. The hash 0/0 (no call id) is never found.
 */
export function recallCall(
  recent: RecentCalls,
  low: number,
  high: number,
  nowSeconds: number,
  windowSeconds: number,
  into: Uint32Array,
): boolean {
  const keys = recent.keys
  const way = findWay(recent, low | 0, high | 0)
  if (way < 0) return false
  // Pairs with the store that releases a way: what its holder wrote is visible to us.
  if (Atomics.compareExchange(keys, way + LOCK, 0, 1) !== 0) return false
  // Checked again under the lock: the way may have been given to another call since findWay looked.
  const age = nowSeconds - keys[way + SECONDS]!
  const found =
    keys[way + LOW] === (low | 0) && keys[way + HIGH] === (high | 0) && age <= windowSeconds && age >= -windowSeconds // a clock that was set back must not make an answer live for ever
  if (found) {
    const payloads = recent.payloads
    const start = payloadAt(recent, low, way)
    for (let i = 0; i < RECENT_PAYLOAD_WORDS; i++) into[i] = payloads[start + i]!
  }
  // Pairs with the compareExchange here and in rememberCall.
  Atomics.store(keys, way + LOCK, 0)
  return found
}

/**
 * Remembers a call decided at `nowSeconds` (epoch seconds) with the first RECENT_PAYLOAD_WORDS of `payload`. Takes the
 * call's own way, else an empty one, else the oldest; gives up when all candidates are busy. The hash 0/0 is not kept.
 */
export function rememberCall(
  recent: RecentCalls,
  low: number,
  high: number,
  nowSeconds: number,
  payload: Uint32Array,
): void {
  if ((low | high) === 0) return
  const keys = recent.keys
  let way = findWay(recent, low | 0, high | 0)
  if (way < 0) way = oldestWay(recent, low)
  // Pairs with the store that releases a way.
  if (Atomics.compareExchange(keys, way + LOCK, 0, 1) !== 0) return
  keys[way + LOW] = low
  keys[way + HIGH] = high
  keys[way + SECONDS] = nowSeconds
  const payloads = recent.payloads
  const start = payloadAt(recent, low, way)
  for (let i = 0; i < RECENT_PAYLOAD_WORDS; i++) payloads[start + i] = payload[i]!
  // Pairs with the compareExchange here and in recallCall: key and payload are visible before the way is free.
  Atomics.store(keys, way + LOCK, 0)
}

/**
 * Whether the call was noted within `windowSeconds`; notes it otherwise. For memory without payloads (createNotedCalls). What recallCall and rememberCall say of ways and hashes holds here too.
 */
export function noteOnce(
  recent: RecentCalls,
  low: number,
  high: number,
  nowSeconds: number,
  windowSeconds: number,
): boolean {
  if ((low | high) === 0) return false
  const keys = recent.keys
  let way = findWay(recent, low | 0, high | 0)
  if (way < 0) way = oldestWay(recent, low)
  // Pairs with the store that releases a way.
  if (Atomics.compareExchange(keys, way + LOCK, 0, 1) !== 0) return false
  const isThere = keys[way + LOW] === (low | 0) && keys[way + HIGH] === (high | 0)
  const age = nowSeconds - keys[way + SECONDS]!
  const isNoted = isThere && age <= windowSeconds && age >= -windowSeconds
  if (!isNoted) {
    keys[way + LOW] = low
    keys[way + HIGH] = high
    keys[way + SECONDS] = nowSeconds
  }
  // Pairs with the compareExchange here, in recallCall and in rememberCall.
  Atomics.store(keys, way + LOCK, 0)
  return isNoted
}

/** Loads the keys that recallCall looks at into the cache; what it returns means nothing. */
export function fetchKeys(recent: RecentCalls, low: number): number {
  return recent.keys[setAt(recent, low)]!
}

/** Loads what rememberCall writes beside the keys, which should be there. */
export function fetchPayload(recent: RecentCalls, low: number): number {
  return recent.payloads[payloadAt(recent, low, oldestWay(recent, low))]!
}

function setAt({ setMask, setWords }: RecentCalls, low: number): number {
  return (low & setMask) * setWords
}

/** Word index of the payload of a way, which is a word index too. */
function payloadAt(recent: RecentCalls, low: number, way: number): number {
  const set = setAt(recent, low)
  return set + KEYS_WORDS + (way - set) * (RECENT_PAYLOAD_WORDS / WAY_WORDS)
}

/** Word index of the way that seems to hold the call (unlocked: only a hint), or -1. */
function findWay(recent: RecentCalls, low: number, high: number): number {
  if ((low | high) === 0) return -1
  const keys = recent.keys
  const set = setAt(recent, low)
  for (let way = set; way < set + KEYS_WORDS; way += WAY_WORDS) {
    if (keys[way + LOW] === low && keys[way + HIGH] === high) return way
  }
  return -1
}

/** Word index of the way with the smallest time; an empty one has 0. Unlocked: a wrong pick only forgets another call. */
function oldestWay(recent: RecentCalls, low: number): number {
  const keys = recent.keys
  const set = setAt(recent, low)
  let oldest = set
  let seconds = keys[set + SECONDS]!
  for (let way = set + WAY_WORDS; way < set + KEYS_WORDS; way += WAY_WORDS) {
    // Without a branch, which nobody could foresee.
    const isOlder = (keys[way + SECONDS]! - seconds) >> 31
    oldest += (way - oldest) & isOlder
    seconds += (keys[way + SECONDS]! - seconds) & isOlder
  }
  return oldest
}
