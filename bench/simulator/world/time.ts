import { WORLD } from './parameters.ts'

export const MINUTE_MS = 60_000
export const HOUR_MS = 3_600_000
export const DAY_MS = 86_400_000
const OFFSET_MS = WORLD.utcOffsetHours * HOUR_MS

/** Wednesday: after eight days of warm-up, three counted days are two working days and a Saturday. */
export const START_MS = Date.UTC(2026, 8, 9) - OFFSET_MS

/** Local hour of day, 0..23. */
export function hourOf(ms: number): number {
  return Math.floor(((ms + OFFSET_MS) % DAY_MS) / HOUR_MS)
}

/** 1 January 1970 was a Thursday. */
export function isWeekend(ms: number): boolean {
  const weekday = (Math.floor((ms + OFFSET_MS) / DAY_MS) + 4) % 7
  return weekday === 0 || weekday === 6
}
