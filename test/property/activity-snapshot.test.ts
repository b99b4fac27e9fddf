import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ScreeningError } from '../../src/domain/errors.ts'
import {
  type Activity,
  createActivity,
  createActivityView,
  noteAttempt,
  noteEnd,
  openActivity,
  readActivity,
} from '../../src/shm/activity.ts'
import { activityFromBytes, activityToBytes } from '../../src/shm/activity-snapshot.ts'

const NOW = Date.UTC(2026, 2, 14, 12, 0)
const CALLER = 79_160_000_000

/** `counts[i]` attempts of caller i, some of them ended, over twenty minutes. */
function filled(capacity: number, counts: readonly number[]): Activity {
  const activity = openActivity(createActivity(capacity))
  for (const [caller, count] of counts.entries()) {
    for (let i = 0; i < count; i++) {
      const now = NOW + Math.floor((i / count) * 20) * 60_000
      noteAttempt(activity, CALLER + caller, caller % 6, 79_310_000_000 + i * 3, i % 5, now)
      if (i % 3 === 0) noteEnd(activity, CALLER + caller, caller % 6, 79_310_000_000 + i * 3, true, 2_000, 9_000, now)
    }
  }
  return activity
}

function read(activity: Activity, caller: number, nowMs: number) {
  const view = createActivityView()
  return { known: readActivity(activity, CALLER + caller, caller % 6, nowMs, view), ...view }
}

function codeOf(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    return error instanceof ScreeningError ? error.code : String(error)
  }
  return 'accepted'
}

describe('a snapshot of activity', () => {
  it('brings back every key as it was, into a table of the same or a larger capacity', () => {
    const counts = fc.array(fc.constantFrom(1, 3, 9, 10, 25, 26, 102, 103, 600), { minLength: 1, maxLength: 20 })
    fc.assert(
      fc.property(counts, fc.constantFrom(20_500, 20_501, 50_000), (callers, capacity) => {
        const before = filled(20_500, callers)
        const after = openActivity(activityFromBytes(activityToBytes(before), capacity))
        for (const later of [20, 40, 79].map((minutes) => NOW + minutes * 60_000)) {
          for (const caller of callers.keys()) expect(read(after, caller, later)).toEqual(read(before, caller, later))
        }
        // It also goes on as the original does.
        for (const activity of [before, after]) {
          for (const caller of callers.keys()) {
            noteAttempt(activity, CALLER + caller, caller % 6, 79_310_000_001, 9, NOW + 25 * 60_000)
          }
        }
        const next = NOW + 26 * 60_000
        for (const caller of callers.keys()) expect(read(after, caller, next)).toEqual(read(before, caller, next))
      }),
      { numRuns: 25 },
    )
  })

  it('keeps the keys seen last in a table that is too small', () => {
    const before = openActivity(createActivity(400))
    for (let i = 0; i < 300; i++) noteAttempt(before, CALLER + i, i % 6, 79_310_000_000, 0, NOW + i * 60_000)
    const after = openActivity(activityFromBytes(activityToBytes(before), 12))
    const known = Array.from({ length: 300 }, (_, i) => i).filter((i) => read(after, i, NOW).known)
    expect(known).toEqual(Array.from({ length: 15 }, (_, i) => 285 + i))
  })

  it('does not carry waiting locks over', () => {
    const before = filled(64, [3])
    const bytes = activityToBytes(before)
    const after = openActivity(activityFromBytes(bytes, 64))
    noteAttempt(after, CALLER, 0, 79_310_000_000, 0, NOW)
    expect(after.pendingCount).toBe(0)
  })

  it('leaves the newest key whole when older ones need more blocks than there are', () => {
    for (let newest = 0; newest < 40; newest += 8) {
      const before = openActivity(createActivity(1_000))
      for (let i = 0; i < 40; i++) {
        const now = NOW + (i === newest ? 500 : i) * 60_000
        for (let n = 0; n < 12; n++) noteAttempt(before, CALLER + i, i % 6, 79_310_000_000 + n, 0, now)
      }
      const after = openActivity(activityFromBytes(activityToBytes(before), 16))
      expect(after.poolCount[1]).toBe(8)
      expect(read(after, newest, NOW + 500 * 60_000).attempts60).toBe(12)
    }
  })

  it('is small for a table that is quiet', () => {
    expect(activityToBytes(openActivity(createActivity(100_000))).byteLength).toBe(64)
    expect(activityToBytes(filled(100_000, [1, 2, 3])).byteLength).toBe(64 + 3 * 128)
  })

  it('refuses what is cut short, longer, changed in a bit, another version or something else', () => {
    const bytes = activityToBytes(filled(64, [2, 30, 300, 1]))
    const changed = (at: number, bit: number) => {
      const copy = Uint8Array.from(bytes)
      copy[at] = copy[at]! ^ (1 << bit)
      return copy
    }
    expect(codeOf(() => activityFromBytes(bytes, 64))).toBe('accepted')
    fc.assert(
      fc.property(fc.nat(bytes.byteLength - 1), fc.nat(7), (at, bit) => {
        expect(codeOf(() => activityFromBytes(changed(at, bit), 64))).toBe('SNAPSHOT_FORMAT')
      }),
    )
    for (const length of [0, 1, 63, 64, 65, 128, bytes.byteLength - 64, bytes.byteLength - 4, bytes.byteLength - 1]) {
      expect(codeOf(() => activityFromBytes(bytes.subarray(0, length), 64))).toBe('SNAPSHOT_FORMAT')
    }
    const longer = new Uint8Array(bytes.byteLength + 64)
    longer.set(bytes)
    expect(codeOf(() => activityFromBytes(longer, 64))).toBe('SNAPSHOT_FORMAT')
    expect(codeOf(() => activityFromBytes(new Uint8Array(1_024), 64))).toBe('SNAPSHOT_FORMAT')
  })
})
