/**
 * Activity as bytes for a file: only keys that are there, so that a quiet table makes a small file, and one of another
 * capacity can take it up.
 *
 * ```
 *   head of 64 bytes: magic, version, words, checksum, keys, past │ per key: 32 words of head, then its block (0, 64, 256, 4,096 words)
 * ```
 * The checksum is of all keys and then of the head (with 0 for itself), whose counts are known last.
 * Each key is copied under the lock of its set, so it is whole; keys are not of one moment, which windows of minutes do not
 * notice. Times are absolute: what was longer ago than the windows when the file is read simply lies outside them.
 */

import { placeHead } from './activity-insert.ts'
import {
  ACTIVITY_HEAD_WORDS,
  type Activity,
  BLOCK,
  BLOCK_WORDS,
  BORN,
  createActivity,
  DENSE,
  FIRST,
  FORGOT,
  ID_HIGH,
  ID_HIGH_MASK,
  ID_LOW,
  LAST,
  LIST_ROOM,
  lineOf,
  openActivity,
  WAYS,
} from './activity-layout.ts'
import { forgottenBySet } from './activity-past.ts'
import { takeBlock } from './activity-pool.ts'
import { aimAt, classOf, forgetWay, listedOf, lockSet, unlockSet } from './activity-table.ts'
import { checksumBehindHead, createChecksum } from './checksum.ts'
import { checkHead, HEADER_BYTES, HEADER_WORDS, magicOf, type RegionFormat, refusal } from './layout.ts'

// Words of the head beyond magic, version and length in words.
const CHECKSUM_WORD = 3
const KEYS_WORD = 4
const BORN_WORD = 5
const FORGOT_WORD = 6
/** Sets, and what the fullest of them has forgotten: for a table with others. */
const SETS_WORD = 7
const SETS_FORGOT_WORD = 8

const FORMAT: RegionFormat = {
  name: 'snapshot of activity',
  magic: magicOf('ZACS'),
  version: 3,
  regionBytes: (words) => words * 4,
}

/** Tries of some microseconds each before a busy set is left out: its holder was stopped for tens of milliseconds. */
const SET_TRIES = 10_000

/** Some 20 microseconds of work: 240 keys of a full table. */
const STEP_SETS = 16
/** Of one set, when each of its keys has a sketch. */
const SET_WORDS_MAX = WAYS * (ACTIVITY_HEAD_WORDS + BLOCK_WORDS[DENSE]!)
/** A chunk is handed over when another set may not fit any more: from 128 KiB on. */
const CHUNK_WORDS = SET_WORDS_MAX + 2 ** 15

/**
 * A snapshot as chunks, each good until the next step, and at last its head, which goes before them; undefined is a step
 * without a chunk. Threads may go on counting. Each step takes microseconds, so that a main thread can do something else in
 * between; 1 M keys take about 0.15 s in all.
 */
export function* activityInSteps(activity: Activity): Generator<Uint8Array | undefined, Uint8Array> {
  const chunk = new Uint32Array(CHUNK_WORDS)
  const checksum = createChecksum()
  let at = 0
  let summed = 0
  let length = HEADER_WORDS
  let keys = 0
  let setsForgot = 0
  for (let set = 0; set < activity.sets; set++) {
    if (lockPatiently(activity, set)) {
      for (let way = 0; way < WAYS; way++) {
        if (activity.words[lineOf(set) + 1 + way] === 0) continue
        at = copyKey(activity.words, lineOf(set) + (way + 1) * ACTIVITY_HEAD_WORDS, chunk, at)
        keys++
      }
      setsForgot = Math.max(setsForgot, forgottenBySet(activity, set))
      unlockSet(activity, set)
    }
    const isFull = at + SET_WORDS_MAX > CHUNK_WORDS
    if (!isFull && set % STEP_SETS !== STEP_SETS - 1 && set < activity.sets - 1) continue
    if (at > summed) checksum.add(chunk, summed, at)
    summed = at
    if (!isFull && set < activity.sets - 1) {
      yield undefined
      continue
    }
    yield new Uint8Array(chunk.buffer, 0, at * 4)
    length += at
    at = 0
    summed = 0
  }
  // Last: what was forgotten while the keys were copied is missing among them.
  const past = [activity.words[BORN]!, activity.words[FORGOT]!, activity.sets, setsForgot]
  const head = new Uint32Array(HEADER_WORDS)
  head.set([FORMAT.magic, FORMAT.version, length, 0, keys, ...past])
  checksum.add(head, 0, HEADER_WORDS)
  head[CHECKSUM_WORD] = checksum.finish()
  return new Uint8Array(head.buffer)
}

/** The same in one go. */
export function activityToBytes(activity: Activity): Uint8Array {
  const steps = activityInSteps(activity)
  const chunks: Uint8Array[] = []
  for (;;) {
    const { done, value } = steps.next()
    if (done) return Buffer.concat([value, ...chunks])
    if (value !== undefined) chunks.push(value.slice())
  }
}

