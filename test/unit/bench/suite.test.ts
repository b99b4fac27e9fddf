import { describe, expect, it } from 'vitest'
import { interleave, ROUNDS, ratios } from '../../../bench/lib/interleave.ts'
import { measuredFrom } from '../../../bench/lib/measured.ts'
import { median } from '../../../bench/lib/stats.ts'
import { worseBy } from '../../../bench/suite/baselines.ts'
import { replaceBetweenMarks } from '../../../bench/suite/document.ts'
import { MEASURES, standingOf } from '../../../bench/suite/measures.ts'
import { measureRow, plain } from '../../../bench/suite/print-result.ts'

const RATE = MEASURES['http-vs-bare'] // at least 0.85, better 0.95
const TIME = MEASURES['half-p99'] // at most 1 ms, better 0.5

describe('standing of a measure', () => {
  it.each([
    [RATE, 0.95, 'aim'],
    [RATE, 0.949, 'pass'],
    [RATE, 0.85, 'pass'],
    [RATE, 0.849, 'short'],
    [TIME, 0.5, 'aim'],
    [TIME, 1, 'pass'],
    [TIME, 1.01, 'short'],
    [TIME, undefined, 'not run'],
    [TIME, Number.NaN, 'not run'],
  ] as const)('%o with %s: %s', (measure, value, standing) => {
    expect(standingOf(measure, value)).toBe(standing)
  })

  it('shows limits, value, spread and what the figure leaves out', () => {
    const row = measureRow('binary-rate', { value: 812_345, range: [800_000, 900_100], rounds: 7, note: 'one run' })
    expect(row).toEqual([
      'binary WebSocket, 256 a frame, on one core',
      '≥ 1,200,000/s',
      '≥ 2,500,000/s',
      '812,000/s (800,000-900,000); one run',
      '7',
      'short',
    ])
  })

  it('is "not run" for a measure that nobody took', () => {
    expect(measureRow('soak-slope', undefined).slice(3)).toEqual(['', '', 'not run'])
  })
})

describe('document', () => {
  const text = 'before\n<!-- bench:micro -->\nold\n<!-- /bench:micro -->\nafter\n'

  it('changes only what stands between the marks, as often as one likes', () => {
    const once = replaceBetweenMarks(text, 'micro', 'new')
    expect(once).toBe('before\n<!-- bench:micro -->\nnew\n<!-- /bench:micro -->\nafter\n')
    expect(replaceBetweenMarks(once, 'micro', 'new')).toBe(once)
  })

  it('refuses a document without the marks', () => {
    expect(() => replaceBetweenMarks('no marks', 'micro', 'new')).toThrow('<!-- bench:micro -->')
    expect(() => replaceBetweenMarks('<!-- /bench:micro --> <!-- bench:micro -->', 'micro', '')).toThrow('marks')
  })
})

describe('baselines', () => {
  it('measures by what share a figure got worse, whichever way is better', () => {
    expect(worseBy(RATE, 0.8, 1)).toBeCloseTo(0.2)
    expect(worseBy(RATE, 1.2, 1)).toBeCloseTo(-0.2)
    expect(worseBy(TIME, 1.2, 1)).toBeCloseTo(0.2)
    expect(worseBy(TIME, 0, 0)).toBe(0)
  })

  it('measures by what must be reached where good figures are nought and less', () => {
    const slope = MEASURES['soak-slope']
    expect(worseBy(slope, 5, -0.3)).toBeCloseTo(5.3)
    expect(worseBy(slope, -0.3, 0.2)).toBeCloseTo(-0.5)
    expect(worseBy(MEASURES['overload-recovery'], 0.1, 0)).toBeCloseTo(0.05)
  })
})

describe('rounds', () => {
  it('go forth and back after one that warms up and does not count', async () => {
    const order: string[] = []
    const results = await interleave(['a', 'b'], 3, (side, round) => {
      order.push(side)
      return `${side}${round}`
    })
    expect(order.join('')).toBe('baabbaab')
    expect(results).toEqual({ a: ['a0', 'a1', 'a2'], b: ['b0', 'b1', 'b2'] })
  })

  it('are seven at least in a full run', () => {
    expect(ROUNDS).toBeGreaterThanOrEqual(7)
  })

  it('make a measure with their median, least and most', () => {
    expect(measuredFrom([3, 1, 2])).toEqual({ value: 2, range: [1, 3], rounds: 3 })
  })

  it.each([
    [[1, 3], 2],
    [[2, 9, 1], 2],
    [[5], 5],
    [[4, 1, 3, 2], 2.5],
    [[7, 1, 2, 3, 6, 5, 4], 4],
    [[], Number.NaN],
  ])('of %j have the median %s', (values, expected) => {
    expect(median(values)).toBe(expected)
  })

  it('compare round by round', () => {
    expect(ratios([2, 9], [1, 3])).toEqual([2, 3])
  })
})

describe('figures', () => {
  it.each([
    [1_234_567, '1,230,000'],
    [0.123_45, '0.123'],
    [4.2, '4.2'],
    [9_876, '9880'],
  ])('%s is %s', (value, text) => {
    expect(plain(value)).toBe(text)
  })
})
