import { describe, expect, it } from 'vitest'
import { type Report, SCENARIOS } from '../../../src/domain/report.ts'
import {
  burstIsSuspicious,
  countCorroborated,
  DOUBT_DEFAULTS,
  dominantScenario,
  reportsAreContested,
} from '../../../src/domain/report-doubts.ts'
import { countReporters } from '../../../src/domain/reputation.ts'
import { standingOf } from '../../../src/domain/reputation-record.ts'
import { foldAll, FOLD_NOW as NOW, pseudonymOf, reportBy } from '../../support/fold-reports.ts'

const DAY_MS = 86_400_000
const MINUTE_MS = 60_000
const RULES = { windowDays: 10, weightMin: 0.3, blockReporters: 5, ...DOUBT_DEFAULTS }

/** Evenly over `minutes`, the last one now. */
function burst(count: number, minutes: number, fields: (index: number) => Partial<Report> = () => ({})): Report[] {
  return Array.from({ length: count }, (_, index) => {
    const agoMs = minutes * MINUTE_MS * (1 - index / Math.max(1, count - 1))
    return reportBy(index + 1, { receivedMs: NOW - Math.round(agoMs), ...fields(index) })
  })
}

const isSuspicious = (reports: readonly Report[], nowMs = NOW, ingress = 0) =>
  burstIsSuspicious(foldAll(reports), ingress, nowMs, RULES)

describe('a burst of reports', () => {
  it.each([5, 6, 7])('of %i new reporters in a second is not suspicious', (count) => {
    expect(isSuspicious(burst(count, 1 / 60))).toBe(false)
  })

  it('of eight new reporters in ten minutes is, and a millisecond longer is not', () => {
    expect(isSuspicious(burst(8, 10))).toBe(true)
    const [first, ...others] = burst(8, 10)
    expect(isSuspicious([{ ...first!, receivedMs: first!.receivedMs - 1 }, ...others])).toBe(false)
  })

  it('is found in whatever order the reports were folded', () => {
    expect(isSuspicious(burst(8, 10).toReversed())).toBe(true)
  })

  it('is not suspicious when more than a fifth have been right before', () => {
    const proven = (count: number) => (index: number) => ({ isProven: index < count })
    expect(isSuspicious(burst(8, 9, proven(1)))).toBe(true)
    expect(isSuspicious(burst(8, 9, proven(2)))).toBe(false)
  })

  it.each([27, 40, 100])('of %i that the caller arranges does not push out five honest reports of before', (count) => {
    const honest = Array.from({ length: 5 }, (_, index) => reportBy(1_000 + index, { receivedMs: NOW - 2 * DAY_MS }))
    const record = foldAll([...honest, ...burst(count, 5)])
    expect(burstIsSuspicious(record, 0, NOW, RULES)).toBe(false)
    expect(countReporters(record, 0, NOW, 10, 0.3, 32)).toBe(32)
    // Strangers who come one by one do push them out: the record is of the newest.
    const later = Array.from({ length: 32 }, (_, index) =>
      reportBy(2_000 + index, { receivedMs: NOW + (index + 1) * 2 * MINUTE_MS }),
    )
    const newest = foldAll([...honest, ...later])
    expect(countReporters(newest, 0, NOW + 64 * MINUTE_MS, 10, 0.3, 32)).toBe(32)
    expect(countReporters(newest, 0, NOW + 10 * DAY_MS, 10, 0.3, 32)).toBe(32)
  })

  it('leaves out those whom the network saw being called', () => {
    expect(isSuspicious(burst(8, 9, (index) => ({ callMatch: index === 0 ? 'yes' : 'unknown' })))).toBe(false)
    expect(isSuspicious(burst(9, 9, (index) => ({ callMatch: index === 0 ? 'yes' : 'no' })))).toBe(true)
  })

  it('leaves out those who do not count', () => {
    expect(isSuspicious(burst(8, 9, (index) => ({ weight: index === 0 ? 0.29 : 1 })))).toBe(false)
    expect(
      isSuspicious(
        burst(8, 9, (index) => ({ ingress: index === 0 ? 2 : 3 })),
        NOW,
        3,
      ),
    ).toBe(false)
    expect(isSuspicious(burst(8, 9), NOW + 10 * DAY_MS - 9 * MINUTE_MS)).toBe(true)
    expect(isSuspicious(burst(8, 9), NOW + 10 * DAY_MS - 9 * MINUTE_MS + 1)).toBe(false)
  })

  it('counts a household as one of it', () => {
    const household = pseudonymOf(999)
    expect(isSuspicious(burst(9, 9, (index) => (index < 2 ? { household } : {})))).toBe(true)
    expect(isSuspicious(burst(9, 9, (index) => (index < 3 ? { household } : {})))).toBe(false)
  })

  it.each([
    [4, true],
    [5, false],
  ])('beside %i reports of other days is suspicious: %s', (count, expected) => {
    const others = Array.from({ length: count }, (_, index) =>
      reportBy(100 + index, { receivedMs: NOW - (index + 1) * DAY_MS }),
    )
    expect(isSuspicious([...burst(8, 9), ...others])).toBe(expected)
  })

  it('does not make two bursts one another’s witnesses', () => {
    const earlier = burst(8, 9).map((report, index) => ({
      ...report,
      reporter: pseudonymOf(200 + index),
      receivedMs: report.receivedMs - DAY_MS,
    }))
    expect(isSuspicious([...earlier, ...burst(8, 9)])).toBe(true)
  })

  it('is found in a full record', () => {
    expect(isSuspicious(burst(40, 9))).toBe(true)
  })
})

