import { foldReport, SAME_REPORTER_MS } from '../../domain/fold-report.ts'
import type { PhoneNumber } from '../../domain/phone-number.ts'
import type { Report } from '../../domain/report.ts'
import type { FactOf } from '../fact.ts'
import type { AppendReportResult, RecordStore } from '../ports.ts'
import { assertSameReport } from '../record-rules.ts'
import type { Database, Environment } from './environment.ts'
import { KEY_PREFIX_BYTES, keyAfterPrefix, LIVE_SPACE, makeKey, u64Part } from './keys.ts'
import { pseudonymBytes, putReporterReport } from './reporters.ts'
import { decodeJson, encodeJson } from './values.ts'
import type { WriteSet } from './write-set.ts'

type StoredReport = {
  readonly report: Report
  readonly sequence: number
  readonly outcome: AppendReportResult['outcome']
}

export type ReportReads = Pick<RecordStore, 'report' | 'reportsOf' | 'reputationOf' | 'readReputationNumbers'>

/** No report id has a NUL in it. */
const idPrefix = (reportId: string) => makeKey(LIVE_SPACE.report, { text: `${reportId}\0` })
export const reportKey = (reportId: string, number: number) =>
  makeKey(LIVE_SPACE.report, { text: `${reportId}\0${number}` })
const numberKey = (space: number, number: number) => makeKey(space, { u64: number })

export function reportReads(environment: Environment): ReportReads {
  return {
    report(reportId) {
      environment.refresh()
      return readReport(environment, reportId)
    },
    reportsOf(number, limit) {
      environment.refresh()
      const reportIds: string[] = []
      const prefix = numberKey(LIVE_SPACE.reportByNumber, number)
      environment.scan({ prefix, reverse: true, limit }, (_key, value) => reportIds.push(value.toString()))
      return reportIds.flatMap((reportId) => environment.json<StoredReport>(reportKey(reportId, number))?.report ?? [])
    },
    reputationOf(number) {
      environment.refresh()
      return readReputation(environment, number)
    },
    readReputationNumbers(after, into) {
      environment.refresh()
      let count = 0
      const prefix = makeKey(LIVE_SPACE.reputation)
      const beyond = numberKey(LIVE_SPACE.reputation, Math.max(0, after))
      environment.scan({ prefix, beyond, limit: into.length }, (key) => {
        into[count++] = u64Part(key, KEY_PREFIX_BYTES)
      })
      return count
    },
  }
}

/**
 * Throws REPORT_CONFLICT when the id belongs to a report about another number. Who accepts a report asks this; it is no
 * part of the fact, because facts about two numbers have no common order: should two nodes take the same id for two
 * numbers at the same moment, both reports stay.
 */
export function assertOwnNumber(environment: Environment, report: Report): void {
  const known = readReport(environment, report.reportId)
  if (known !== undefined) assertSameReport(known, report)
}

/** Report, its indexes, the reporter's mark, the folded reputation, change and audit. Throws REPORT_CONFLICT. */
export function appendReport(
  environment: Environment,
  writes: WriteSet,
  { report, actor }: FactOf<'report'>,
): AppendReportResult {
  const known = environment.json<StoredReport>(reportKey(report.reportId, report.number))
  if (known !== undefined) {
    assertSameReport(known.report, report)
    return { outcome: 'repeated', sequence: known.sequence, report: known.report }
  }
  const markKey = reporterKey(report.number, report.reporter)
  const outcome = hasCounted(environment.bytes(markKey), report.receivedMs) ? 'same-reporter' : 'recorded'
  const sequence = writes.change({ kind: 'report', number: report.number })
  writes.put(
    reportKey(report.reportId, report.number),
    encodeJson({ report, sequence, outcome } satisfies StoredReport),
  )
  writes.put(
    makeKey(LIVE_SPACE.reportByNumber, { u64: report.number }, { u64: sequence }),
    Buffer.from(report.reportId),
  )
  putReporterReport(writes, report)
  if (outcome === 'recorded') {
    const mark = Buffer.allocUnsafe(8)
    mark.writeDoubleLE(report.receivedMs)
    writes.put(markKey, mark)
    const folded = foldReport(readReputation(environment, report.number), report)
    writes.put(
      numberKey(LIVE_SPACE.reputation, report.number),
      Buffer.from(folded.buffer, folded.byteOffset, folded.byteLength),
    )
  }
  writes.audit(actor, 'report.append', report.reportId, { outcome })
  return { outcome, sequence, report }
}

function hasCounted(mark: Buffer | undefined, receivedMs: number): boolean {
  return mark !== undefined && Math.abs(receivedMs - mark.readDoubleLE()) < SAME_REPORTER_MS
}

function reporterKey(number: PhoneNumber, reporter: string): Buffer {
  return makeKey(LIVE_SPACE.countedReporter, { u64: number }, { bytes: pseudonymBytes(reporter) })
}

function readReputation(environment: Environment, number: PhoneNumber): DataView | undefined {
  const bytes = environment.bytes(numberKey(LIVE_SPACE.reputation, number))
  return bytes === undefined ? undefined : new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
}

function readReport(environment: Environment, reportId: string): Report | undefined {
  let report: Report | undefined
  environment.scan({ prefix: idPrefix(reportId), limit: 1 }, (_key, value) => {
    report = decodeJson<StoredReport>(value).report
  })
  return report
}

/** v1 had the report id alone for a key. */
export function rekeyReports(db: Database): void {
  const prefix = makeKey(LIVE_SPACE.report)
  // Taken first: a cursor would find what is put behind it.
  const keys = [...db.getKeys({ start: prefix, end: keyAfterPrefix(prefix) })].map((key) => Buffer.from(key))
  for (const key of keys) {
    const value = db.getBinary(key)
    if (value === undefined) continue
    const { report } = decodeJson<StoredReport>(value)
    const copy = Buffer.from(value)
    db.remove(key)
    db.put(reportKey(report.reportId, report.number), copy)
  }
}
