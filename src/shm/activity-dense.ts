/**
 * The attempts of a key that has more than 102 an hour: a bucket of counts a minute, exact, and a sketch of the distinct
 * others (sliding-sketch.ts). Single attempts are no longer known: an end counts towards the minute it says it began in,
 * or the nearest that has an attempt without an outcome, if the sketch does not deny that the other was dialled.
 *
 * ```
 *   0 owner │ 1 minute │ 2-10 sums of the hour │ 11 attempts in 15 minutes │ 12-59 trunks │ 60 buckets x 9 │ sketch
 * ```
 * The sums are the buckets' of the 60 minutes up to `minute`, so a reader in that minute adds nothing up.
 */
import { type Activity, BLOCK_WORDS, DENSE, LIST_ROOM } from './activity-layout.ts'
import {
  ANSWERED,
  hashesAt,
  isNewestThroughTrunk,
  LONG_SECONDS,
  metasAt,
  minutesSince,
  ONE_RING,
  OPEN,
  outcomeOf,
  SEQUENTIAL,
  talkOf,
  WINDOW_MINUTES,
} from './activity-list.ts'
import { classOf, listedOf } from './activity-table.ts'
import type { ActivityView } from './activity-view.ts'
import {
  addToSketch,
  measureSketch,
  moveSketch,
  SKETCH_WORDS,
  sketchMayHave,
  stampSketch,
  startSketch,
} from './sliding-sketch.ts'

const MINUTE = 1
const SUMS = 2
const ATTEMPTS_15 = 11
const TRUNKS = 12
/** A caller comes through one trunk; 48 is far beyond any threshold. */
export const TRUNKS_MAX = 48
const BUCKETS = TRUNKS + TRUNKS_MAX
const SKETCH = BUCKETS + WINDOW_MINUTES * 9

// Fields of the sums and of each bucket.
const FIELDS = 9
const ATTEMPTS = 0
const ENDED = 1
const ANSWERS = 2
const SHORT = 3
const BRIEF = 4
const LONG = 5
const ONE_RINGS = 6
const TALK = 7
const SEQUENTIALS = 8

if (SKETCH + SKETCH_WORDS > BLOCK_WORDS[DENSE]!) throw new RangeError('A dense block is too small for its sketch.')

/** Turns the list of a head into the dense block `block`; the newest attempt of the list is in `minute`. */
export function fillDense(activity: Activity, head: number, block: number, minute: number): void {
  const { words, halves, bytes } = activity
  words.fill(0, block + 1, block + BLOCK_WORDS[DENSE]!)
  words[block + MINUTE] = minute
  const listed = listedOf(words, head)
  const hashes = hashesAt(words, head)
  const metas = metasAt(words, head)
  const trunks = (metas + LIST_ROOM[classOf(words, head)]!) * 2
  for (let i = 0; i < listed; i++) {
    const meta = words[metas + i]!
    const began = minute - minutesSince(meta, minute)
    add(words, block, began, ATTEMPTS, 1)
    if ((meta & SEQUENTIAL) !== 0) add(words, block, began, SEQUENTIALS, 1)
    if (minute - began < 15) words[block + ATTEMPTS_15] = words[block + ATTEMPTS_15]! + 1
    if (outcomeOf(meta) !== OPEN) addOutcome(words, block, began, outcomeOf(meta), talkOf(meta))
    if (isNewestThroughTrunk(meta)) noteTrunk(words, block, halves[trunks + i]!, began)
    if (words[hashes + i] !== 0) stampSketch(bytes, block + SKETCH, words[hashes + i]!, began)
  }
  moveSketch(words, halves, bytes, block + SKETCH, minute, 0)
}

/** Moves the windows on to a later minute. */
export function moveDense(activity: Activity, block: number, minute: number): void {
  const { words, halves, bytes } = activity
  const passed = minute - words[block + MINUTE]!
  if (passed <= 0) return
  words[block + MINUTE] = minute
  if (passed >= WINDOW_MINUTES) {
    words.fill(0, block + SUMS, block + BLOCK_WORDS[DENSE]!)
    startSketch(words, block + SKETCH)
    return
  }
  for (let m = minute - passed + 1; m <= minute; m++) {
    words[block + ATTEMPTS_15] = words[block + ATTEMPTS_15]! - words[bucketAt(block, m - 15) + ATTEMPTS]!
    const bucket = bucketAt(block, m) // that of m - 60 until now
    for (let field = 0; field < FIELDS; field++) {
      words[block + SUMS + field] = words[block + SUMS + field]! - words[bucket + field]!
      words[bucket + field] = 0
    }
  }
  for (let at = block + TRUNKS; at < block + BUCKETS; at++) {
    if (words[at] !== 0 && trunkAge(words[at]!, minute - passed) + passed >= 15) words[at] = 0
  }
  moveSketch(words, halves, bytes, block + SKETCH, minute, passed)
}

/** Counts an attempt in the block's minute. */
export function appendDense(
  activity: Activity,
  block: number,
  hash: number,
  trunk: number,
  isSequential: boolean,
): void {
  const { words } = activity
  const minute = words[block + MINUTE]!
  add(words, block, minute, ATTEMPTS, 1)
  words[block + ATTEMPTS_15] = words[block + ATTEMPTS_15]! + 1
  if (isSequential) add(words, block, minute, SEQUENTIALS, 1)
  if (trunk !== 0) noteTrunk(words, block, trunk, minute)
  if (hash !== 0) addToSketch(words, activity.halves, activity.bytes, block + SKETCH, hash, minute)
}

