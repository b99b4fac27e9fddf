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
  remembers,
} from '../../../src/shm/activity.ts'
import { lineOf } from '../../../src/shm/activity-layout.ts'
import { activityFromBytes, activityToBytes } from '../../../src/shm/activity-snapshot.ts'

const NOON = Date.UTC(2026, 10, 27, 12)
const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
/** Ways of the one set of the smallest table. */
const WAYS = 15

function callers(activity: Activity, first: number, count: number, nowMs: number): void {
  for (let i = 0; i < count; i++) noteAttempt(activity, first + i, ACTIVITY_OF.caller, 79_260_000_000, 0, nowMs)
}

describe('how much of the past a table of activity covers', () => {
  it('begins with its first event, and after what it had to forget', () => {
    const activity = openActivity(createActivity(1))
    expect([rememberedSince(activity, NOON), forgottenUntil(activity, NOON)]).toEqual([Number.POSITIVE_INFINITY, 0])
    callers(activity, 1_000_000, WAYS, NOON)
    const at = NOON + 3 * MINUTE_MS
    expect([rememberedSince(activity, at), forgottenUntil(activity, at)]).toEqual([NOON, 0])
    callers(activity, 2_000_000, WAYS, NOON + MINUTE_MS)
    callers(activity, 3_000_000, 1, NOON + 2 * MINUTE_MS)
    const oldest = NOON + MINUTE_MS
    expect([rememberedSince(activity, at), forgottenUntil(activity, at)]).toEqual([oldest, oldest])
  })

  it.each([3 * DAY_MS, -3 * DAY_MS])('begins anew when the clock was set by %d ms', (jumpMs) => {
    const activity = openActivity(createActivity(1))
    rememberFrom(activity, NOON)
    expect(rememberedSince(activity, NOON)).toBe(Number.POSITIVE_INFINITY)
    callers(activity, 1_000_000, WAYS, NOON)
    callers(activity, 2_000_000, 2, NOON + MINUTE_MS)
    const now = NOON + jumpMs
    rememberFrom(activity, now)
    expect([rememberedSince(activity, now), forgottenUntil(activity, now)]).toEqual([now, 0])
  })

  it('is the same after a restart, and of other sets what the fullest had forgotten', () => {
    const activity = openActivity(createActivity(1))
    callers(activity, 1_000_000, WAYS, NOON)
    callers(activity, 2_000_000, WAYS, NOON + MINUTE_MS)
    callers(activity, 3_000_000, 1, NOON + 2 * MINUTE_MS)
    const bytes = activityToBytes(activity)
    const at = NOON + 3 * MINUTE_MS
    for (const capacity of [1, 1_024]) {
      const restored = openActivity(activityFromBytes(bytes, capacity))
      expect(rememberedSince(restored, at)).toBe(NOON + MINUTE_MS)
      expect(remembers(restored, 4_000_000, ACTIVITY_OF.caller, at, 90_000)).toBe(true)
      expect(remembers(restored, 4_000_000, ACTIVITY_OF.caller, at, 3 * MINUTE_MS)).toBe(false)
    }
    rememberFrom(activity, NOON - DAY_MS)
    const set = openActivity(activityFromBytes(activityToBytes(activity), 1))
    expect(rememberedSince(set, NOON - DAY_MS)).toBe(NOON - DAY_MS)
  })
})

describe('whether a key that is not there was never seen', () => {
  const asked = (activity: Activity, nowMs: number, pastMs: number) =>
    remembers(activity, 4_000_000, ACTIVITY_OF.caller, nowMs, pastMs)

  it('is not known before so much of the past is covered', () => {
    const activity = openActivity(createActivity(1))
    expect(asked(activity, NOON, 0)).toBe(false)
    callers(activity, 1_000_000, 1, NOON)
    expect(asked(activity, NOON + DAY_MS - 1_000, DAY_MS)).toBe(false)
    expect(asked(activity, NOON + DAY_MS, DAY_MS)).toBe(true)
  })

  it('is as far back as the oldest key of its full set', () => {
    const activity = openActivity(createActivity(1))
    callers(activity, 1_000_000, WAYS - 1, NOON)
    expect(asked(activity, NOON + DAY_MS, DAY_MS)).toBe(true)
    callers(activity, 2_000_000, WAYS, NOON + DAY_MS)
    const later = NOON + 2 * DAY_MS
    expect(asked(activity, later, DAY_MS)).toBe(false)
    expect(asked(activity, later + MINUTE_MS, DAY_MS)).toBe(true)
  })

  it.each(Array.from({ length: WAYS }, (_, index) => index + 1))('is known while way %i of its set is empty', (way) => {
    const activity = openActivity(createActivity(1))
    callers(activity, 1_000_000, 1, NOON)
    callers(activity, 2_000_000, WAYS, NOON + DAY_MS)
    expect(asked(activity, NOON + DAY_MS, DAY_MS)).toBe(false)
    activity.words[lineOf(0) + way] = 0
    expect(asked(activity, NOON + DAY_MS, DAY_MS)).toBe(true)
  })

  it('is not known for a day after a busy key lost its block to a pool that is too small', () => {
    // Sets have room for all of them; the largest blocks are few.
    const activity = openActivity(createActivity(1_024))
    callers(activity, 1_000_000, 1, NOON - DAY_MS)
    expect(asked(activity, NOON, DAY_MS)).toBe(true)
    for (let caller = 0; caller < 200; caller++) {
      for (let i = 0; i < 110; i++) {
        noteAttempt(activity, 5_000_000 + caller, ACTIVITY_OF.caller, 79_260_000_000 + i, 0, NOON)
      }
    }
    expect(asked(activity, NOON, DAY_MS)).toBe(false)
    expect(asked(activity, NOON + DAY_MS, DAY_MS)).toBe(true)
  })
})
