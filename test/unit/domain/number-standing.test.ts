import { expect, it } from 'vitest'
import { standingFrom } from '../../../src/domain/number-standing.ts'

it.each([
  [0, 0, 0, 'unknown'],
  [3, 20, 3, 'established'],
  [2, 20, 3, 'unknown'],
  [3, 20, 2, 'unknown'],
  [3, 21, 3, 'unknown'],
  [7, 7, 0, 'established'],
  [6, 1_000, 0, 'unknown'],
  [7, 6, 0, 'unknown'],
  [14, 1_000, 0, 'high-volume'],
  [14, 999, 199, 'established'],
  [14, 200, 200, 'high-volume'],
  [13, 5_000, 500, 'established'],
])('%i days with %i answered calls, %i of them long, are %s', (days, totalAnswered, totalLong, expected) => {
  expect(standingFrom({ days, totalAnswered, totalLong })).toBe(expected)
})
