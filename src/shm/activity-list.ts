/**
 * The attempts of a key one by one, oldest first: 9 in the head, 25 or 102 in a block. Everything about them is exact.
 *
 * ```
 *   hash   32 bits of the other number, 0 for one that is withheld
 *   meta   minute modulo 1,024 (10) │ outcome (2) │ sequential │ newest to this other │ newest through this trunk │ talk, s (17)
 *   trunk  16 bits, 0 unknown
 * ```
 * The two "newest" bits make distinct counts a sum: in any window that ends now, as many others were dialled as attempts in
 * it carry the bit. Attempts older than the windows leave a block when a minute begins; in a head they lie until it is full.
 * After an hour without a call the list is emptied, so the oldest of nine is at most 8 x 59 minutes older than the newest.
 *
 * Loops over attempts branch as little as they can: what an attempt is, no processor foresees, and each wrong guess costs as
 * much as ten instructions.
 */
import { type Activity, BLOCK, LAST, LIST_ROOM } from './activity-layout.ts'
import { classOf, listedOf, setListed } from './activity-table.ts'
import type { ActivityView } from './activity-view.ts'

/** Minutes a window of an hour covers: the current one and the 59 before. */
export const WINDOW_MINUTES = 60

export const OPEN = 0
export const UNANSWERED = 1
export const ONE_RING = 2
export const ANSWERED = 3

const MINUTE_MASK = 1_023
const OUTCOME_SHIFT = 10
const OUTCOME_MASK = 3 << OUTCOME_SHIFT
const SEQUENTIAL_SHIFT = 12
export const SEQUENTIAL = 1 << SEQUENTIAL_SHIFT
const OTHER_SHIFT = 13
const NEWEST_OTHER = 1 << OTHER_SHIFT
const TRUNK_SHIFT = 14
const NEWEST_TRUNK = 1 << TRUNK_SHIFT
const TALK_SHIFT = 15

/** Talk below which an answered call is short, below which brief, from which long: seconds. */
const SHORT_SECONDS = 6
const BRIEF_SECONDS = 30
export const LONG_SECONDS = 60

/** Word index of the first hash; metas follow, then trunks. */
export function hashesAt(words: Int32Array, head: number): number {
  return classOf(words, head) === 0 ? head + 8 : words[head + BLOCK]! + 1
}

/** Appends an attempt in the newest minute; there must be room. */
export function appendAttempt(
  activity: Activity,
  head: number,
  hash: number,
  trunk: number,
  isSequential: boolean,
  minute: number,
): void {
  const { words, halves } = activity
  const room = LIST_ROOM[classOf(words, head)]!
  const listed = listedOf(words, head)
  const hashes = hashesAt(words, head)
  const metas = hashes + room
  const trunks = (metas + room) * 2
  // The newest before it to the same other, and through the same trunk, is no longer the newest: hardly ever one, nearly always the last.
  let same = listed - 1
  while (same >= 0 && words[hashes + same] !== hash) same--
  if (same >= 0) words[metas + same] = words[metas + same]! & ~NEWEST_OTHER
  same = listed - 1
  while (same >= 0 && halves[trunks + same] !== trunk) same--
  if (same >= 0) words[metas + same] = words[metas + same]! & ~NEWEST_TRUNK
  words[hashes + listed] = hash
  words[metas + listed] =
    (minute & MINUTE_MASK) |
    (isSequential ? SEQUENTIAL : 0) |
    (hash === 0 ? 0 : NEWEST_OTHER) |
    (trunk === 0 ? 0 : NEWEST_TRUNK)
  halves[trunks + listed] = trunk
  setListed(words, head, listed + 1)
}

/** Drops what is no longer in the windows now that minutes have passed since the newest attempt's. */
export function dropExpired(activity: Activity, head: number, newest: number, passed: number): void {
  const { words, halves } = activity
  const listed = listedOf(words, head)
  const metas = metasAt(words, head)
  let expired = 0
  while (expired < listed && minutesSince(words[metas + expired]!, newest) + passed >= WINDOW_MINUTES) expired++
  if (expired > 0) dropOldest(words, halves, head, expired)
}

/** Drops the first attempts of the list; the rest moves up. */
export function dropOldest(words: Int32Array, halves: Uint16Array, head: number, count: number): void {
  const room = LIST_ROOM[classOf(words, head)]!
  const listed = listedOf(words, head)
  const hashes = hashesAt(words, head)
  const metas = hashes + room
  const trunks = (metas + room) * 2
  for (let i = count; i < listed; i++) {
    words[hashes + i - count] = words[hashes + i]!
    words[metas + i - count] = words[metas + i]!
    halves[trunks + i - count] = halves[trunks + i]!
  }
  setListed(words, head, listed - count)
}

/** Copies the list between head and block, or from block to block: `hashes` is where it lay, `room` what it had. */
export function copyList(activity: Activity, hashes: number, room: number, head: number): void {
  const { words, halves } = activity
  const newRoom = LIST_ROOM[classOf(words, head)]!
  const listed = listedOf(words, head)
  const to = hashesAt(words, head)
  for (let i = 0; i < listed; i++) {
    words[to + i] = words[hashes + i]!
    words[to + newRoom + i] = words[hashes + room + i]!
    halves[(to + newRoom * 2) * 2 + i] = halves[(hashes + room * 2) * 2 + i]!
  }
}

/**
 * Notes the outcome of the newest open attempt to this other that began less than 60 whole minutes before `minute` (not
 * before the newest attempt's). False: there is none.
 */