/**
 * Counts an outcome in the minute nearest to `began` (looking back first) that has an attempt without one, of the hour that
 * ends with `minute` (not before the block's). False: none, or the other was not dialled, or the attempt is too old.
 */
export function closeDense(
  activity: Activity,
  block: number,
  hash: number,
  outcome: number,
  talkSeconds: number,
  began: number,
  minute: number,
): boolean {
  const { words } = activity
  const last = words[block + MINUTE]!
  const first = minute - WINDOW_MINUTES + 1
  if (began < first || first > last) return false
  if (hash !== 0 && !sketchMayHave(activity.bytes, block + SKETCH, hash, last)) return false
  const from = Math.min(began, last)
  for (let m = from; m >= first; m--) if (closeIn(words, block, m, outcome, talkSeconds)) return true
  for (let m = from + 1; m <= last; m++) if (closeIn(words, block, m, outcome, talkSeconds)) return true
  return false
}

function closeIn(words: Int32Array, block: number, minute: number, outcome: number, talkSeconds: number): boolean {
  const bucket = bucketAt(block, minute)
  if (words[bucket + ENDED]! >= words[bucket + ATTEMPTS]!) return false
  addOutcome(words, block, minute, outcome, talkSeconds)
  return true
}

function addOutcome(words: Int32Array, block: number, minute: number, outcome: number, talkSeconds: number): void {
  add(words, block, minute, ENDED, 1)
  if (outcome === ONE_RING) add(words, block, minute, ONE_RINGS, 1)
  if (outcome !== ANSWERED) return
  add(words, block, minute, ANSWERS, 1)
  // The sum stays below 2^31 (25,000 calls of a day each), as the fields are.
  add(words, block, minute, TALK, Math.min(talkSeconds, 0x7fffffff - words[block + SUMS + TALK]!))
  if (talkSeconds < 6) add(words, block, minute, SHORT, 1)
  else if (talkSeconds < 30) add(words, block, minute, BRIEF, 1)
  else if (talkSeconds >= LONG_SECONDS) add(words, block, minute, LONG, 1)
}

function add(words: Int32Array, block: number, minute: number, field: number, by: number): void {
  const bucket = bucketAt(block, minute)
  words[bucket + field] = words[bucket + field]! + by
  words[block + SUMS + field] = words[block + SUMS + field]! + by
}

function bucketAt(block: number, minute: number): number {
  return block + BUCKETS + ((minute + WINDOW_MINUTES) % WINDOW_MINUTES) * FIELDS
}

/** An entry: the trunk plus one above 6 bits of the minute it was last used in. The oldest makes room. */
function noteTrunk(words: Int32Array, block: number, trunk: number, minute: number): void {
  let chosen = block + TRUNKS
  let oldest = -1
  for (let at = block + TRUNKS; at < block + BUCKETS; at++) {
    const entry = words[at]!
    if (entry >>> 6 === trunk + 1) {
      chosen = at
      break
    }
    const age = entry === 0 ? 64 : trunkAge(entry, minute)
    if (age > oldest) {
      oldest = age
      chosen = at
    }
  }
  words[chosen] = ((trunk + 1) << 6) | (minute & 63)
}

function trunkAge(entry: number, minute: number): number {
  return (minute - entry) & 63
}

/** Sums up the block as of `passed` minutes after its own. */
export function sumDense(activity: Activity, block: number, passed: number, into: ActivityView): void {
  const { words } = activity
  const last = words[block + MINUTE]!
  if (passed >= WINDOW_MINUTES) return
  let estimates = words
  let estimatesAt = block + SKETCH
  if (passed === 0) {
    fillSums(words, block + SUMS, into)
    into.attempts15 = words[block + ATTEMPTS_15]!
    into.attempts1 = words[bucketAt(block, last) + ATTEMPTS]!
  } else {
    sumBuckets(words, block, last, passed, activity.scratch, into)
    measureSketch(words, activity.bytes, block + SKETCH, last, passed, activity.scratch)
    estimates = activity.scratch
    estimatesAt = 0
  }
  into.others1 = Math.min(estimates[estimatesAt]!, into.attempts1)
  into.others15 = Math.min(estimates[estimatesAt + 1]!, into.attempts15)
  into.others60 = Math.min(estimates[estimatesAt + 2]!, into.attempts60)
  for (let at = block + TRUNKS; at < block + BUCKETS; at++) {
    if (words[at] !== 0 && trunkAge(words[at]!, last) + passed < 15) into.trunks15++
  }
}

function sumBuckets(
  words: Int32Array,
  block: number,
  last: number,
  passed: number,
  sums: Int32Array,
  into: ActivityView,
): void {
  sums.fill(0)
  for (let m = last + passed - WINDOW_MINUTES + 1; m <= last; m++) {
    const bucket = bucketAt(block, m)
    for (let field = 0; field < FIELDS; field++) sums[field] = sums[field]! + words[bucket + field]!
    if (last + passed - m < 15) into.attempts15 += words[bucket + ATTEMPTS]!
  }
  fillSums(sums, 0, into)
}

function fillSums(words: Int32Array, sums: number, into: ActivityView): void {
  into.attempts60 = words[sums + ATTEMPTS]!
  into.ended60 = words[sums + ENDED]!
  into.answered60 = words[sums + ANSWERS]!
  into.short60 = words[sums + SHORT]!
  into.brief60 = words[sums + BRIEF]!
  into.long60 = words[sums + LONG]!
  into.oneRing60 = words[sums + ONE_RINGS]!
  into.talkSeconds60 = words[sums + TALK]!
  into.sequential60 = words[sums + SEQUENTIALS]!
}
