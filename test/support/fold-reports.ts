import { foldReport } from '../../src/domain/fold-report.ts'
import type { PhoneNumber } from '../../src/domain/phone-number.ts'
import type { Report } from '../../src/domain/report.ts'

export const FOLD_NOW = Date.parse('2026-03-01T12:00:00Z')

/** Report number `reporter` by a reporter of that number. */
export function reportBy(reporter: number, fields: Partial<Report> = {}): Report {
  return {
    reportId: `r${reporter}`,
    number: 79160000002 as PhoneNumber,
    channel: 'hotline',
    scenario: 'bank',
    reporter: pseudonymOf(reporter),
    ingress: 0,
    atMs: FOLD_NOW,
    receivedMs: FOLD_NOW,
    weight: 1,
    ...fields,
  }
}

export function pseudonymOf(reporter: number): string {
  return reporter.toString(16).padStart(16, '0').padEnd(32, 'f')
}

export function foldAll(reports: readonly Report[]): DataView {
  const record = reports.reduce<DataView | undefined>((stored, next) => foldReport(stored, next), undefined)
  if (record === undefined) throw new Error('Nothing to fold.')
  return record
}
