import type { PhoneNumber } from '../domain/phone-number.ts'
import type { Report } from '../domain/report.ts'
import { leaderOf } from './weigh-report.ts'

/** Reports of a number that are weighed and on their way to the record: whoever weighs the next one must know of them. */
export type ArrivingReports = {
  /** Reporters of harm, each with whom he counts as one with. */
  readonly leaders: ReadonlyMap<string, string>
  /** What "not spam" will add to the good evidence, in whole reports. */
  readonly goodWeight: number
}

export type Arriving = {
  of(number: PhoneNumber): ArrivingReports
  add(report: Report): void
  /** The same report is in the record, or will never be. */
  remove(report: Report): void
}

const NONE: ArrivingReports = { leaders: new Map(), goodWeight: 0 }

/** Bounded by the reports that may be on their way at once. A reporter has one of them at most. */
export function createArriving(): Arriving {
  const byNumber = new Map<PhoneNumber, Map<string, Report>>()
  return {
    of(number) {
      const reports = byNumber.get(number)
      if (reports === undefined) return NONE
      const leaders = new Map<string, string>()
      let goodWeight = 0
      for (const report of reports.values()) {
        if (report.opinion === 'not-spam') goodWeight += report.weight
        else leaders.set(report.reporter, leaderOf(report))
      }
      return { leaders, goodWeight }
    },
    add(report) {
      const reports = byNumber.get(report.number) ?? new Map<string, Report>()
      byNumber.set(report.number, reports.set(report.reporter, report))
    },
    remove({ number, reporter }) {
      const reports = byNumber.get(number)
      reports?.delete(reporter)
      if (reports?.size === 0) byNumber.delete(number)
    },
  }
}
