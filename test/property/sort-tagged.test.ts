import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sortTagged } from '../../src/jobs/sort-tagged.ts'

function check(values: number[]): void {
  const numbers = Float64Array.from(values)
  const tags = Uint32Array.from(values.keys())
  sortTagged(numbers, tags, values.length)
  const expected = values.map((value, tag) => ({ value, tag })).sort((a, b) => a.value - b.value || a.tag - b.tag)
  expect([...numbers]).toEqual(expected.map(({ value }) => value))
  expect([...tags]).toEqual(expected.map(({ tag }) => tag))
}

describe('sorting numbers with their tags', () => {
  it('sorts by number, then by tag', () => {
    fc.assert(fc.property(fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 500 }), check))
    fc.assert(fc.property(fc.array(fc.maxSafeNat(), { maxLength: 2_000 }), check))
  })

  it.each([
    ['ascending', (i: number) => i],
    ['descending', (i: number) => -i],
    ['all equal', () => 7],
    ['an organ pipe', (i: number) => Math.min(i, 20_000 - i)],
    ['a sawtooth', (i: number) => i % 17],
  ])('sorts %s', (_, value) => {
    check(Array.from({ length: 20_000 }, (_, i) => value(i)))
  })
})
