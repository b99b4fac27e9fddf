import { describe, expect, it } from 'vitest'
import { foldReport, SAME_REPORTER_MS } from '../../../src/domain/fold-report.ts'
import type { PhoneNumber } from '../../../src/domain/phone-number.ts'
import type { Report } from '../../../src/domain/report.ts'
import { countCorroborated, dominantScenario } from '../../../src/domain/report-doubts.ts'
import {
  countReporters,
  decayedGood,
  decayedHarm,
  describeReputation,
  harmLowerBound,
} from '../../../src/domain/reputation.ts'
import { REPORTERS_KEPT, REPUTATION_HALF_LIFE_DAYS } from '../../../src/domain/reputation-record.ts'
import { shareLowerBound } from '../../../src/domain/share-lower-bound.ts'

const DAY_MS = 86_400_000
const NOW = Date.parse('2026-03-01T12:00:00Z')

function report(reporter: number, fields: Partial<Report> = {}): Report {
  return {
    reportId: `r${reporter}`,
    number: 79160000002 as PhoneNumber,
    channel: 'hotline',
    scenario: 'bank',
    reporter: reporter.toString(16).padStart(16, '0').padEnd(32, 'f'),
    ingress: 0,
    atMs: NOW,
    receivedMs: NOW,
    weight: 1,
    ...fields,
  }
}

function fold(reports: readonly Report[]): DataView {
  const record = reports.reduce<DataView | undefined>((stored, next) => foldReport(stored, next), undefined)
  if (record === undefined) throw new Error('Nothing to fold.')
  return record
}

const count = (record: DataView, ingress = 0, nowMs = NOW, weightMin = 0.3) =>
  countReporters(record, ingress, nowMs, 10, weightMin, REPORTERS_KEPT)

describe('the window rule', () => {
  it('counts distinct reporters', () => {
    expect(count(fold([1, 2, 3].map((id) => report(id))))).toBe(3)
  })

  it('counts a reporter once, whatever the channel', () => {
    expect(count(fold([report(1), report(1, { channel: 'app' }), report(2)]))).toBe(2)
  })

  it('counts a report for exactly the days of the window', () => {
    const record = fold([report(1)])
    expect(count(record, 0, NOW + 10 * DAY_MS)).toBe(1)
    expect(count(record, 0, NOW + 10 * DAY_MS + 1)).toBe(0)
  })

  it('takes a report from a clock ahead of ours as fresh', () => {
    const record = fold([report(1, { receivedMs: NOW + 60_000 })])
    expect(count(record)).toBe(1)
    expect(decayedHarm(record, 0, NOW)).toBe(1)
  })

  it.each([
    [0.3, 1],
    [0.2999, 0],
    [0.35, 1],
  ])('counts weight %f as credible: %i', (weight, expected) => {
    expect(count(fold([report(1, { weight })]))).toBe(expected)
  })

  it('stops at enough', () => {
    const record = fold([1, 2, 3, 4, 5, 6].map((id) => report(id)))
    expect(countReporters(record, 0, NOW, 10, 0.3, 5)).toBe(5)
  })

  it('counts a known ingress kind for itself and for calls of unknown kind, an unknown one for all', () => {
    const record = fold([report(1, { ingress: 3 }), report(2, { ingress: 3 }), report(3, { ingress: 2 }), report(4)])
    expect([0, 1, 2, 3].map((ingress) => count(record, ingress))).toEqual([4, 1, 2, 3])
  })

  it('counts a reporter of two ingress kinds once', () => {
    const record = fold([report(1, { ingress: 3 }), report(1, { ingress: 0 }), report(1, { ingress: 2 })])
    expect([0, 1, 2, 3].map((ingress) => count(record, ingress))).toEqual([1, 1, 1, 1])
  })

  it('lets a report more than a day later renew the window, and one within a day not', () => {
    const within = fold([report(1), report(1, { receivedMs: NOW + SAME_REPORTER_MS })])
    const later = fold([report(1), report(1, { receivedMs: NOW + SAME_REPORTER_MS + 1 })])
    expect(count(within, 0, NOW + 10 * DAY_MS + 1)).toBe(0)
    expect(count(later, 0, NOW + 10 * DAY_MS + 1)).toBe(1)
  })
})

