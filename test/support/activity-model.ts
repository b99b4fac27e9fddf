import type { ActivityView } from '../../src/shm/activity.ts'

/** Attempts a key may have within the hour before single ones are no longer known. */
const LISTED_MAX = 102

type Attempt = {
  minute: number
  other: number
  trunk: number
  sequential: boolean
  ended: boolean
  answered: boolean
  oneRing: boolean
  talk: number
}

type Row = {
  firstSeconds: number
  lastSeconds: number
  lastOther: number
  days: number
  total: number
  totalAnswered: number
  totalLong: number
  isDense: boolean
  attempts: Attempt[]
}

/** What activity must know, from plain arrays: no bound, no sketch, no eviction. */
export function createActivityModel() {
  const rows = new Map<string, Row>()

  /** The minute windows end with; undefined when the clock went back too far. */
  function minuteNow(row: Row, seconds: number): number | undefined {
    const minute = Math.floor(seconds / 60)
    const newest = Math.floor(row.lastSeconds / 60)
    if (minute >= newest) return minute
    return newest - minute <= 60 ? newest : undefined
  }

  function moveOn(row: Row, seconds: number): void {
    const minute = minuteNow(row, seconds)
    if (minute === undefined) {
      row.attempts = []
      row.isDense = false
      row.lastSeconds = seconds
      row.firstSeconds = Math.min(row.firstSeconds, seconds)
      return
    }
    if (seconds <= row.lastSeconds) return
    if (Math.floor(seconds / 86_400) > Math.floor(row.lastSeconds / 86_400)) row.days = Math.min(255, row.days + 1)
    row.attempts = row.attempts.filter((attempt) => minute - attempt.minute < 60)
    if (row.attempts.length === 0) row.isDense = false
    row.lastSeconds = seconds
  }

  return {
    has: (key: number, of: number) => rows.has(`${key}/${of}`),
    isDense: (key: number, of: number) => rows.get(`${key}/${of}`)?.isDense ?? false,
    attempt(key: number, of: number, other: number, trunk: number, nowMs: number): void {
      if (key <= 0) return
      const seconds = Math.floor(nowMs / 1_000)
      let row = rows.get(`${key}/${of}`)
      if (row) moveOn(row, seconds)
      else {
        row = {
          firstSeconds: seconds,
          lastSeconds: seconds,
          lastOther: -1,
          days: 1,
          total: 0,
          totalAnswered: 0,
          totalLong: 0,
          isDense: false,
          attempts: [],
        }
        rows.set(`${key}/${of}`, row)
      }
      const step = Math.abs(other - row.lastOther)
      const sequential = other > 0 && row.lastOther > 0 && step >= 1 && step <= 4
      row.lastOther = other
      if (row.attempts.length >= LISTED_MAX) row.isDense = true
      const minute = Math.floor(row.lastSeconds / 60)
      row.attempts.push({
        minute,
        other,
        trunk,
        sequential,
        ended: false,
        answered: false,
        oneRing: false,
        talk: 0,
      })
      if (row.total === 65_535) {
        row.total >>= 1
        row.totalAnswered >>= 1
        row.totalLong >>= 1
      }
      row.total++
    },

    end(
      key: number,
      of: number,
      other: number,
      answered: boolean,
      ringMs: number,
      talkMs: number,
      nowMs: number,
    ): boolean {
      const row = rows.get(`${key}/${of}`)
      if (!row) return false
      const seconds = Math.floor(nowMs / 1_000)
      const minute = minuteNow(row, seconds)
      if (minute === undefined) return false
      const known = row.attempts.filter((attempt) => minute - attempt.minute < 60)
      const attempt = row.isDense
        ? nearest(known, seconds - Math.floor((ringMs + (answered ? talkMs : 0)) / 1_000), seconds, minute)
        : known.findLast((one) => !one.ended && same(one.other, other))
      if (!attempt) return false
      attempt.ended = true
      attempt.answered = answered
      attempt.oneRing = !answered && ringMs > 0 && ringMs <= 5_000
      attempt.talk = answered ? Math.floor(Math.min(talkMs, 86_400_000) / 1_000) : 0
      if (answered) row.totalAnswered = Math.min(row.total, row.totalAnswered + 1)
      if (attempt.talk >= 60) row.totalLong = Math.min(row.totalAnswered, row.totalLong + 1)
      return true
    },

    read(key: number, of: number, nowMs: number): ActivityView | undefined {
      const row = rows.get(`${key}/${of}`)
      if (!row) return undefined
      const minute = minuteNow(row, Math.floor(nowMs / 1_000))
      const within = (minutes: number) =>
        minute === undefined ? [] : row.attempts.filter((attempt) => minute - attempt.minute < minutes)
      const hour = within(60)
      const others = (attempts: Attempt[]) =>
        new Set(attempts.map(({ other }) => other).filter((other) => other > 0)).size
      const answered = hour.filter((attempt) => attempt.answered)
      return {
        firstSeenMs: row.firstSeconds * 1_000,
        lastSeenMs: row.lastSeconds * 1_000,
        attempts1: within(1).length,
        attempts15: within(15).length,
        attempts60: hour.length,
        others1: others(within(1)),
        others15: others(within(15)),
        others60: others(hour),
        ended60: hour.filter(({ ended }) => ended).length,
        answered60: answered.length,
        short60: answered.filter(({ talk }) => talk < 6).length,
        brief60: answered.filter(({ talk }) => talk >= 6 && talk < 30).length,
        long60: answered.filter(({ talk }) => talk >= 60).length,
        oneRing60: hour.filter(({ oneRing }) => oneRing).length,
        talkSeconds60: answered.reduce((sum, { talk }) => sum + talk, 0),
        sequential60: hour.filter(({ sequential }) => sequential).length,
        trunks15: new Set(within(15).flatMap(({ trunk }) => (trunk > 0 ? [trunk] : []))).size,
        days: row.days,
        totalAttempts: row.total,
        totalAnswered: row.totalAnswered,
        totalLong: row.totalLong,
      }
    },
  }
}

function same(one: number, other: number): boolean {
  return one === other || (one <= 0 && other <= 0)
}

/** The open attempt in the minute nearest to where the end says it began: backwards first, then forwards. */
function nearest(attempts: Attempt[], began: number, seconds: number, minute: number): Attempt | undefined {
  const beganMinute = Math.floor(began / 60) + minute - Math.floor(seconds / 60)
  if (beganMinute <= minute - 60) return undefined
  const open = attempts.filter(({ ended }) => !ended)
  return open.findLast((one) => one.minute <= beganMinute) ?? open.find((one) => one.minute > beganMinute)
}
