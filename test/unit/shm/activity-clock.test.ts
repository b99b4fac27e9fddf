import { describe, expect, it } from 'vitest'
import {
  ACTIVITY_OF,
  type Activity,
  createActivity,
  forgottenUntil,
  noteAttempt,
  openActivity,
  rememberedSince,
  rememberFrom,
} from '../../../src/shm/activity.ts'
import { activityFromBytes, activityToBytes } from '../../../src/shm/activity-snapshot.ts'

const NOON = Date.UTC(2026, 10, 27, 12)
const DAY_MS = 86_400_000
/** Ways of the one set of the smallest table. */
const WAYS = 15

function callers(activity: Activity, first: number, count: number, nowMs: number): void {
  for (let i = 0; i < count; i++) noteAttempt(activity, first + i, ACTIVITY_OF.caller, 79_260_000_000, 0, nowMs)
}

describe('how much of the past a table of activity covers', () => {
  it('begins with its first event, and after what it had to forget', () => {
    const activity = openActivity(createActivity(1))
    expect([rememberedSince(activity), forgottenUntil(activity)]).toEqual([Number.POSITIVE_INFINITY, 0])
    callers(activity, 1_000_000, WAYS, NOON)
    expect([rememberedSince(activity), forgottenUntil(activity)]).toEqual([NOON, 0])
    callers(activity, 2_000_000, WAYS, NOON + 60_000)
    callers(activity, 3_000_000, 1, NOON + 120_000)
    expect([rememberedSince(activity), forgottenUntil(activity)]).toEqual([NOON + 60_000, NOON + 60_000])
  })

  it.each([3 * DAY_MS, -3 * DAY_MS])('begins anew when the clock was set by %d ms', (jumpMs) => {
    const activity = openActivity(createActivity(1))
    rememberFrom(activity, NOON)
    expect(rememberedSince(activity)).toBe(Number.POSITIVE_INFINITY)
    callers(activity, 1_000_000, WAYS, NOON)
    callers(activity, 2_000_000, 1, NOON + 60_000)
    rememberFrom(activity, NOON + jumpMs)
    expect(rememberedSince(activity)).toBe(NOON + jumpMs)
    expect(forgottenUntil(activity)).toBe(Math.min(NOON, NOON + jumpMs))
  })

  it('is the same after a restart, less what finds no room any more', () => {
    const activity = openActivity(createActivity(64))
    callers(activity, 1_000_000, WAYS, NOON)
    callers(activity, 2_000_000, WAYS, NOON + 60_000)
    rememberFrom(activity, NOON - DAY_MS)
    const bytes = activityToBytes(activity)
    const same = openActivity(activityFromBytes(bytes, 64))
    expect([rememberedSince(same), forgottenUntil(same)]).toEqual([NOON - DAY_MS, 0])
    const smaller = openActivity(activityFromBytes(bytes, 1))
    expect([rememberedSince(smaller), forgottenUntil(smaller)]).toEqual([NOON, NOON])
    const again = openActivity(activityFromBytes(activityToBytes(smaller), 64))
    expect([rememberedSince(again), forgottenUntil(again)]).toEqual([NOON, NOON])
  })
})
