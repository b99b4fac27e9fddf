/**
 * What is known of a key. Windows are whole minutes: the current one and the 0, 14 or 59 before it, so that a window of 15
 * minutes covers the last 14 to 15. An outcome counts in the minute of its attempt, never of its end.
 */
export type ActivityView = {
  /** Epoch milliseconds, whole seconds; 0 unknown. */
  firstSeenMs: number
  lastSeenMs: number
  attempts1: number
  attempts15: number
  attempts60: number
  /** Distinct callees (rows of callees and blocks: distinct callers); attempts with a withheld other count none. */
  others1: number
  others15: number
  others60: number
  ended60: number
  answered60: number
  /** Answered, talk below 6 s. */
  short60: number
  /** Answered, talk from 6 s, below 30 s. */
  brief60: number
  /** Answered, talk from 60 s. */
  long60: number
  /** Not answered, rang for 5 s or less (ringMs above 0). */
  oneRing60: number
  /** Whole seconds of each call, at most a day each. */
  talkSeconds60: number
  /** Attempts to a number 1 to 4 from the one dialled just before. */
  sequential60: number
  /** Distinct trunks (index above 0); at most 48 for a key with more than 102 attempts an hour. */
  trunks15: number
  /** Distinct UTC days with an attempt since first seen, at most 255. */
  days: number
  /** Since first seen; all three are halved when the first would pass 65,535. */
  totalAttempts: number
  totalAnswered: number
  totalLong: number
}

/** One per thread; readActivity fills it. */
export function createActivityView(): ActivityView {
  return {
    firstSeenMs: 0,
    lastSeenMs: 0,
    attempts1: 0,
    attempts15: 0,
    attempts60: 0,
    others1: 0,
    others15: 0,
    others60: 0,
    ended60: 0,
    answered60: 0,
    short60: 0,
    brief60: 0,
    long60: 0,
    oneRing60: 0,
    talkSeconds60: 0,
    sequential60: 0,
    trunks15: 0,
    days: 0,
    totalAttempts: 0,
    totalAnswered: 0,
    totalLong: 0,
  }
}

export function clearActivityView(view: ActivityView): void {
  view.firstSeenMs = 0
  view.lastSeenMs = 0
  view.attempts1 = 0
  view.attempts15 = 0
  view.attempts60 = 0
  view.others1 = 0
  view.others15 = 0
  view.others60 = 0
  view.ended60 = 0
  view.answered60 = 0
  view.short60 = 0
  view.brief60 = 0
  view.long60 = 0
  view.oneRing60 = 0
  view.talkSeconds60 = 0
  view.sequential60 = 0
  view.trunks15 = 0
  view.days = 0
  view.totalAttempts = 0
  view.totalAnswered = 0
  view.totalLong = 0
}
