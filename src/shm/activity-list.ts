/**
 * The attempts of a key one by one, oldest first: 3 in the head, 12 or 102 in a block. Everything about them is exact.
 *
 * ```
 *   hash   32 bits of the other number, 0 for one that is withheld
 *   meta   minute modulo 64 (6) │ outcome (2) │ sequential │ newest to this other │ newest through this trunk │ talk, s (17)
 *   trunk  16 bits, 0 unknown
 * ```
 * The two "newest" bits make distinct counts a sum: in any window that ends now, as many others were dialled as attempts in
 * it carry the bit. Attempts older than the windows leave when a minute begins, so 6 bits are enough for the minute.
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

const OUTCOME_SHIFT = 6
const OUTCOME_MASK = 3 << OUTCOME_SHIFT
export const SEQUENTIAL = 1 << 8
const NEWEST_OTHER = 1 << 9
const NEWEST_TRUNK = 1 << 10
const TALK_SHIFT = 11

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
  for (let i = 0; i < listed; i++) {
    if (words[hashes + i] === hash) words[metas + i] = words[metas + i]! & ~NEWEST_OTHER
    if (halves[trunks + i] === trunk) words[metas + i] = words[metas + i]! & ~NEWEST_TRUNK
  }
  words[hashes + listed] = hash
  words[metas + listed] =
    (minute & 63) | (isSequential ? SEQUENTIAL : 0) | (hash === 0 ? 0 : NEWEST_OTHER) | (trunk === 0 ? 0 : NEWEST_TRUNK)
  halves[trunks + listed] = trunk
  setListed(words, head, listed + 1)
}

/** Drops what is no longer in the windows now that minutes have passed since the newest attempt's. */
export function dropExpired(activity: Activity, head: number, newest: number, passed: number): void {
  const { words, halves } = activity
  const listed = listedOf(words, head)
  const room = LIST_ROOM[classOf(words, head)]!
  const metas = hashesAt(words, head) + room
  let expired = 0
  while (expired < listed && ((newest - words[metas + expired]!) & 63) + passed >= WINDOW_MINUTES) expired++
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
    if (((newest - meta) & 63) + minute - newest >= WINDOW_MINUTES) return false // and all before it are older
    if (words[hashes + i] !== hash || (meta & OUTCOME_MASK) !== 0) continue
    words[metas + i] = meta | (outcome << OUTCOME_SHIFT) | (talkSeconds << TALK_SHIFT)
    return true
  }
  return false
}

/** Sums up the list as of `passed` minutes after its newest attempt. */
export function sumList(activity: Activity, head: number, passed: number, into: ActivityView): void {
  const words = activity.words
  const metas = hashesAt(words, head) + LIST_ROOM[classOf(words, head)]!
  const newest = ((words[head + LAST]! >>> 0) / 60) | 0
  for (let i = listedOf(words, head) - 1; i >= 0; i--) {
    const meta = words[metas + i]!
    const age = ((newest - meta) & 63) + passed
    if (age >= WINDOW_MINUTES) return
    const isOther = (meta & NEWEST_OTHER) === 0 ? 0 : 1
    into.attempts60++
    into.others60 += isOther
    if (age < 15) {
      into.attempts15++
      into.others15 += isOther
      if ((meta & NEWEST_TRUNK) !== 0) into.trunks15++
      if (age === 0) {
        into.attempts1++
        into.others1 += isOther
      }
    }
    if ((meta & SEQUENTIAL) !== 0) into.sequential60++
    const outcome = (meta & OUTCOME_MASK) >>> OUTCOME_SHIFT
    if (outcome === OPEN) continue
    into.ended60++
    if (outcome === ONE_RING) into.oneRing60++
    else if (outcome === ANSWERED) sumAnswered(meta >>> TALK_SHIFT, into)
  }
}

function sumAnswered(talkSeconds: number, into: ActivityView): void {
  into.answered60++
  into.talkSeconds60 += talkSeconds
  if (talkSeconds < SHORT_SECONDS) into.short60++
  else if (talkSeconds < BRIEF_SECONDS) into.brief60++
  else if (talkSeconds >= LONG_SECONDS) into.long60++
}

/** Word index of the list's first meta, for who turns a list into buckets. */
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