describe('contested reports', () => {
  const contested = (reports: readonly Report[], nowMs = NOW, corroboratedMin = 0) =>
    reportsAreContested(foldAll(reports), 0, nowMs, { ...RULES, corroboratedMin })
  const seen = (count: number, standing: Report['standing']) =>
    burst(7, 60, (index) => ({
      ...(standing === undefined ? {} : { standing }),
      callMatch: index < count ? ('yes' as const) : ('unknown' as const),
    }))

  it('are those of a number that is talked with, until five who were called say the same', () => {
    expect(contested(seen(0, 'established'))).toBe(true)
    expect(contested(seen(4, 'established'))).toBe(true)
    expect(contested(seen(5, 'established'))).toBe(false)
  })

  it('are all of a number of high volume', () => {
    expect(contested(seen(7, 'high-volume'))).toBe(true)
  })

  it('are none of a number nobody knows, unless somebody must have been called', () => {
    expect(contested(seen(0, undefined))).toBe(false)
    expect(contested(seen(0, undefined), NOW, 1)).toBe(true)
    expect(contested(seen(1, undefined), NOW, 1)).toBe(false)
  })

  it('forget the standing after thirty days, and keep it when a node knows nothing', () => {
    const day = Math.floor(NOW / DAY_MS) * DAY_MS
    const record = foldAll([reportBy(1, { standing: 'high-volume' }), reportBy(2)])
    expect(standingOf(record, day + 31 * DAY_MS - 1)).toBe(2)
    expect(standingOf(record, day + 31 * DAY_MS)).toBe(0)
  })

  it('count a household of called people once', () => {
    const household = pseudonymOf(999)
    const reports = burst(6, 60, (index) => ({ callMatch: 'yes', ...(index < 3 ? { household } : {}) }))
    expect(countCorroborated(foldAll(reports), 0, NOW, RULES)).toBe(4)
  })

  it('know a household as called when one of it was', () => {
    const household = pseudonymOf(999)
    const reports = [reportBy(1, { household }), reportBy(2, { household, callMatch: 'yes' })]
    expect(countReporters(foldAll(reports), 0, NOW, 10, 0.3, 5)).toBe(1)
    expect(countCorroborated(foldAll(reports), 0, NOW, RULES)).toBe(1)
  })
})

describe('the dominant scenario', () => {
  const dominant = (reports: readonly Report[], ingress = 0, nowMs = NOW) =>
    SCENARIOS[dominantScenario(foldAll(reports), ingress, nowMs, 10, 0.3)]

  it('is what most distinct reporters say', () => {
    const reports = [
      reportBy(1, { scenario: 'state-services' }),
      reportBy(2, { scenario: 'operator-code' }),
      reportBy(3, { scenario: 'operator-code' }),
    ]
    expect(dominant(reports)).toBe('operator-code')
    const household = pseudonymOf(999)
    expect(dominant([reports[0]!, { ...reports[1]!, household }, { ...reports[2]!, household }])).toBe('state-services')
  })

  it('is that of the calls in question, and nobody’s when no report counts', () => {
    const reports = [reportBy(1, { scenario: 'bank', ingress: 3 }), reportBy(2, { scenario: 'spam', ingress: 2 })]
    expect(dominant(reports, 2)).toBe('spam')
    expect(dominant(reports, 0, NOW + 11 * DAY_MS)).toBeUndefined()
  })
})
