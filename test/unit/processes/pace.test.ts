import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createPace, RESTS_MS_MAX } from '../../../src/processes/pace.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'performance'] })
})
afterEach(() => {
  vi.useRealTimers()
})

/** Whether it is over without that any time has passed. */
async function isAtOnce(rest: Promise<void> | undefined): Promise<boolean> {
  let isOver = false
  void rest?.then(() => {
    isOver = true
  })
  await turn()
  await turn()
  return isOver
}

describe('the pace of long work', () => {
  it('lets it go on for a quarter of a millisecond, and then rest', async () => {
    const rest = createPace().begin()
    expect(rest()).toBeUndefined()
    vi.advanceTimersByTime(1)
    const pause = rest()
    expect(pause).toBeInstanceOf(Promise)
    await vi.advanceTimersByTimeAsync(1)
    await pause
    expect(rest()).toBeUndefined()
    vi.advanceTimersByTime(1)
    expect(rest()).toBeInstanceOf(Promise)
  })

  it('has it rest no longer than some seconds after its beginning, and gives the event loop its turns then', async () => {
    const pace = createPace()
    const rest = pace.begin()
    vi.advanceTimersByTime(RESTS_MS_MAX - 1)
    expect(await isAtOnce(rest())).toBe(false)
    vi.advanceTimersByTime(1)
    expect(await isAtOnce(rest())).toBe(true)
    expect(rest()).toBeUndefined()
    vi.advanceTimersByTime(1)
    expect(await isAtOnce(rest())).toBe(true)
    // The next work rests as this one did.
    const next = pace.begin()
    vi.advanceTimersByTime(1)
    expect(await isAtOnce(next())).toBe(false)
  })

  it('lets it go on without a rest when somebody waits', () => {
    const pace = createPace()
    const rest = pace.begin()
    vi.advanceTimersByTime(1)
    pace.hurry()
    expect(rest()).toBeUndefined()
  })
})
