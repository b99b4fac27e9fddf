import { describe, expect, it } from 'vitest'
import { REPORTER_REPORTS_COUNTED } from '../../src/domain/reporter.ts'
import { countReporters } from '../../src/domain/reputation.ts'
import type { ReviewOutcome } from '../../src/domain/review.ts'
import type { RecordStore } from '../../src/stores/ports.ts'
import { NOON_MS, NUMBER, report } from './record-store.contract.ts'

const ANNA = 'a'.repeat(32)
const BORIS = 'b'.repeat(32)
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

/** What every record store knows about those who report. */
export function reporterContract(current: () => RecordStore): void {
  const others = [79160000003, 79160000004, 79160000005].map((number) => number as typeof NUMBER)

  async function review(outcome: ReviewOutcome, atMs: number): Promise<void> {
    const opened = await current().openReview({ number: NUMBER, cause: 'reported', score: 60, atMs }, 'system')
    await current().closeReview(opened.review.reviewId, { outcome, atMs }, 'anna')
  }
  const outcomesOf = (reporter: string) => current().reporter(reporter)?.outcomes

  describe('reporters', () => {
    it('are told by their reports, the newest first', async () => {
      for (const [index, number] of [NUMBER, ...others].entries()) {
        const opinion = index === 1 ? { opinion: 'not-spam' as const } : {}
        const receivedMs = NOON_MS + index * HOUR_MS
        await current().appendReport(report(`r${index}`, { number, reporter: ANNA, receivedMs, ...opinion }), 'agent')
        await current().appendReport(report(`s${index}`, { number, reporter: BORIS, receivedMs }), 'agent')
      }
      expect(current().reportsBy(ANNA, 3)).toEqual([
        { number: others[2], receivedMs: NOON_MS + 3 * HOUR_MS, opinion: 'harm' },
        { number: others[1], receivedMs: NOON_MS + 2 * HOUR_MS, opinion: 'harm' },
        { number: others[0], receivedMs: NOON_MS + HOUR_MS, opinion: 'not-spam' },
      ])
      expect(current().reportsBy(ANNA, 100)).toHaveLength(4)
      expect(current().reportsBy(ANNA, 0)).toEqual([])
      expect(current().reporter(ANNA)).toEqual({
        reports: 4,
        firstMs: NOON_MS,
        lastMs: NOON_MS + 3 * HOUR_MS,
        outcomes: undefined,
      })
    })

    it('are told by reports that come late in the order of their time', async () => {
      for (const [index, hours] of [2, 0, 1].entries()) {
        const receivedMs = NOON_MS + hours * HOUR_MS
        await current().appendReport(
          report(`r${index}`, { number: others[index]!, reporter: ANNA, receivedMs }),
          'agent',
        )
      }
      expect(
        current()
          .reportsBy(ANNA, 10)
          .map(({ number }) => number),
      ).toEqual([others[0], others[2], others[1]])
    })

    it('are unknown as long as they say nothing', () => {
      expect(current().reportsBy(ANNA, 10)).toEqual([])
      expect(current().reporter(ANNA)).toBeUndefined()
    })

    it('are counted up to a bound', async () => {
      const reports = Array.from({ length: REPORTER_REPORTS_COUNTED + 1 }, (_, index) =>
        report(`r${index}`, { reporter: ANNA, receivedMs: NOON_MS + index }),
      )
      await Promise.all(reports.map((one) => current().appendReport(one, 'agent')))
      expect(current().reporter(ANNA)).toMatchObject({ reports: REPORTER_REPORTS_COUNTED, firstMs: NOON_MS })
      expect(current().reportsBy(ANNA, 1_000)).toHaveLength(REPORTER_REPORTS_COUNTED + 1)
    })

    it.each([
      ['confirmed', { confirmed: 1, refuted: 0 }, { confirmed: 0, refuted: 1 }],
      ['innocent', { confirmed: 0, refuted: 1 }, { confirmed: 1, refuted: 0 }],
    ] as const)('are believed by what becomes of their reports: %s', async (outcome, ofAnna, ofBoris) => {
      await current().appendReport(report('r1', { reporter: ANNA }), 'agent')
      await current().appendReport(report('r2', { reporter: BORIS, opinion: 'not-spam' }), 'agent')
      await review(outcome, NOON_MS + HOUR_MS)
      const judged = { judgedMs: NOON_MS + HOUR_MS, firstJudgedMs: NOON_MS + HOUR_MS }
      expect(outcomesOf(ANNA)).toEqual({ ...ofAnna, ...judged })
      expect(outcomesOf(BORIS)).toEqual({ ...ofBoris, ...judged })
    })

    it('are not judged when a review decides nothing, and then by the next one that does', async () => {
      await current().appendReport(report('r1', { reporter: ANNA }), 'agent')
      await review('dismissed', NOON_MS + HOUR_MS)
      expect(outcomesOf(ANNA)).toBeUndefined()
      await review('innocent', NOON_MS + 2 * HOUR_MS)
      expect(outcomesOf(ANNA)).toMatchObject({ refuted: 1 })
    })

    it('are judged once for a report, however often its number is reviewed', async () => {
      await current().appendReport(report('r1', { reporter: ANNA }), 'agent')
      await review('innocent', NOON_MS + HOUR_MS)
      const receivedMs = NOON_MS + 2 * DAY_MS
      await current().appendReport(report('r2', { reporter: BORIS, receivedMs }), 'agent')
      await review('innocent', receivedMs + HOUR_MS)
      await review('dismissed', receivedMs + 2 * HOUR_MS)
      await review('innocent', receivedMs + 3 * HOUR_MS)
      expect(outcomesOf(ANNA)).toMatchObject({ refuted: 1, judgedMs: NOON_MS + HOUR_MS })
      expect(outcomesOf(BORIS)).toMatchObject({ refuted: 1, judgedMs: receivedMs + HOUR_MS })
    })

    it('are judged once for two reports of one number, and not for what did not count or is old', async () => {
      const old = report('r1', { reporter: BORIS, receivedMs: NOON_MS - 91 * DAY_MS })
      await current().appendReport(old, 'agent')
      await current().appendReport(report('r2', { reporter: ANNA, receivedMs: NOON_MS - 2 * DAY_MS }), 'agent')
      await current().appendReport(report('r3', { reporter: ANNA }), 'agent')
      const reporter = 'c'.repeat(32)
      await current().appendReport(report('r4', { reporter, weight: 0, notCounted: 'reporter-daily-limit' }), 'agent')
      await review('confirmed', NOON_MS)
      expect(outcomesOf(ANNA)).toMatchObject({ confirmed: 1 })
      expect([outcomesOf(BORIS), outcomesOf(reporter)]).toEqual([undefined, undefined])
    })

    it('of one household count as one, and those who always agree too', async () => {
      const household = 'd'.repeat(32)
      await current().appendReport(report('r1', { household }), 'agent')
      await current().appendReport(report('r2', { household }), 'agent')
      await current().appendReport(report('r3'), 'agent')
      await current().appendReport(report('r4', { clique: report('r3').reporter }), 'agent')
      expect(countReporters(current().reputationOf(NUMBER)!, 0, NOON_MS, 10, 0.3, 32)).toBe(2)
      expect(current().report('r4')).toEqual(report('r4', { clique: report('r3').reporter }))
    })

    it('refuses the same report id with another opinion', async () => {
      await current().appendReport(report('r1'), 'agent')
      const conflict = current().appendReport(report('r1', { opinion: 'not-spam' }), 'agent')
      await expect(conflict).rejects.toMatchObject({ code: 'REPORT_CONFLICT' })
    })
  })

  describe('the evidence of a review', () => {
    const request = { number: NUMBER, score: 50, atMs: NOON_MS }
    const evidence = { reporters: 3, corroborated: 1, standing: 'established', scenario: 'bank' } as const

    it('is kept, and replaced when another cause joins', async () => {
      const { review: opened } = await current().openReview({ ...request, cause: 'contested', evidence }, 'system')
      expect(opened.evidence).toEqual(evidence)
      const later = { ...evidence, reporters: 9 }
      await current().openReview({ ...request, cause: 'contested', evidence: later }, 'system')
      expect(current().reviewOf(NUMBER)?.evidence).toEqual(evidence)
      await current().openReview({ ...request, cause: 'suspicious-burst', evidence: later }, 'system')
      expect(current().reviewOf(NUMBER)?.evidence).toEqual(later)
      await current().openReview({ ...request, cause: 'appeal' }, 'system')
      expect(current().reviewOf(NUMBER)).toMatchObject({
        evidence: later,
        causes: ['contested', 'suspicious-burst', 'appeal'],
      })
    })
  })
}
