import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { blockStrength, OWN_GOOD, OWN_HARM, periodOf, weightAt, weightInBlock } from '../../src/domain/number-block.ts'
import { REPUTATION_HALF_LIFE_DAYS } from '../../src/domain/reputation-record.ts'
import { blockHarmOf } from '../../src/services/block-harm.ts'
import { createBlockBuilder } from '../../src/services/build-blocks.ts'
import { blockHarm, createBlockTable, openBlockTable } from '../../src/shm/block-table.ts'
import { createReputations, type Reputations } from '../support/reputations.ts'

const DAY_MS = 86_400_000
const PERIOD_MS = REPUTATION_HALF_LIFE_DAYS * DAY_MS
const NOW = Date.parse('2026-03-01T12:00:00Z')
const FIRST = 79_160_000_000

/** Reports within two blocks of 10,000 numbers of the last half year, close enough to meet in small blocks too. */
const report = fc.record({
  number: fc.oneof(
    fc.integer({ min: FIRST, max: FIRST + 30 }),
    fc.integer({ min: FIRST, max: FIRST + 2_500 }),
    fc.integer({ min: FIRST, max: FIRST + 19_999 }),
  ),
  ingress: fc.integer({ min: 0, max: 3 }),
  daysAgo: fc.double({ min: 0, max: 180, noNaN: true }),
  weight: fc.double({ min: 0.05, max: 1, noNaN: true }),
})
const reports = fc.array(report, { maxLength: 80 })
const number = fc.integer({ min: FIRST, max: FIRST + 19_999 })
const ingress = fc.integer({ min: 0, max: 3 })

function reported(list: readonly { number: number; ingress: number; daysAgo: number; weight: number }[]): Reputations {
  const reputations = createReputations()
  for (const { daysAgo, number: one, ...fields } of list) reputations.report(one, NOW - daysAgo * DAY_MS, fields)
  return reputations
}

describe('the strength of a number by its blocks', () => {
  it('is never lowered by one more report, of whatever number and ingress kind', () => {
    fc.assert(
      fc.property(reports, report, number, ingress, (before, more, one, kind) => {
        const reputations = reported(before)
        const strength = blockHarmOf(reputations, one, kind, NOW)
        reputations.report(more.number, NOW, { ingress: more.ingress, weight: more.weight })
        expect(blockHarmOf(reputations, one, kind, NOW)).toBeGreaterThanOrEqual(strength)
      }),
    )
  })

  it('is the same for a kind of ingress whatever is reported of another later', () => {
    fc.assert(
      fc.property(reports, number, number, (before, one, other) => {
        const reputations = reported(before.map((each) => ({ ...each, daysAgo: each.daysAgo + 1 })))
        const strength = blockHarmOf(reputations, one, 2, NOW)
        reputations.report(other, NOW, { ingress: 3 })
        // 1 for the rounding of a sum that was decayed in two steps.
        expect(Math.abs(blockHarmOf(reputations, one, 2, NOW) - strength)).toBeLessThanOrEqual(1)
      }),
    )
  })

  it('is bounded for the neighbours of one number, however much that is reported', () => {
    const most = blockStrength(Float64Array.of(1, 1, 1, 1, 0, 0), FIRST)
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3_000 }), fc.integer({ min: 1, max: 9_999 }), (count, distance) => {
        const reputations = createReputations()
        for (let i = 0; i < count; i += 1 + (count >> 5)) reputations.report(FIRST, NOW)
        expect(blockHarmOf(reputations, FIRST + distance, 0, NOW)).toBeLessThanOrEqual(most)
      }),
      { numRuns: 30 },
    )
    // Three neighbours that are reported once each say more than one that is reported without end.
    const three = createReputations()
    for (const neighbour of [FIRST + 2, FIRST + 5, FIRST + 8]) three.report(neighbour, NOW)
    expect(blockHarmOf(three, FIRST, 0, NOW)).toBeGreaterThan(most)
  })

  it('falls as time passes, and with good evidence about a number', () => {
    fc.assert(
      fc.property(reports, number, ingress, fc.integer({ min: 0, max: 400 }), (list, one, kind, days) => {
        const reputations = reported(list)
        const fresh = blockHarmOf(reputations, one, kind, NOW)
        expect(blockHarmOf(reputations, one, kind, NOW + days * DAY_MS)).toBeLessThanOrEqual(fresh)
        for (const { number: each } of list) reputations.report(each, NOW, { opinion: 'not-spam' })
        // 1 for the rounding of a sum that was decayed in two steps.
        expect(blockHarmOf(reputations, one, kind, NOW)).toBeLessThanOrEqual(fresh + 1)
      }),
    )
  })

  it('grows with every part of the evidence but the good one, and stays within its bounds', () => {
    const harm = fc.double({ min: 0, max: 1_000, noNaN: true })
    const rows = fc.tuple(harm, harm, harm, harm, harm, harm)
    fc.assert(
      fc.property(rows, fc.integer({ min: 0, max: 5 }), harm, (row, at, more) => {
        const before = Float64Array.from(row)
        const after = Float64Array.from(row)
        after[at] = (after[at] ?? 0) + more
        const change = blockStrength(after, FIRST) - blockStrength(before, FIRST)
        if (at === OWN_GOOD) expect(change).toBeLessThanOrEqual(0)
        else expect(change).toBeGreaterThanOrEqual(0)
        for (const evidence of [before, after]) {
          expect(blockStrength(evidence, FIRST)).toBeGreaterThanOrEqual(0)
          expect(blockStrength(evidence, FIRST)).toBeLessThanOrEqual(1_000)
        }
        expect(OWN_HARM).toBe(4)
      }),
    )
  })
})

