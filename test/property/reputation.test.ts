import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { foldReport } from '../../src/domain/fold-report.ts'
import type { Report } from '../../src/domain/report.ts'
import {
  burstIsSuspicious,
  DOUBT_DEFAULTS,
  dominantScenario,
  reportsAreContested,
} from '../../src/domain/report-doubts.ts'
import { countReporters, decayedHarm, harmLowerBound } from '../../src/domain/reputation.ts'
import { REPORTERS_KEPT } from '../../src/domain/reputation-record.ts'
import { shareLowerBound } from '../../src/domain/share-lower-bound.ts'
import { foldAll, FOLD_NOW as NOW, pseudonymOf, reportBy } from '../support/fold-reports.ts'

const DAY_MS = 86_400_000
const RULES = { windowDays: 10, weightMin: 0.3, blockReporters: 5, ...DOUBT_DEFAULTS }
const KINDS = [0, 1, 2, 3]
const ROUNDING = 1e-9

/** Anything a report may say, by one of 12 people in one of 3 households. */
const anyReport: fc.Arbitrary<Report> = fc
  .record({
    who: fc.integer({ min: 1, max: 12 }),
    home: fc.option(fc.integer({ min: 901, max: 903 }), { nil: undefined }),
    leader: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined, freq: 8 }),
    ingress: fc.constantFrom(...KINDS),
    weight: fc.constantFrom(0, 0.1, 0.29, 0.3, 0.6, 1),
    agoMs: fc.oneof(fc.integer({ min: 0, max: 20 * 60_000 }), fc.integer({ min: 0, max: 40 * DAY_MS })),
    opinion: fc.constantFrom('harm' as const, 'harm' as const, 'not-spam' as const),
    callMatch: fc.constantFrom('unknown' as const, 'no' as const, 'yes' as const),
    scenario: fc.constantFrom('bank' as const, 'spam' as const),
    isProven: fc.boolean(),
    standing: fc.constantFrom('unknown' as const, 'established' as const, 'high-volume' as const),
  })
  .map(({ who, home, leader, agoMs, ...fields }) =>
    reportBy(who, {
      ...fields,
      receivedMs: NOW - agoMs,
      ...(home === undefined ? {} : { household: pseudonymOf(home) }),
      ...(leader === undefined ? {} : { clique: pseudonymOf(leader) }),
    }),
  )

const reports = fc.array(anyReport, { minLength: 1, maxLength: REPORTERS_KEPT - 1 })
const count = (record: DataView, ingress: number) => countReporters(record, ingress, NOW, 10, 0.3, REPORTERS_KEPT)

describe('more evidence', () => {
  it('of harm never lowers the number of reporters or the bound', () => {
    fc.assert(
      fc.property(reports, anyReport, (before, next) => {
        const record = foldAll(before)
        const after = foldReport(record, { ...next, opinion: 'harm' })
        for (const ingress of KINDS) {
          expect(count(after, ingress)).toBeGreaterThanOrEqual(count(record, ingress))
          const bound = harmLowerBound(record, ingress, NOW)
          expect(harmLowerBound(after, ingress, NOW)).toBeGreaterThanOrEqual(bound - ROUNDING)
        }
      }),
    )
  })

  it('of households that all report counts every household as long as there is room for it', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 200 }), (people) => {
        const homes = new Set<number>()
        let record: DataView | undefined
        for (const [index, who] of people.entries()) {
          const home = 1_000 + (who % 40)
          homes.add(home)
          record = foldReport(record, reportBy(who, { household: pseudonymOf(home), receivedMs: NOW - 1_000 + index }))
          expect(count(record, 0)).toBe(Math.min(homes.size, REPORTERS_KEPT))
        }
      }),
    )
  })

  it('that a number is no spam changes no reporter, and lowers the bound to that of two thirds harm at most', () => {
    const voices = fc.array(anyReport, { minLength: 1, maxLength: 60 })
    fc.assert(
      fc.property(reports, voices, (before, good) => {
        const record = foldAll(before)
        const after = good.reduce(
          (stored, next) => foldReport(stored, { ...next, opinion: 'not-spam', standing: 'unknown' }),
          record,
        )
        for (const ingress of KINDS) {
          expect(count(after, ingress)).toBe(count(record, ingress))
          const harm = decayedHarm(record, ingress, NOW)
          expect(decayedHarm(after, ingress, NOW)).toBeCloseTo(harm, 6)
          const bound = harmLowerBound(after, ingress, NOW)
          expect(bound).toBeLessThanOrEqual(harmLowerBound(record, ingress, NOW) + ROUNDING)
          expect(bound).toBeGreaterThanOrEqual(
            Math.min(harmLowerBound(record, ingress, NOW), shareLowerBound(harm, harm / 2)) - 1e-6,
          )
        }
      }),
    )
  })
})

describe('doubts', () => {
  it('need more than seven reporters to see a burst, or a standing to contest', () => {
    fc.assert(
      fc.property(fc.array(anyReport, { minLength: 1, maxLength: 60 }), fc.constantFrom(...KINDS), (all, ingress) => {
        const record = foldAll(all.map((report) => ({ ...report, opinion: 'harm', standing: 'unknown' })))
        const isBurst = burstIsSuspicious(record, ingress, NOW, RULES)
        if (isBurst) expect(count(record, ingress)).toBeGreaterThanOrEqual(DOUBT_DEFAULTS.burst.reporters)
        expect(reportsAreContested(record, ingress, NOW, RULES)).toBe(false)
        const scenario = dominantScenario(record, ingress, NOW, 10, 0.3)
        expect(scenario >= 0).toBe(count(record, ingress) > 0)
      }),
    )
  })

  it('are gone when five who were called say the same', () => {
    fc.assert(
      fc.property(reports, fc.constantFrom(...KINDS), (before, ingress) => {
        const called = [1, 2, 3, 4, 5].map((id) =>
          reportBy(500 + id, { callMatch: 'yes', ingress: 0, receivedMs: NOW, standing: 'established' }),
        )
        const record = foldAll([...before, ...called])
        expect(burstIsSuspicious(record, ingress, NOW, RULES)).toBe(false)
        expect(reportsAreContested(record, ingress, NOW, RULES)).toBe(false)
      }),
    )
  })
})
