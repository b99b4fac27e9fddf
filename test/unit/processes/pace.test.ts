import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createPace } from '../../../src/processes/pace.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

describe('the pace of long work', () => {
  it('lets it go on for a quarter of a millisecond, and then rest', async () => {
    const pace = createPace()
    vi.advanceTimersByTime(1)
    const rest = pace.rest()
    expect(rest).toBeInstanceOf(Promise)
    await vi.advanceTimersByTimeAsync(1)
    await rest
    expect(pace.rest()).toBeUndefined()
    vi.advanceTimersByTime(1)
    expect(pace.rest()).toBeInstanceOf(Promise)
  })

  it('lets it go on without a rest when somebody waits', () => {
    const pace = createPace()
    vi.advanceTimersByTime(1)
    pace.hurry()
    expect(pace.rest()).toBeUndefined()
  })
})