function lockPatiently(activity: Activity, set: number): boolean {
  for (let tries = 0; tries < SET_TRIES; tries++) if (lockSet(activity, set)) return true
  return false
}

/** Word by word: millions of keys would leave as many views behind for the garbage collector. */
function copyKey(words: Int32Array, head: number, into: Uint32Array, at: number): number {
  for (let i = 0; i < ACTIVITY_HEAD_WORDS; i++) into[at + i] = words[head + i]!
  const size = BLOCK_WORDS[classOf(words, head)]!
  const block = words[head + BLOCK]!
  const body = at + ACTIVITY_HEAD_WORDS
  for (let i = 0; i < size; i++) into[body + i] = words[block + i]!
  return body + size
}

/**
 * A table of `capacity` with the keys of a snapshot; of more than fit, those longest not seen are left out. Throws
 * SNAPSHOT_FORMAT when the bytes are something else, of another version, cut short or damaged.
 */
export function activityFromBytes(bytes: Uint8Array, capacity: number): SharedArrayBuffer {
  if (bytes.byteLength < HEADER_BYTES || bytes.byteLength % 4 !== 0) {
    throw refusal(FORMAT, `The snapshot of activity is cut short: it has ${bytes.byteLength} bytes.`)
  }
  // A copy: file readers return views of a pool, which need not begin at a word.
  const words = new Int32Array(bytes.byteLength / 4)
  new Uint8Array(words.buffer).set(bytes)
  const unsigned = new Uint32Array(words.buffer)
  const length = checkHead(FORMAT, unsigned)
  if (length !== words.length || length % 4 !== 0) {
    throw refusal(FORMAT, `The snapshot of activity has ${words.length} words, expected ${length}: it is damaged.`)
  }
  const expected = unsigned[CHECKSUM_WORD]!
  unsigned[CHECKSUM_WORD] = 0
  if (checksumBehindHead(unsigned, HEADER_WORDS) !== expected) {
    throw refusal(FORMAT, 'The snapshot of activity does not match its checksum: it is damaged.')
  }
  const newest = checkKeys(words, unsigned[KEYS_WORD]!)
  const memory = createActivity(capacity)
  const activity = openActivity(memory)
  activity.words[BORN] = words[BORN_WORD]!
  const isSame = words[SETS_WORD] === activity.sets
  activity.words[FORGOT] = Math.max(words[FORGOT_WORD]!, isSame ? 0 : words[SETS_FORGOT_WORD]!)
  for (let at = HEADER_WORDS; at < length; at = endOf(words, at)) restoreKey(activity, words, at, newest)
  return memory
}

/** Checks every key and returns the latest time any was seen, epoch seconds. */
function checkKeys(words: Int32Array, expected: number): number {
  let newest = 0
  let keys = 0
  for (let at = HEADER_WORDS; at < words.length; at = endOf(words, at)) {
    if (endOf(words, at) > words.length || !isKey(words, at)) {
      throw refusal(FORMAT, `The snapshot of activity has no key where its number ${keys} should be.`)
    }
    newest = Math.max(newest, words[at + LAST]! >>> 0)
    keys++
  }
  if (keys !== expected) throw refusal(FORMAT, `The snapshot of activity has ${keys} keys, expected ${expected}.`)
  return newest
}

function endOf(words: Int32Array, at: number): number {
  return at + ACTIVITY_HEAD_WORDS + BLOCK_WORDS[classOf(words, at)]!
}

/** What a fault of our own could get wrong and would then write beyond a list. */
function isKey(words: Int32Array, at: number): boolean {
  const size = classOf(words, at)
  const last = words[at + LAST]! >>> 0
  if (words[at + FIRST]! >>> 0 > last) return false
  // Block word 1 is the minute of a dense block.
  if (size === DENSE) return listedOf(words, at) === 0 && words[at + ACTIVITY_HEAD_WORDS + 1] === ((last / 60) | 0)
  return listedOf(words, at) <= LIST_ROOM[size]!
}

function restoreKey(activity: Activity, from: Int32Array, at: number, newest: number): void {
  const id = (from[at + ID_HIGH]! & ID_HIGH_MASK) * 2 ** 32 + (from[at + ID_LOW]! >>> 0)
  aimAt(activity, activity.row, id % 2 ** 50, Math.floor(id / 2 ** 50))
  const seconds = from[at + LAST]! >>> 0
  const head = placeHead(activity, activity.row, seconds)
  const { words } = activity
  if (head === 0) return
  const size = classOf(from, at)
  words.set(from.subarray(at, at + ACTIVITY_HEAD_WORDS), head)
  if (size === 0) return
  const block = takeBlock(activity, head, size, newest)
  words[head + BLOCK] = block
  if (block === 0) {
    forgetWay(words, head)
    words[FORGOT] = Math.max(words[FORGOT]!, seconds)
    return
  }
  const body = at + ACTIVITY_HEAD_WORDS
  words.set(from.subarray(body + 1, body + BLOCK_WORDS[size]!), block + 1)
}
