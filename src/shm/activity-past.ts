/**
 * How much of the past a table of activity covers: whether a key that is not there was not seen, or was forgotten.
 *
 * A full set gives up the key longest not seen, so whatever it has forgotten was seen before the oldest it still has; one
 * with an empty way has forgotten nothing. Only keys that lose their block to a pool that is too small (activity-pool.ts) go
 * out of that order: they are noted in FORGOT, which stands for all sets. BORN is the first event, or when the clock was set.
 */
import { ACTIVITY_HEAD_WORDS, type Activity, BORN, FORGOT, LAST, lineOf, type Row, WAYS } from './activity-layout.ts'
import { aimAt, BACK_SECONDS_MAX, unseenFor } from './activity-table.ts'

/** Sets looked at for forgottenUntil. */
const SAMPLES = 256
/** The place of the set that stands for most, of ten. */
const MOST = 0.9

/**
 * Whether a key that is not there has not been seen for `pastMs` before `nowMs`; if it is there, whether it was not seen
 * before its first event. Any thread, after the key's events; no lock and no allocation.
 */
export function remembers(activity: Activity, key: number, of: number, nowMs: number, pastMs: number): boolean {
  aimAt(activity, activity.row, key, of)
  return remembersRow(activity, activity.row, (nowMs / 1_000) | 0, (pastMs / 1_000) | 0)
}

/** remembers for one of activity.rows, in seconds. */
export function remembersRow({ words }: Activity, row: Row, seconds: number, pastSeconds: number): boolean {
  const from = seconds - pastSeconds
  if (words[BORN] === 0 || words[BORN]! > from || words[FORGOT]! > from) return false
  const line = lineOf(row.set)
  let oldest = 0
  // Ways are taken from the first on: whether there is room is seen at the last.
  for (let way = WAYS; way > 0; way--) {
    const entry = words[line + way]!
    if (entry === 0) return true
    const age = unseenFor(entry, seconds)
    if (age > oldest) oldest = age
  }
  return oldest - BACK_SECONDS_MAX > pastSeconds
}

/** The latest time of a key that the set may have forgotten, epoch seconds; 0: it has room. The set should be locked. */
export function forgottenBySet({ words }: Activity, set: number): number {
  const line = lineOf(set)
  let oldest = 0x7fffffff
  // Ways are taken from the first on: whether there is room is seen at the last.
  for (let way = WAYS; way > 0; way--) {
    if (words[line + way] === 0) return 0
    oldest = Math.min(oldest, words[line + way * ACTIVITY_HEAD_WORDS + LAST]!)
  }
  return oldest
}

/**
 * When the key was last seen that was seen latest of all that nine of ten sets may have forgotten, by a sample: epoch
 * milliseconds; 0: nobody who was seen since the table covers anything. For metrics.
 */
export function forgottenUntil(activity: Activity, nowMs: number): number {
  const { words, sets } = activity
  const now = (nowMs / 1_000) | 0
  const count = Math.min(SAMPLES, sets)
  const bySet = Array.from({ length: count }, (_, i) => forgottenBySet(activity, Math.floor((i * sets) / count)))
  // A set of a time to come is from before the clock was set back, which BORN knows of.
  const forgotten = bySet.map((seconds) => (seconds > now ? 0 : seconds)).sort((a, b) => a - b)
  const seconds = Math.max(words[FORGOT]!, forgotten[Math.floor((count - 1) * MOST)]!)
  return seconds > words[BORN]! ? seconds * 1_000 : 0
}

/** Since when the table covers everything but for a set in ten, epoch milliseconds; Infinity before the first event. */
export function rememberedSince(activity: Activity, nowMs: number): number {
  const born = activity.words[BORN]!
  return born === 0 ? Number.POSITIVE_INFINITY : Math.max(born * 1_000, forgottenUntil(activity, nowMs))
}

/**
 * The clock was set, so nobody knows how much time the table covers: what it remembers counts from `nowMs` on. For the main
 * thread of the process.
 */
export function rememberFrom({ words }: Activity, nowMs: number): void {
  if (words[BORN] === 0) return
  words[BORN] = (nowMs / 1_000) | 0
  words[FORGOT] = Math.min(words[FORGOT]!, words[BORN]!)
}