describe('what a number counts in its blocks', () => {
  it('is less than one report however many there are, and half of it a half-life later', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), fc.integer({ min: -5, max: 5 }), (count, shift) => {
        const reputations = createReputations()
        for (let i = 0; i < count; i++) reputations.report(FIRST, NOW)
        const record = reputations.reputationOf(FIRST as never)
        if (record === undefined) throw new Error('No record.')
        const base = periodOf(NOW) + shift
        const share = weightInBlock(record, 0, base) / weightAt(NOW, base)
        expect(share).toBeLessThanOrEqual(1)
        expect(share).toBeGreaterThan(0.6)
        // Another base is another exponent and nothing else.
        expect(weightInBlock(record, 0, base - 7)).toBe(weightInBlock(record, 0, base) * 2 ** 7)
        expect(weightAt(NOW + PERIOD_MS, base) / weightAt(NOW, base)).toBeCloseTo(2, 9)
      }),
    )
  })
})

describe('a block table kept by the builder', () => {
  it('says what the records themselves say, of every number and ingress kind, at every time', async () => {
    await fc.assert(
      fc.asyncProperty(reports, reports, fc.integer({ min: -40, max: 400 }), async (before, after, days) => {
        const reputations = reported(before)
        const table = openBlockTable(createBlockTable(4_096, NOW - 90 * DAY_MS))
        const builder = createBlockBuilder({ store: reputations, table, onFailure: fail })
        await builder.start()
        for (const { number: one, daysAgo, ...fields } of after) {
          reputations.report(one, NOW - daysAgo * DAY_MS, fields)
          builder.changed(one)
        }
        await builder.settled()
        const atMs = NOW + days * DAY_MS
        for (const { number: near } of [...before, ...after]) {
          for (const one of [near, near + 1, near + 9, near + 77, near + 800]) {
            for (let kind = 0; kind < 4; kind++) {
              const record = reputations.reputationOf(one as never)
              expect(blockHarm(table, one, kind, atMs, record)).toBe(blockHarmOf(reputations, one, kind, atMs))
            }
          }
        }
      }),
      { numRuns: 40 },
    )
  })
})

function fail(error: unknown): never {
  throw error
}