describe('decayed harm', () => {
  it('halves in the half-life', () => {
    expect(decayedHarm(fold([report(1)]), 0, NOW + REPUTATION_HALF_LIFE_DAYS * DAY_MS)).toBeCloseTo(0.5, 12)
  })

  it('counts once per reporter, at his greatest weight', () => {
    const record = fold([report(1, { weight: 0.5 }), report(1, { weight: 0.8 }), report(1, { weight: 0.2 })])
    expect(decayedHarm(record, 0, NOW)).toBeCloseTo(0.8, 12)
  })

  it('is kept apart by ingress kind', () => {
    const record = fold([report(1, { ingress: 3 }), report(2, { ingress: 3 }), report(3)])
    expect([0, 1, 2, 3].map((ingress) => decayedHarm(record, ingress, NOW))).toEqual([3, 1, 1, 3])
  })

  it('does not depend on the order of arrival', () => {
    const reports = [0, 5, 12, 3].map((days, id) => report(id, { receivedMs: NOW - days * DAY_MS }))
    const forward = describeReputation(fold(reports), NOW, 10)
    expect(describeReputation(fold(reports.toReversed()), NOW, 10)).toEqual(forward)
  })
})

describe('a household', () => {
  const household = report(900).reporter

  it('counts as one reporter of one weight', () => {
    const record = fold([1, 2, 3].map((id) => report(id, { household, weight: 0.3 + id / 10 })))
    expect(count(record)).toBe(1)
    expect(decayedHarm(record, 0, NOW)).toBeCloseTo(0.6, 12)
  })

  it('is one beside others, and one again on another number', () => {
    const record = fold([report(1, { household }), report(2), report(3, { household }), report(4)])
    expect(count(record)).toBe(3)
  })

  it('counts for every ingress kind it reports', () => {
    const record = fold([report(1, { household, ingress: 2 }), report(2, { household, ingress: 3 })])
    expect([0, 2, 3].map((ingress) => count(record, ingress))).toEqual([1, 1, 1])
    expect(decayedHarm(record, 0, NOW)).toBe(2)
  })

  it('stays what the first report said, whatever ingress kind the next one has', () => {
    const left = fold([report(1, { household, ingress: 2 }), report(2, { household }), report(1, { ingress: 3 })])
    expect([0, 2, 3].map((ingress) => count(left, ingress))).toEqual([1, 1, 1])
    const joined = fold([report(1, { ingress: 2 }), report(2, { household }), report(1, { household, ingress: 3 })])
    expect([0, 2, 3].map((ingress) => count(joined, ingress))).toEqual([2, 2, 2])
  })

  it('does not join two reporters when one comes back into the window who was once of it', () => {
    const before = [
      report(3),
      report(3, { ingress: 1, household, receivedMs: NOW - 10 * DAY_MS - 1 }),
      report(1, { household }),
    ]
    expect(count(fold(before))).toBe(2)
    expect(count(fold([...before, report(3, { ingress: 1 })]))).toBe(2)
  })

  it('pushes nobody but its own out of a full record', () => {
    const strangers = Array.from({ length: REPORTERS_KEPT - 1 }, (_, id) => report(id + 1))
    const family = Array.from({ length: 50 }, (_, id) => report(100 + id, { household, receivedMs: NOW + id }))
    expect(count(fold([...strangers, ...family]), 0, NOW + 50)).toBe(REPORTERS_KEPT)
    expect(count(fold([...family, ...strangers]), 0, NOW + 50)).toBe(REPORTERS_KEPT)
  })

  it('gives way to a clique', () => {
    const clique = report(1).reporter
    expect(count(fold([report(1), report(2, { household, clique }), report(3, { household })]))).toBe(2)
  })
})

describe('good evidence', () => {
  const good = (id: number, weight: number) => report(id, { opinion: 'not-spam', weight })

  it('is kept apart from harm and takes no place', () => {
    const record = fold([report(1), good(2, 0.25), good(3, 0.25)])
    expect(count(record)).toBe(1)
    expect(decayedGood(record, 0, NOW)).toBe(0.5)
    expect(decayedHarm(record, 0, NOW)).toBe(1)
    expect(record.byteLength).toBe(fold([report(1)]).byteLength)
  })

  it('weighs at most half of the harm', () => {
    const harm = [1, 2, 3, 4].map((id) => report(id))
    const at = (weight: number) => harmLowerBound(fold([...harm, good(9, weight), good(10, weight)]), 0, NOW)
    expect(at(0.5)).toBeLessThan(at(0))
    expect(at(1)).toBeCloseTo(shareLowerBound(4, 2), 12)
    const flood = Array.from({ length: 1000 }, (_, id) => good(100 + id, 1))
    expect(harmLowerBound(fold([...harm, ...flood]), 0, NOW)).toBeCloseTo(shareLowerBound(4, 2), 12)
  })
})

