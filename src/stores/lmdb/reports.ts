import type { PhoneNumber } from '../../domain/phone-number.ts'
import type { Report } from '../../domain/report.ts'
import { foldReport, SAME_REPORTER_MS } from '../../domain/reputation.ts'
import type { Actor, AppendReportResult, RecordStore } from '../ports.ts'
import { assertSameReport } from '../record-rules.ts'
import type { CommitQueue, WriteSet } from './commit-queue.ts'
import type { Environment } from './environment.ts'
import { KEY_PREFIX_BYTES, LIVE_SPACE, makeKey, u64Part } from './keys.ts'
import { encodeJson } from './values.ts'

type StoredReport = {
  readonly report: Report
  readonly sequence: number
  readonly outcome: AppendReportResult['outcome']
}

export type ReportReads = Pick<RecordStore, 'report' | 'reportsOf' | 'reputationOf' | 'readReputationNumbers'>

const reportKey = (reportId: string) => makeKey(LIVE_SPACE.report, { text: reportId })
const numberKey = (space: number, number: number) => makeKey(space, { u64: number })

export function reportReads(environment: Environment): ReportReads {
  return {
    report(reportId) {
      environment.refresh()
      return environment.json<StoredReport>(reportKey(reportId))?.report
    },
    reportsOf(number, limit) {
      environment.refresh()
      const reportIds: string[] = []
      const prefix = numberKey(LIVE_SPACE.reportByNumber, number)
      environment.scan({ prefix, reverse: true, limit }, (_key, value) => reportIds.push(value.toString()))
      return reportIds.flatMap((reportId) => environment.json<StoredReport>(reportKey(reportId))?.report ?? [])
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

export function reportWrites(environment: Environment, queue: CommitQueue): Pick<RecordStore, 'appendReport'> {
  return {
    appendReport: (report, actor) => queue.run((writes) => append(environment, writes, report, actor)),
  }
}

/** Report, its index, the reporter's mark, the folded reputation, change and audit: one transaction. */
function append(environment: Environment, writes: WriteSet, report: Report, actor: Actor): AppendReportResult {
  const known = environment.json<StoredReport>(reportKey(report.reportId))
  if (known !== undefined) {
    assertSameReport(known.report, report)
    return { outcome: 'repeated', sequence: known.sequence, report: known.report }
  }
  const markKey = reporterKey(report.number, report.reporter)
  const outcome = hasCounted(environment.bytes(markKey), report.receivedMs) ? 'same-reporter' : 'recorded'
  const sequence = writes.change({ kind: 'report', number: report.number })
  writes.put(reportKey(report.reportId), encodeJson({ report, sequence, outcome } satisfies StoredReport))
  writes.put(
    makeKey(LIVE_SPACE.reportByNumber, { u64: report.number }, { u64: sequence }),
    Buffer.from(report.reportId),
  )
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
  const bytes = Buffer.from(reporter, 'hex')
  if (bytes.length !== 16)
    throw new RangeError(`A reporter is 32 hexadecimal digits, got ${reporter.length} characters.`)
  return makeKey(LIVE_SPACE.countedReporter, { u64: number }, { bytes })
}

function readReputation(environment: Environment, number: PhoneNumber): DataView | undefined {
  const bytes = environment.bytes(numberKey(LIVE_SPACE.reputation, number))
  return bytes === undefined ? undefined : new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
}
