import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../bench/lib/seeded-random.ts'
import {
  ENTRY_ABSENT,
  ENTRY_EXPIRED,
  ENTRY_PRESENT,
  ENTRY_REMOVED,
  EXPIRES_NEVER,
  EXPIRES_REMOVED,
} from '../../src/domain/lookup.ts'
import {
  createNumberTable,
  GAPS_MAX,
  type NumberTable,
  numberTableBytesLeast,
  numberTableBytesUsed,
  numberTableState,
  openNumberTable,
} from '../../src/shm/number-table.ts'

const NOW = 1_000_000
const SPAN = 2 ** 32

function memoryOf(numbers: readonly number[], expires?: readonly number[]): SharedArrayBuffer {
  const table = createNumberTable({ capacity: numbers.length, hasExpiries: expires !== undefined })
  const given = Float64Array.from(expires ?? numbers.map(() => EXPIRES_NEVER))
  expect(table.add(Float64Array.from(numbers), given, numbers.length)).toBe(true)
  expect(table.finish()).toBe(true)
  return table.memory
}

function tableOf(numbers: readonly number[], expires?: readonly number[]): NumberTable {
  return openNumberTable(memoryOf(numbers, expires))
}

const has = (table: NumberTable, number: number) => numberTableState(table, number, NOW) === ENTRY_PRESENT

/** Runs of neighbours, strays, and jumps around the widest difference a block can hold. */
const numbers = fc
  .array(
    fc.record({
      step: fc.oneof(
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 3_000_000 }),
        fc.constantFrom(SPAN - 1, SPAN, SPAN + 1, 90_000_000_000),
      ),
      run: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 1_500 })),
      by: fc.integer({ min: 1, max: 5 }),
    }),
    { maxLength: 12 },
  )
  .map((parts) => {
    const made: number[] = []
    let last = 0
    for (const { step, run, by } of parts) {
      last += step
      for (let index = 0; index < run; index++, last += by) made.push(last)
    }
    return made
  })

