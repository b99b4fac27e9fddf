import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { scoreOf } from '../../../src/domain/score.ts'

const BLOCK_AT = 80
const score = (...points: number[]) => scoreOf(Float64Array.from(points), 0, BLOCK_AT)
const harm = fc.array(fc.double({ min: 0, max: 100, noNaN: true }), { minLength: 1, maxLength: 14 })
const good = fc.double({ min: -100, max: 0, noNaN: true })

describe('the score', () => {
  it.each([
    [[], 0],
    [[0, 0], 0],
    [[80], 80],
    [[50], 50],
    [[79.999], 79],
    [[50, 50], 75],
    [[100, 30], 100],
    [[90, -10], 81],
    [[-10], 0],
    [[50, -100], 0],
  ])('of %j is %i', (points, expected) => {
    expect(score(...points)).toBe(expected)
  })

  it('is a whole number from 0 to 100', () => {
    fc.assert(
      fc.property(harm, good, (points, doubt) => {
        const result = score(...points, doubt)
        expect(Number.isInteger(result) && result >= 0 && result <= 100).toBe(true)
      }),
    )
  })

  it('is never lowered by more harm', () => {
    fc.assert(
      fc.property(
        harm,
        good,
        fc.nat({ max: 0x3fff }),
        fc.nat(13),
        fc.double({ min: 0, max: 100, noNaN: true }),
        (points, doubt, mask, at, more) => {
          const before = scoreOf(Float64Array.from([...points, doubt]), mask, BLOCK_AT)
          const index = at % points.length
          const raised = points.with(index, Math.max(points[index] ?? 0, more))
          expect(scoreOf(Float64Array.from([...raised, doubt]), mask, BLOCK_AT)).toBeGreaterThanOrEqual(before)
        },
      ),
    )
  })

  it('is never raised by good evidence', () => {
    fc.assert(
      fc.property(harm, good, fc.nat({ max: 0x3fff }), (points, doubt, mask) => {
        const without = scoreOf(Float64Array.from([...points, 0]), mask, BLOCK_AT)
        expect(scoreOf(Float64Array.from([...points, doubt]), mask, BLOCK_AT)).toBeLessThanOrEqual(without)
      }),
    )
  })

  it('holds evidence that may only flag below the block threshold', () => {
    expect(scoreOf(Float64Array.of(95), 0b1, BLOCK_AT)).toBe(79)
    expect(scoreOf(Float64Array.of(95, 60), 0b1, BLOCK_AT)).toBe(79)
    expect(scoreOf(Float64Array.of(95, 80), 0b1, BLOCK_AT)).toBe(99)
  })
})