export function closeListed(
  words: Int32Array,
  head: number,
  hash: number,
  outcome: number,
  talkSeconds: number,
  minute: number,
): boolean {
  const hashes = hashesAt(words, head)
  const metas = hashes + LIST_ROOM[classOf(words, head)]!
  const newest = ((words[head + LAST]! >>> 0) / 60) | 0
  for (let i = listedOf(words, head) - 1; i >= 0; i--) {
    const meta = words[metas + i]!
    if (minutesSince(meta, newest) + minute - newest >= WINDOW_MINUTES) return false // and all before it are older
    if (words[hashes + i] !== hash || (meta & OUTCOME_MASK) !== 0) continue
    words[metas + i] = meta | (outcome << OUTCOME_SHIFT) | (talkSeconds << TALK_SHIFT)
    return true
  }
  return false
}

/**
 * Sums of a list are added four at a time, as fields of seven bits in one word: a list has 102 attempts at most. What the
 * flags of an attempt, and the talk of one that was answered, add is looked up.
 */
const FIELD = 7
const FIELD_MASK = (1 << FIELD) - 1
const ONE_RING_SHIFT = 24 // above the talk of 102 days, 8.8 M seconds

/** By the bits of a meta from OUTCOME_SHIFT on, outcome to newest through its trunk, and whether it is of the last 15 minutes. */
const FLAG_SUMS = Int32Array.from({ length: 64 }, (_, flags) => {
  const isEnded = (flags & 3) === OPEN ? 0 : 1
  const isSequential = (flags >>> 2) & 1
  const isOther = (flags >>> 3) & 1
  const isTrunk15 = (flags >>> 4) & (flags >>> 5) & 1
  return isOther | (isEnded << FIELD) | (isSequential << (2 * FIELD)) | (isTrunk15 << (3 * FIELD))
})
/** By outcome, and talk below SHORT_SECONDS, BRIEF_SECONDS and LONG_SECONDS: none to three of them. */
const ANSWER_SUMS = Int32Array.from({ length: 16 }, (_, index) => {
  if (index >>> 2 !== ANSWERED) return 0
  // Of three limits: below none it is long, below one it is neither, below two brief, below all short.
  const field = [3, 0, 2, 1][index & 3]!
  return field === 0 ? 1 : 1 | (1 << (field * FIELD))
})

/** Sums up the list as of `passed` minutes after its newest attempt: all of `into` but its totals. */
export function sumList(activity: Activity, head: number, passed: number, into: ActivityView): void {
  const words = activity.words
  const metas = metasAt(words, head)
  const newest = ((words[head + LAST]! >>> 0) / 60) | 0
  const listed = listedOf(words, head)
  let recent = 0 // attempts1, attempts15, others1, others15
  let flags = 0 // others60, ended60, sequential60, trunks15
  let answers = 0 // answered60, short60, brief60, long60
  let talks = 0 // talkSeconds60, oneRing60
  let at = metas + listed - 1
  for (; at >= metas; at--) {
    const meta = words[at]!
    const age = minutesSince(meta, newest) + passed
    if (age >= WINDOW_MINUTES) break
    const in15 = isBelow(age, 15)
    const windows = isBelow(age, 1) | (in15 << FIELD)
    recent += windows | ((windows & -((meta >>> OTHER_SHIFT) & 1)) << (2 * FIELD))
    flags += FLAG_SUMS[((meta >>> OUTCOME_SHIFT) & 31) | (in15 << 5)]!
    const outcome = (meta >>> OUTCOME_SHIFT) & 3
    const seconds = meta >>> TALK_SHIFT // none where it was not answered
    const below = isBelow(seconds, SHORT_SECONDS) + isBelow(seconds, BRIEF_SECONDS) + isBelow(seconds, LONG_SECONDS)
    answers += ANSWER_SUMS[(outcome << 2) | below]!
    talks += seconds | (isOneRing(outcome) << ONE_RING_SHIFT)
  }
  into.attempts1 = recent & FIELD_MASK
  into.attempts15 = (recent >>> FIELD) & FIELD_MASK
  into.attempts60 = metas + listed - 1 - at
  into.others1 = (recent >>> (2 * FIELD)) & FIELD_MASK
  into.others15 = (recent >>> (3 * FIELD)) & FIELD_MASK
  into.others60 = flags & FIELD_MASK
  into.ended60 = (flags >>> FIELD) & FIELD_MASK
  into.sequential60 = (flags >>> (2 * FIELD)) & FIELD_MASK
  into.trunks15 = (flags >>> (3 * FIELD)) & FIELD_MASK
  into.answered60 = answers & FIELD_MASK
  into.short60 = (answers >>> FIELD) & FIELD_MASK
  into.brief60 = (answers >>> (2 * FIELD)) & FIELD_MASK
  into.long60 = (answers >>> (3 * FIELD)) & FIELD_MASK
  into.oneRing60 = talks >>> ONE_RING_SHIFT
  into.talkSeconds60 = talks & ((1 << ONE_RING_SHIFT) - 1)
}

/** 1 for ONE_RING, else 0. */
function isOneRing(outcome: number): number {
  return (outcome >>> 1) & ~outcome
}

/** 1 when it is, else 0, of two numbers that are less than 2^31 apart. */
function isBelow(value: number, limit: number): number {
  return (value - limit) >>> 31
}

/** Whole minutes from an attempt to the newest of its list. */
export function minutesSince(meta: number, newest: number): number {
  return (newest - meta) & MINUTE_MASK
}

/** Word index of the list's first meta. */
export function metasAt(words: Int32Array, head: number): number {
  return hashesAt(words, head) + LIST_ROOM[classOf(words, head)]!
}

export function outcomeOf(meta: number): number {
  return (meta & OUTCOME_MASK) >>> OUTCOME_SHIFT
}

export function talkOf(meta: number): number {
  return meta >>> TALK_SHIFT
}

export function isNewestThroughTrunk(meta: number): boolean {
  return (meta & NEWEST_TRUNK) !== 0
}
