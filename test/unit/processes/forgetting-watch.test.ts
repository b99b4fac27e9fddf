import { describe, expect, it } from 'vitest'
import { createForgettingWatch } from '../../../src/processes/forgetting-watch.ts'
import { ACTIVITY_OF, createActivity, noteAttempt, openActivity } from '../../../src/shm/activity.ts'

const START_MS = Date.UTC(2026, 10, 27, 12)
const HOUR_MS = 3_600_000
/** One set. */
const WAYS = 15

function open() {
  const clock = { ms: START_MS }
  const activity = openActivity(createActivity(1))
  const warnings: object[] = []
  const log = { warn: (fields: object) => void warnings.push(fields) }
  const watch = createForgettingWatch({ activeNumbers: 1 }, { activity, now: () => clock.ms, log })
  let last = 0
  const call = (callers: number) => {
    for (let i = 0; i < callers; i++) {
      noteAttempt(activity, 79_160_000_000 + last++, ACTIVITY_OF.caller, 79_260_000_000, 0, clock.ms)
    }
    watch.look()
  }
  return { clock, warnings, call }
}

describe('the watch for a table of activity that is too small', () => {
  it('says nothing of a young table that has forgotten nobody', () => {
    const { clock, warnings, call } = open()
    call(0)
    call(WAYS)
    clock.ms += HOUR_MS
    call(0)
    expect(warnings).toEqual([])
  })

  it('warns once a day while callers of the last two days are forgotten', () => {
    const { clock, warnings, call } = open()
    call(WAYS)
    clock.ms += 5 * HOUR_MS
    call(WAYS)
    expect(warnings).toEqual([{ activeNumbers: 1, rememberedHours: 0 }])
    clock.ms += 3 * HOUR_MS
    call(1)
    expect(warnings).toHaveLength(1)
    clock.ms += 10 * HOUR_MS
    call(WAYS)
    expect(warnings).toHaveLength(2)
  })

  it('says nothing when those are forgotten who did not call for two days', () => {
    const { clock, warnings, call } = open()
    call(WAYS)
    clock.ms += 5 * HOUR_MS
    clock.ms += 48 * HOUR_MS
    // One of the first is still there.
    call(WAYS - 1)
    expect(warnings).toEqual([])
  })
})