describe('a number found innocent', () => {
  const cleared = { opinion: 'not-spam', clears: true, weight: 0 } as const

  it('starts anew, for those who reported it too', () => {
    const before = [1, 2, 3, 4, 5].map((id) => report(id, { ingress: id % 3 }))
    const record = fold([...before, report(99, { ...cleared, receivedMs: NOW + 1 })])
    expect([0, 1, 2, 3].map((ingress) => count(record, ingress, NOW + 1))).toEqual([0, 0, 0, 0])
    expect(decayedHarm(record, 0, NOW + 1)).toBe(0)
    const again = foldReport(record, report(1, { ingress: 1, receivedMs: NOW + SAME_REPORTER_MS + 1 }))
    expect(count(again, 1, NOW + SAME_REPORTER_MS + 1)).toBe(1)
    expect(decayedHarm(again, 1, NOW + SAME_REPORTER_MS + 1)).toBe(1)
  })
})

describe('a full record', () => {
  const many = (number: number, fields: Partial<Report> = {}) =>
    Array.from({ length: number }, (_, id) => report(id + 1, { receivedMs: NOW + id, ...fields }))

  it('keeps the newest of equal weight', () => {
    const record = fold(many(REPORTERS_KEPT + 1))
    expect(count(record, 0, NOW + REPORTERS_KEPT)).toBe(REPORTERS_KEPT)
    // The first fell out, so his next report is new evidence.
    const again = foldReport(record, report(1, { receivedMs: NOW + 100 }))
    expect(decayedHarm(again, 0, NOW + 100)).toBeCloseTo(REPORTERS_KEPT + 2, 3)
  })

  it('is not flushed by reporters of little weight', () => {
    const credible = many(5)
    const flood = Array.from({ length: 100 }, (_, id) =>
      report(1000 + id, { weight: 0.1, receivedMs: NOW + 1000 + id }),
    )
    expect(count(fold([...credible, ...flood]), 0, NOW + 2000)).toBe(5)
  })

  it('is not flushed of reporters who were called by ones of whom nothing is known', () => {
    const called = many(5, { callMatch: 'yes', receivedMs: NOW - 9 * DAY_MS })
    const flood = Array.from({ length: 100 }, (_, id) => report(1000 + id, { receivedMs: NOW + id }))
    const rules = { windowDays: 10, weightMin: 0.3 }
    expect(countCorroborated(fold([...called, ...flood]), 0, NOW + 100, rules)).toBe(5)
  })

  it('has a bounded size', () => {
    expect(fold(many(200)).byteLength).toBe(88 + REPORTERS_KEPT * 24)
  })
})

describe('a reputation record', () => {
  it('is made anew by a fold, not changed', () => {
    const before = fold([report(1)])
    const bytes = new Uint8Array(before.buffer.slice(0))
    foldReport(before, report(2))
    expect(new Uint8Array(before.buffer)).toEqual(bytes)
  })

  it('is read from any offset of a larger buffer', () => {
    const record = fold([report(1), report(2)])
    const bytes = new Uint8Array(7 + record.byteLength)
    bytes.set(new Uint8Array(record.buffer, record.byteOffset, record.byteLength), 7)
    const moved = new DataView(bytes.buffer, 7, record.byteLength)
    expect(count(foldReport(moved, report(3)))).toBe(3)
  })

  it('is refused in another version', () => {
    const record = fold([report(1)])
    record.setUint8(0, 2)
    expect(() => foldReport(record, report(2))).toThrow(expect.objectContaining({ code: 'STORAGE_FORMAT' }))
  })

  it('of a version that knew no groups is read as it is', () => {
    const record = fold([report(1), report(2), report(3)])
    for (let slot = 0; slot < 3; slot++) {
      record.setUint8(88 + slot * 24 + 19, 0)
      record.setUint32(88 + slot * 24 + 20, 0, true)
    }
    expect(count(record)).toBe(3)
    expect(dominantScenario(record, 0, NOW, 10)).toBe(-1)
    expect(count(foldReport(record, report(4, { household: report(1).reporter })))).toBe(3)
  })

  it('describes itself', () => {
    const record = fold([report(1, { receivedMs: NOW - DAY_MS }), report(2, { ingress: 3 })])
    expect(describeReputation(record, NOW, 10)).toMatchObject({
      reports: 2,
      firstReportMs: NOW - DAY_MS,
      lastReportMs: NOW,
      reporters: 2,
      byIngress: { subscriber: { reporters: 1 }, national: { reporters: 1 }, international: { reporters: 2 } },
    })
  })
})

describe('the lower bound on the share of harm', () => {
  it.each([
    [0, 0, 0],
    [1, 0, 0.2698],
    [3, 0, 0.5258],
    [10, 0, 0.787],
    [5, 5, 0.269],
    [0, 5, 0],
  ])('of %f harm and %f good is %f', (harm, good, expected) => {
    expect(shareLowerBound(harm, good)).toBeCloseTo(expected, 3)
  })

  it('falls as evidence ages', () => {
    const record = fold([1, 2, 3].map((id) => report(id)))
    expect(harmLowerBound(record, 0, NOW + 60 * DAY_MS)).toBeLessThan(harmLowerBound(record, 0, NOW))
  })
})
