import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { SAME_REPORTER_MS } from '../../src/domain/fold-report.ts'
import type { PhoneNumber } from '../../src/domain/phone-number.ts'
import type { Report } from '../../src/domain/report.ts'
import type { RecordStore } from '../../src/stores/ports.ts'
import { POLICY } from '../support/sample-policy.ts'
import { listContract, numberingContract } from './record-lists.contract.ts'
import { logContract } from './record-log.contract.ts'
import { reporterContract } from './record-reporters.contract.ts'

export type OpenRecordStore = (options?: {
  changesKept?: number
  auditKept?: number
  now?: () => number
}) => Promise<RecordStore>

export const NUMBER = 79160000002 as PhoneNumber
const OTHER = 79160000003 as PhoneNumber
const DAY_MS = 86_400_000
export const NOON_MS = 1_760_000_000_000

export function report(reportId: string, changes: Partial<Report> = {}): Report {
  return {
    reportId,
    number: NUMBER,
    channel: 'hotline',
    scenario: 'bank',
    reporter: reportId.replaceAll(/\D/g, '').padStart(32, '0'),
    ingress: 0,
    atMs: NOON_MS - 60_000,
    receivedMs: NOON_MS,
    weight: 1,
    ...changes,
  }
}

/** What every record store does, whatever keeps it. `open` gives a new, empty one each time. */
export function recordStoreContract(name: string, open: OpenRecordStore): void {
  describe(`${name} as a RecordStore`, () => {
    let store: RecordStore
    beforeEach(async () => {
      store = await open({ now: () => NOON_MS })
    })
    afterEach(() => store.close())

    reportContract(() => store)
    reporterContract(() => store)
    listContract(() => store)
    numberingContract(() => store)
    policyContract(() => store)
    reviewContract(() => store)
  })
  logContract(name, open)
}

function reportContract(current: () => RecordStore): void {
  describe('reports', () => {
    it('keeps a report and everything that follows from it', async () => {
      const result = await current().appendReport(report('r1', { note: 'he asked for the code' }), 'agent')
      expect(result).toMatchObject({ outcome: 'recorded', sequence: 1 })
      expect(current().report('r1')).toEqual(report('r1', { note: 'he asked for the code' }))
      expect(current().reportsOf(NUMBER, 10)).toEqual([report('r1', { note: 'he asked for the code' })])
      expect(current().reputationOf(NUMBER)?.getUint32(4, true)).toBe(1)
      expect(current().changesAfter(0, 10)).toEqual([{ sequence: 1, atMs: NOON_MS, kind: 'report', number: NUMBER }])
      expect(current().audit(10)).toMatchObject([{ actor: 'agent', action: 'report.append', subject: 'r1' }])
    })

    it('keeps a report that arrives twice once', async () => {
      const first = await current().appendReport(report('r1'), 'agent')
      const second = await current().appendReport(report('r1', { note: 'again' }), 'agent')
      expect(second).toEqual({ ...first, outcome: 'repeated' })
      expect(current().reportsOf(NUMBER, 10)).toHaveLength(1)
      expect(current().lastSequence()).toBe(1)
    })

    it('keeps a report that arrives twice at the same moment once', async () => {
      const results = await Promise.all([1, 2, 3].map(() => current().appendReport(report('r1'), 'agent')))
      expect(results.map((result) => result.outcome)).toEqual(['recorded', 'repeated', 'repeated'])
    })

    it.each([
      ['number', { number: OTHER }],
      ['reporter', { reporter: 'f'.repeat(32) }],
      ['scenario', { scenario: 'spam' as const }],
    ])('refuses the same report id with another %s', async (_field, changes) => {
      await current().appendReport(report('r1'), 'agent')
      const conflict = current().appendReport(report('r1', changes), 'agent')
      await expect(conflict).rejects.toMatchObject({ code: 'REPORT_CONFLICT' })
      expect(current().report('r1')).toEqual(report('r1'))
      expect(current().lastSequence()).toBe(1)
    })

    it('counts a reporter once within 24 hours and keeps both reports', async () => {
      const reporter = 'a'.repeat(32)
      await current().appendReport(report('r1', { reporter }), 'agent')
      const later = report('r2', { reporter, receivedMs: NOON_MS + SAME_REPORTER_MS - 1, channel: 'bot' })
      expect(await current().appendReport(later, 'agent')).toMatchObject({ outcome: 'same-reporter', sequence: 2 })
      expect(current().reputationOf(NUMBER)?.getUint32(4, true)).toBe(1)
      expect(
        current()
          .reportsOf(NUMBER, 10)
          .map((kept) => kept.reportId),
      ).toEqual(['r2', 'r1'])
    })

    it('counts a reporter again after 24 hours, and at once for another number', async () => {
      const reporter = 'a'.repeat(32)
      await current().appendReport(report('r1', { reporter }), 'agent')
      const other = await current().appendReport(report('r2', { reporter, number: OTHER }), 'agent')
      const again = await current().appendReport(
        report('r3', { reporter, receivedMs: NOON_MS + SAME_REPORTER_MS }),
        'agent',
      )
      expect([other.outcome, again.outcome]).toEqual(['recorded', 'recorded'])
      expect(current().reputationOf(NUMBER)?.getUint32(4, true)).toBe(2)
    })

    it('reads back nothing about a number nobody reported', () => {
      expect(current().report('r1')).toBeUndefined()
      expect(current().reportsOf(NUMBER, 10)).toEqual([])
      expect(current().reputationOf(NUMBER)).toBeUndefined()
    })

    it('hands out a copy of the reputation', async () => {
      await current().appendReport(report('r1'), 'agent')
      current().reputationOf(NUMBER)?.setUint32(4, 99, true)
      expect(current().reputationOf(NUMBER)?.getUint32(4, true)).toBe(1)
    })

    it('lists the newest reports of a number first, as many as wanted', async () => {
      for (let day = 1; day <= 5; day++) {
        await current().appendReport(report(`r${day}`, { receivedMs: NOON_MS + day * DAY_MS }), 'agent')
        await current().appendReport(report(`r${day}0`, { number: OTHER }), 'agent')
      }
      expect(
        current()
          .reportsOf(NUMBER, 2)
          .map((kept) => kept.reportId),
      ).toEqual(['r5', 'r4'])
      expect(current().reportsOf(NUMBER, 0)).toEqual([])
    })

    it('walks the numbers with a reputation in ascending order', async () => {
      const numbers = [300, 5_000_000_000, 100, 200, 999_999_999_999_999].map((number) => number as PhoneNumber)
      await Promise.all(
        numbers.map((number, index) => current().appendReport(report(`r${index}`, { number }), 'agent')),
      )
      const two = new Float64Array(2)
      const seen: number[] = []
      for (let after = 0, count = 2; count === 2; after = seen.at(-1) ?? 0) {
        count = current().readReputationNumbers(after, two)
        seen.push(...two.subarray(0, count))
      }
      expect(seen).toEqual([100, 200, 300, 5_000_000_000, 999_999_999_999_999])
    })
  })
}

