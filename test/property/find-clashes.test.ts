import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createEntryCollector } from '../../src/jobs/entry-collector.ts'
import { findClashes } from '../../src/jobs/find-clashes.ts'
import { createMemoryStore } from '../../src/stores/memory/memory-store.ts'

type Rows = { numbers: number[]; ranges: [number, number][] }

const START = 79160000000
const number = fc.integer({ min: START, max: START + 200 })
const range = fc
  .tuple(number, fc.integer({ min: 1, max: 30 }))
  .map(([from, width]): [number, number] => [from, from + width])
const rows = fc.record({ numbers: fc.array(number, { maxLength: 30 }), ranges: fc.array(range, { maxLength: 4 }) })

function sorted({ numbers, ranges }: Rows) {
  const collector = createEntryCollector(numbers.length)
  for (const one of numbers) collector.addNumber(one, 0)
  for (const [from, to] of ranges) collector.addRange(from, to, 0)
  return collector.finish().entries
}

/** Every listed number that the upload covers, and every listed range with uploaded numbers or ranges in it. */
function countByHand(upload: Rows, listed: Rows): number {
  const numbers = new Set(upload.numbers)
  const isCovered = (one: number) => numbers.has(one) || upload.ranges.some(([from, to]) => one >= from && one <= to)
  let count = [...new Set(listed.numbers)].filter(isCovered).length
  const listedRanges = new Map(listed.ranges.map((one) => [one.join(), one]))
  for (const [from, to] of listedRanges.values()) {
    count += [...numbers].filter((one) => one >= from && one <= to).length
    if (upload.ranges.some(([start, end]) => start <= to && end >= from)) count++
  }
  return count
}

describe('clashes of an upload', () => {
  it('are counted as one would by hand', () => {
    fc.assert(
      fc.property(rows, rows, (upload, listed) => {
        const { contents } = createMemoryStore()
        const { numbers, ranges } = sorted(listed)
        contents.putLayer(1, { numbers, rangesFrom: ranges.from, rangesTo: ranges.to, dictionary: [] })
        const layers = [{ layerId: 1, numberCount: numbers.length, rangeCount: ranges.from.length }]
        const clashes = findClashes(sorted(upload), [{ name: 'banks', kind: 'protected', layers }], {
          contents,
          onBlock() {},
        })
        const expected = countByHand(upload, listed)
        expect([clashes.count, clashes.protectedCount]).toEqual([expected, expected])
        expect(clashes.sample.length).toBeLessThanOrEqual(20)
        expect(clashes.sample.length > 0).toBe(expected > 0)
      }),
      { numRuns: 500 },
    )
  })
})
