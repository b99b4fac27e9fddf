import { expect, it } from 'vitest'
import { type ErrorCode, ScreeningError } from '../../src/domain/errors.ts'
import type { PhoneNumber } from '../../src/domain/phone-number.ts'
import type { Report } from '../../src/domain/report.ts'
import { createReportIntake, REPORT_INTAKE_DEFAULTS } from '../../src/services/accept-report.ts'

/** An intake for a protected number, whose reports are recorded and whose review cannot be opened. */
function intakeWithout(code: ErrorCode, { outcome = 'recorded' as 'recorded' | 'queued', told = [] as number[] } = {}) {
  const membership = { of: () => [{ isExpired: false }] }
  return createReportIntake(
    { ...REPORT_INTAKE_DEFAULTS, inFlightMax: 1 },
    {
      store: {
        appendReport: async (report: Report) => ({ outcome, sequence: 1, report }),
        openReview: async () => {
          throw new ScreeningError(code, 'Not now.')
        },
        reviewOf: () => undefined,
        reputationOf: () => undefined,
        reporter: () => undefined,
        reportsBy: () => [],
        reportsOf: () => [],
        policy: () => undefined,
      },
      pseudonyms: { reporter: () => 'r'.repeat(32), household: () => 'h'.repeat(32) },
      membership: membership as never,
      parse: () => 79160000001 as PhoneNumber,
      callMatch: async () => 'unknown',
      standingOf: async () => 'unknown',
      notify: async (sequence) => void told.push(sequence),
      now: () => 1_700_000_000_000,
      metrics: { accepted: () => {} },
    },
  )
}
const BODY = { number: '+79160000001', channel: 'hotline', scenario: 'bank', reporter: 'anna' } as const

it('keeps a report of a protected number when the review cannot be opened now', async () => {
  const codes = ['QUEUE_FULL', 'UNAVAILABLE', 'CONTENTS_MISSING', 'RECORD_LOST', 'RECORD_DIVERGED'] as const
  for (const code of [...codes, 'RECORD_DAMAGED'] as const) {
    const accepted = await intakeWithout(code).accept(BODY, 'agent')
    expect(accepted).toMatchObject({ accepted: true, state: 'recorded' })
    expect(accepted.reviewId).toBeUndefined()
  }
})

it('says so when the disk refuses the review', async () => {
  await expect(intakeWithout('STORAGE_FULL').accept(BODY, 'agent')).rejects.toMatchObject({ code: 'STORAGE_FULL' })
})

it('waits neither for a review nor for verdict processes when a report is queued', async () => {
  const told: number[] = []
  const accepted = await intakeWithout('STORAGE_FULL', { outcome: 'queued', told }).accept(BODY, 'agent')
  expect(accepted).toMatchObject({ accepted: true, state: 'queued', duplicate: false })
  expect(told).toEqual([])
})
