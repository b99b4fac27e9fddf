import { describe, expect, it } from 'vitest'
import { emptyTimes, OVERLOADED, percentileMs } from '../../../bench/generator/generator.ts'
import { distributionLine } from '../../../bench/latency/distribution.ts'
import { recoverySeconds, timesBetween, type Window, windowsOf } from '../../../bench/latency/windows.ts'
import { ticksTo } from '../../../bench/lib/ticks.ts'

const good: Window = { count: 100, p99Ms: 1 }
const slow: Window = { count: 100, p99Ms: 2.01 }
const missing: Window = { count: 97, p99Ms: 1 }
const empty: Window = { count: 0, p99Ms: Number.NaN }
const OPTIONS = { stepMs: 100, before: 2, end: 4, calls: 100 }
const recovered = (...after: Window[]) => recoverySeconds([good, good, slow, slow, ...after], OPTIONS)

describe('recovery from an overload', () => {
  it('is none when the first window after it is as before', () => {
    expect(recovered(good)).toBe(0)
  })

  it('counts steps until calls are answered in time again, just at the limit included', () => {
    expect(recovered(slow, slow, { count: 98, p99Ms: 2 }, slow)).toBeCloseTo(0.2)
  })

  it.each([
    ['slow', slow],
    ['lacking calls', missing],
    ['empty', empty],
  ])('does not come with a window that is %s', (_, bad) => {
    expect(recovered(bad, good)).toBeCloseTo(0.1)
  })

  it('is unknown when it never comes', () => {
    expect(recovered(slow, missing, empty)).toBeUndefined()
    expect(recovered()).toBeUndefined()
  })
})

describe('answers by the moment of their requests', () => {
  // Tenths of a millisecond; tenths of a microsecond.
  const answered = {
    moments: Uint32Array.of(0, 999, 1_000, 1_500, 1_999, 2_000),
    samples: Uint32Array.of(10_000, 20_000, 30_000, OVERLOADED + 40_000, 50_000, 60_000),
  }

  it('falls into windows; an "overloaded" is no answer', () => {
    expect(windowsOf(answered, { widthMs: 100, stepMs: 100 }, 0.2)).toEqual([
      { count: 2, p99Ms: 2 },
      { count: 2, p99Ms: 5 },
    ])
  })

  it('falls into every window that covers its moment; one that is cut off is none', () => {
    expect(windowsOf(answered, { widthMs: 200, stepMs: 100 }, 0.3)).toEqual([
      { count: 4, p99Ms: 5 },
      { count: 3, p99Ms: 6 },
    ])
    expect(windowsOf(answered, { widthMs: 200, stepMs: 100 }, 0.1)).toEqual([])
  })

  it('knows windows without any', () => {
    const none = { moments: new Uint32Array(), samples: new Uint32Array() }
    expect(windowsOf(none, { widthMs: 100, stepMs: 100 }, 0.1)).toEqual([{ count: 0, p99Ms: Number.NaN }])
  })

  it('takes those between two moments, both included', () => {
    const times = timesBetween(answered, 100, 199.9)
    // An "overloaded" too: it is an answer, and took its time.
    expect(times.totalCount).toBe(3)
    expect(percentileMs(times, 0)).toBeCloseTo(3, 1)
    expect(percentileMs(times, 100)).toBeCloseTo(5, 1)
  })
})

describe('line of a distribution', () => {
  it('goes on as long as ten calls are beyond a point, and rises', () => {
    const times = emptyTimes()
    for (let ms = 1; ms <= 1_000; ms++) times.recordValue(ms * 10_000)
    const { points } = distributionLine('a', times)
    const at = (oneIn: number) => points.find(([x]) => Math.abs(x / oneIn - 1) < 1e-6)?.[1]
    expect(at(10)).toBeCloseTo(900, -1)
    expect(at(100)).toBeCloseTo(990, -1)
    expect(points.at(-1)?.[0]).toBeCloseTo(100)
    expect(points.every(([, y], index) => index === 0 || y >= (points[index - 1]?.[1] ?? 0))).toBe(true)
  })

  it('has no points for hardly any calls', () => {
    expect(distributionLine('a', emptyTimes()).points).toEqual([])
  })
})

describe('ticks', () => {
  it.each([
    [1, [0, 0.2, 0.4, 0.6, 0.8, 1]],
    [1.01, [0, 0.5, 1, 1.5]],
    [23, [0, 5, 10, 15, 20, 25]],
    [0, [0, 0.0005]],
  ])('reach %d', (most, ticks) => {
    expect(ticksTo(most)).toEqual(ticks)
  })
})
