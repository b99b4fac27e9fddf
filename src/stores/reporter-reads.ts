import type { PhoneNumber } from '../domain/phone-number.ts'
import type { Opinion } from '../domain/report.ts'
import type { ReporterRecord } from '../domain/reporter.ts'

/** One report as its reporter's: what caps and cliques are found by. */
export type ReporterReport = {
  readonly number: PhoneNumber
  readonly receivedMs: number
  readonly opinion: Opinion
}

/** What a record store knows of reporters, by their pseudonyms (32 hexadecimal digits). */
export type ReporterReads = {
  /** Reports by this reporter, whatever they weighed, newest first. Those that a version before this took are not among them. */
  reportsBy(reporter: string, limit: number): ReporterReport[]
  /** Undefined when nothing is known of the reporter. */
  reporter(reporter: string): ReporterRecord | undefined
}
