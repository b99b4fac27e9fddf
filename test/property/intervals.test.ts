import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  buildIntervals,
  COVERING_TAGS_MAX,
  findSegment,
  INTERVALS_MAX,
  type Intervals,
  openIntervals,
  segmentTagsEnd,
  segmentTagsStart,
} from '../../src/shm/intervals.ts'

type Range = { from: number; to: number; tag: number }

function tableOf(ranges: readonly Range[]): Intervals {
  return openIntervals(
    buildIntervals(
      Float64Array.from(ranges, (range) => range.from),
      Float64Array.from(ranges, (range) => range.to),
      Uint32Array.from(ranges, (range) => range.tag),
    ),
  )
}

function tagsOver(table: Intervals, number: number): number[] {
  const segment = findSegment(table, number)
  if (segment < 0) return []
  return [...table.tags.subarray(segmentTagsStart(table, segment), segmentTagsEnd(table, segment))]
}

const rangesNear = (base: number) =>
  fc.array(
    fc
      .tuple(fc.nat({ max: 60 }), fc.nat({ max: 20 }), fc.nat({ max: 5 }))
      .map(([from, length, tag]) => ({ from: base + from, to: base + from + length, tag })),
    { maxLength: 40 },
  )

describe('intervals', () => {
  it.each([0, 79_160_000_000, 999_999_999_999_900])('say which ranges cover a number, around %d', (base) => {
    fc.assert(
      fc.property(rangesNear(base), (ranges) => {
        const table = tableOf(ranges)
        for (let number = base - 2; number < base + 85; number++) {
          const covering = ranges.filter(({ from, to }) => from <= number && number <= to).map(({ tag }) => tag)
          expect(tagsOver(table, number)).toEqual([...new Set(covering)].sort((a, b) => a - b))
        }
      }),
    )
  })

  it('are disjoint, ascending and as few as can be', () => {
    fc.assert(
      fc.property(rangesNear(1_000), (ranges) => {
        const table = tableOf(ranges)
        for (let i = 0; i < table.segmentCount; i++) {
          const [from = 0, to = 0] = [table.froms[i], table.tos[i]]
          expect(from).toBeLessThanOrEqual(to)
          if (i === 0) continue
          expect(from).toBeGreaterThan(table.tos[i - 1] ?? 0)
          const touches = from === (table.tos[i - 1] ?? 0) + 1
          if (touches) expect(tagsOver(table, from)).not.toEqual(tagsOver(table, from - 1))
        }
      }),
    )
  })

  it('find a number among many segments at both ends of each', () => {
    for (const count of [1, 2, 3, 7, 8, 9, 1_000, 1_025]) {
      const table = tableOf(Array.from({ length: count }, (_, i) => ({ from: i * 10, to: i * 10 + 4, tag: i })))
      for (let i = 0; i < count; i++) {
        expect(findSegment(table, i * 10)).toBe(i)
        expect(findSegment(table, i * 10 + 4)).toBe(i)
        expect(findSegment(table, i * 10 + 5)).toBe(-1)
        expect(findSegment(table, i * 10 - 1)).toBe(-1)
      }
    }
  })

  it('hold nothing when there are no ranges', () => {
    const table = tableOf([])
    expect(table.segmentCount).toBe(0)
    expect(findSegment(table, 79_160_000_002)).toBe(-1)
    expect(findSegment(table, -1)).toBe(-1)
  })

  it('take a million ranges and refuse one more', () => {
    const from = Float64Array.from({ length: INTERVALS_MAX + 1 }, (_, i) => ((i * 7_919) % INTERVALS_MAX) * 1_000)
    const to = from.map((start) => start + 499)
    const tags = new Uint32Array(INTERVALS_MAX + 1)
    const table = openIntervals(buildIntervals(from.subarray(1), to.subarray(1), tags.subarray(1)))
    expect(table.segmentCount).toBe(INTERVALS_MAX)
    expect(findSegment(table, 499_000_250)).toBe(499_000)
    expect(() => buildIntervals(from, to, tags)).toThrowError(expect.objectContaining({ code: 'IMPORT_TOO_WIDE' }))
  })

  it('take as many ranges over one number as they promise and refuse one more', () => {
    const nested = (count: number) => Array.from({ length: count }, (_, i) => ({ from: i, to: 10_000 - i, tag: i }))
    expect(tagsOver(tableOf(nested(COVERING_TAGS_MAX)), 5_000)).toHaveLength(COVERING_TAGS_MAX)
    expect(() => tableOf(nested(COVERING_TAGS_MAX + 1))).toThrowError(
      expect.objectContaining({ code: 'IMPORT_TOO_WIDE' }),
    )
  })

  it('refuse ranges that together overlap too much', () => {
    // 20,000 ranges, each over the 500 before it: 20 M tags.
    const staircase = Array.from({ length: 20_000 }, (_, i) => ({ from: i * 2, to: i * 2 + 1_000, tag: i }))
    expect(() => tableOf(staircase)).toThrowError(expect.objectContaining({ code: 'IMPORT_TOO_WIDE' }))
  })

  it('refuse what a caller got wrong', () => {
    expect(() => tableOf([{ from: 2, to: 1, tag: 0 }])).toThrow(RangeError)
    expect(() => buildIntervals(new Float64Array(2), new Float64Array(1), new Uint32Array(2))).toThrow(RangeError)
  })
})