describe('a number table', () => {
  it('has exactly the numbers it was given', () => {
    fc.assert(
      fc.property(numbers, (given) => {
        const table = tableOf(given)
        const oracle = new Set(given)
        const near = [0, -1, 1, SPAN, -SPAN, 2 * SPAN]
        const asked = [0, 1, 999_999_999_999_999, ...given.flatMap((number) => near.map((by) => number + by))]
        expect(asked.filter((number) => has(table, number) !== oracle.has(number))).toEqual([])
      }),
    )
  })

  it('says what the layer says of each number', () => {
    const moments = [EXPIRES_NEVER, EXPIRES_REMOVED, NOW - 1, NOW, NOW + 1]
    const states = [ENTRY_PRESENT, ENTRY_REMOVED, ENTRY_EXPIRED, ENTRY_PRESENT, ENTRY_PRESENT]
    fc.assert(
      fc.property(numbers, fc.array(fc.nat({ max: 4 }), { minLength: 1, maxLength: 9 }), (given, codes) => {
        const codeOf = (index: number) => codes[index % codes.length] ?? 0
        const table = tableOf(
          given,
          given.map((_, index) => moments[codeOf(index)] ?? 0),
        )
        const wrong = given.filter((number, index) => numberTableState(table, number, NOW) !== states[codeOf(index)])
        expect(wrong).toEqual([])
        expect(numberTableState(table, 999_999_999_999_999, NOW)).toBe(ENTRY_ABSENT)
      }),
    )
  })

  it('is the same whether it comes in one piece or in pages', () => {
    const given = Float64Array.from({ length: 5_000 }, (_, index) => 79_000_000_000 + index * 7_919)
    const never = given.map(() => EXPIRES_NEVER)
    const table = createNumberTable({ capacity: 5_000, hasExpiries: false })
    for (let at = 0; at < 5_000; at += 313)
      expect(table.add(given.subarray(at, at + 313), never, Math.min(313, 5_000 - at))).toBe(true)
    expect(table.finish()).toBe(true)
    const whole = tableOf([...given])
    expect(openNumberTable(table.memory)).toEqual(whole)
  })

  it.each([
    [1, 0.31, 8.31],
    [10, 0.75, 8.75],
    [100, 1.2, 9.2],
    [1_000_000, 2.9, 10.9],
  ])('takes few bytes of numbers that lie %i apart in the mean', (distance, plain, withExpiries) => {
    const count = 50_000
    let last = 79_000_000_000
    const random = seededRandom(1)
    const given = Array.from({ length: count }, () => {
      last += distance === 1 ? 1 : 1 + Math.floor(-Math.log(1 - random()) * (distance - 1))
      return last
    })
    const bytes = (expires?: number[]) => numberTableBytesUsed(memoryOf(given, expires)) / count
    expect(bytes()).toBeLessThan(plain)
    expect(bytes(given.map(() => NOW))).toBeLessThan(withExpiries)
    const least = (hasExpiries: boolean) => numberTableBytesLeast({ capacity: count, hasExpiries }) / count
    expect(bytes()).toBeGreaterThan(least(false))
    expect(bytes(given.map(() => NOW))).toBeGreaterThan(least(true))
  })

  it('finds numbers of every width a block may have, and none beside them', () => {
    for (let width = 0; width <= 32; width++) {
      for (const count of [1, 2, 3, 7, 64, 65, 1_023, 1_024]) {
        const span = Math.max(count, 2 ** width)
        // Even, and all at one end or the other with one far away.
        const even = (index: number) => Math.floor((index * (span - 1)) / Math.max(1, count - 1))
        const low = (index: number) => (index === count - 1 ? span - 1 : index)
        const high = (index: number) => (index === 0 ? 0 : span - count + index)
        for (const place of [even, low, high]) {
          const given = Array.from({ length: count }, (_, index) => 79_000_000_000 + place(index))
          const table = tableOf(given)
          const oracle = new Set(given)
          const asked = given.flatMap((number) => [number - 1, number, number + 1])
          expect(asked.filter((number) => has(table, number) !== oracle.has(number))).toEqual([])
        }
      }
    }
  })

  it('may be empty', () => {
    expect(has(tableOf([]), 79_160_000_002)).toBe(false)
  })

  it('has room for so many numbers that lie far from the one before, and not for one more', () => {
    const far = (count: number) => Float64Array.from({ length: count }, (_, index) => 1 + index * SPAN)
    const never = new Float64Array(GAPS_MAX + 8).fill(EXPIRES_NEVER)
    // Every number begins a block: those that a table of full blocks would have, and the gaps.
    const most = GAPS_MAX + Math.ceil((GAPS_MAX + 5) / 1_024)
    const fits = createNumberTable({ capacity: most, hasExpiries: false })
    expect(fits.add(far(most), never, most) && fits.finish()).toBe(true)
    const table = openNumberTable(fits.memory)
    for (const number of far(most)) expect(has(table, number) && !has(table, number + 1)).toBe(true)
    const refuses = createNumberTable({ capacity: most + 1, hasExpiries: false })
    expect(refuses.add(far(most + 1), never, most + 1) && refuses.finish()).toBe(false)
  })

  it.each([
    ['more numbers than it has room for', [1, 2, 3, 4], [EXPIRES_NEVER, EXPIRES_NEVER, EXPIRES_NEVER, EXPIRES_NEVER]],
    ['a number twice', [1, 2, 2], [EXPIRES_NEVER, EXPIRES_NEVER, EXPIRES_NEVER]],
    ['numbers that descend', [1, 3, 2], [EXPIRES_NEVER, EXPIRES_NEVER, EXPIRES_NEVER]],
    ['no number at all', [1, Number.NaN, 2], [EXPIRES_NEVER, EXPIRES_NEVER, EXPIRES_NEVER]],
    ['one that expires, where none should', [1, 2, 3], [EXPIRES_NEVER, 5, EXPIRES_NEVER]],
    ['one that is removed, where none should', [1, 2, 3], [EXPIRES_NEVER, EXPIRES_REMOVED, EXPIRES_NEVER]],
  ])('refuses %s', (_what, given, expires) => {
    const table = createNumberTable({ capacity: 3, hasExpiries: false })
    expect(table.add(Float64Array.from(given), Float64Array.from(expires), given.length)).toBe(false)
  })

  it('is not whole while numbers are missing', () => {
    const table = createNumberTable({ capacity: 3, hasExpiries: false })
    expect(table.add(Float64Array.of(1, 2), Float64Array.of(EXPIRES_NEVER, EXPIRES_NEVER), 2)).toBe(true)
    expect(table.finish()).toBe(false)
  })
})