function policyContract(current: () => RecordStore): void {
  describe('policies', () => {
    it('keeps every version with its text', async () => {
      expect(current().policy()).toBeUndefined()
      await current().putPolicy({ text: 'name: default', document: POLICY }, {}, 'anna')
      const second = await current().putPolicy({ text: 'name: v2', document: POLICY }, { expectedVersion: 1 }, 'boris')
      expect(second).toMatchObject({ sequence: 2, policy: { version: 2, text: 'name: v2', actor: 'boris' } })
      expect(current().policy()).toEqual(second.policy)
      expect(
        current()
          .policyVersions(10)
          .map((policy) => policy.version),
      ).toEqual([2, 1])
      expect(current().policyVersions(1)).toHaveLength(1)
    })

    it('refuses a policy that was written against another version', async () => {
      await current().putPolicy({ text: 'a', document: POLICY }, { expectedVersion: 0 }, 'anna')
      const late = current().putPolicy({ text: 'b', document: POLICY }, { expectedVersion: 0 }, 'boris')
      await expect(late).rejects.toMatchObject({ code: 'POLICY_CHANGED' })
      expect(current().policy()?.text).toBe('a')
    })
  })
}

function reviewContract(current: () => RecordStore): void {
  const request = (number: PhoneNumber, score: number) => ({ number, cause: 'reported' as const, score, atMs: NOON_MS })

  describe('reviews', () => {
    it('opens one review a number and joins further causes to it', async () => {
      const { review, opened } = await current().openReview(request(NUMBER, 60), 'system')
      expect(opened).toBe(true)
      const again = await current().openReview({ ...request(NUMBER, 50), cause: 'appeal' }, 'switch')
      expect(again).toMatchObject({ opened: false, review: { causes: ['reported', 'appeal'], score: 60 } })
      expect(again.review.reviewId).toBe(review.reviewId)
      expect(current().reviewOf(NUMBER)).toEqual(again.review)
      expect(current().lastSequence()).toBe(2)
      await current().openReview(request(NUMBER, 40), 'system')
      expect(current().lastSequence()).toBe(2)
    })

    it('lists open reviews by score and closed ones by time', async () => {
      const numbers = [101, 102, 103].map((number) => number as PhoneNumber)
      for (const [index, number] of numbers.entries())
        await current().openReview(request(number, 50 + index * 10), 'system')
      await current().openReview(request(numbers[0]!, 99.6), 'system')
      expect(
        current()
          .reviews('open', 10)
          .map((review) => review.score),
      ).toEqual([99.6, 70, 60])
      expect(current().reviews('open', 1)).toHaveLength(1)
      const closing = current().reviews('open', 10).slice(0, 2)
      for (const [index, review] of closing.entries()) {
        await current().closeReview(review.reviewId, { outcome: 'dismissed', atMs: NOON_MS + index }, 'anna')
      }
      expect(
        current()
          .reviews('open', 10)
          .map((review) => review.score),
      ).toEqual([60])
      expect(
        current()
          .reviews('closed', 10)
          .map((review) => review.score),
      ).toEqual([70, 99.6])
    })

    it('closes a review once and opens a new one afterwards', async () => {
      const { review } = await current().openReview(request(NUMBER, 60), 'system')
      const result = { outcome: 'confirmed' as const, note: 'called back', atMs: NOON_MS + 1 }
      const closed = await current().closeReview(review.reviewId, result, 'anna')
      expect(closed).toMatchObject({ state: 'closed', outcome: 'confirmed', closedBy: 'anna', note: 'called back' })
      expect(current().review(review.reviewId)).toEqual(closed)
      await expect(current().closeReview(review.reviewId, result, 'anna')).rejects.toMatchObject({
        code: 'REVIEW_CLOSED',
      })
      await expect(current().closeReview('r9', result, 'anna')).rejects.toMatchObject({ code: 'REVIEW_UNKNOWN' })
      const next = await current().openReview(request(NUMBER, 30), 'system')
      expect(next.opened).toBe(true)
      expect(next.review.reviewId).not.toBe(review.reviewId)
      expect(current().reviewOf(NUMBER)).toEqual(next.review)
    })
  })
}
