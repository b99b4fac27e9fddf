import { describe, expect, it } from 'vitest'
import { theilSen, windowMedians } from '../../../bench/soak/slope.ts'

describe('slope of memory', () => {
  it('is that of a line, whatever single points do', () => {
    const points = Array.from({ length: 21 }, (_, x) => [x, 100 + 2 * x + (x % 7 === 3 ? 500 : 0)] as const)
    const { value, range } = theilSen(points)
    expect(value).toBeCloseTo(2)
    expect(range[0]).toBeLessThanOrEqual(2)
    expect(range[1]).toBeGreaterThanOrEqual(2)
  })

  it('has an interval around nothing for what only goes up and down', () => {
    const { value, range } = theilSen(Array.from({ length: 40 }, (_, x) => [x, 100 + ((x * 7) % 11)] as const))
    expect(Math.abs(value)).toBeLessThan(0.2)
    expect(range[0]).toBeLessThan(0)
    expect(range[1]).toBeGreaterThan(0)
  })

  it('does not take a leak for noise: its interval leaves out zero', () => {
    const { range } = theilSen(Array.from({ length: 40 }, (_, x) => [x, 100 + x + ((x * 7) % 11)] as const))
    expect(range[0]).toBeGreaterThan(0)
  })

  it('of two even slopes takes the middle', () => {
    // Of three points: slopes 0, 1 and 2. Of four: 0, 0, 2/3, 1, 1 and 2.
    expect(
      theilSen([
        [0, 0],
        [1, 0],
        [2, 2],
      ]).value,
    ).toBe(1)
    expect(
      theilSen([
        [0, 0],
        [1, 0],
        [2, 2],
        [3, 2],
      ]).value,
    ).toBeCloseTo(5 / 6)
  })

  it('is unknown for two points', () => {
    expect(
      theilSen([
        [0, 1],
        [1, 2],
      ]).value,
    ).toBeNaN()
    expect(
      theilSen([
        [0, 1],
        [1, 2],
        [2, 3],
      ]).value,
    ).toBe(1)
  })
})

describe('windows', () => {
  it('take the median of each whole one; what is left over at the end counts for nothing', () => {
    const samples = Array.from({ length: 24 }, (_, second) => [second, second % 10 === 5 ? 1_000 : second] as const)
    expect(windowMedians(samples, 10)).toEqual([
      [5, 5],
      [15, 15],
    ])
  })

  it('are none of no samples', () => {
    expect(windowMedians([], 10)).toEqual([])
  })
})
