/**
 * Rows by reporter. Facts of 65 partitions have no common order and each partition is taken back by itself, so a row belongs
 * to one partition: a report's row has its number in the key, what reviews decided is the desk's.
 */
import type { PhoneNumber } from '../../domain/phone-number.ts'
import { OPINIONS, type Report } from '../../domain/report.ts'
import {
  foldOutcome,
  REPORTER_REPORTS_COUNTED,
  type ReporterOutcomes,
  type ReviewJudgement,
} from '../../domain/reporter.ts'
import type { ReporterReads, ReporterReport } from '../reporter-reads.ts'
import type { Environment } from './environment.ts'
import { KEY_PREFIX_BYTES, LIVE_SPACE, makeKey, u64Part } from './keys.ts'
import type { WriteSet } from './write-set.ts'

const PSEUDONYM_BYTES = 16
const TIME_AT = KEY_PREFIX_BYTES + PSEUDONYM_BYTES
const NUMBER_AT = TIME_AT + 8
const OUTCOMES_BYTES = 32

export function pseudonymBytes(reporter: string): Buffer {
  const bytes = Buffer.from(reporter, 'hex')
  if (bytes.length === PSEUDONYM_BYTES) return bytes
  throw new RangeError(`A reporter is 32 hexadecimal digits, got ${reporter.length} characters.`)
}

const outcomesKey = (reporter: string) => makeKey(LIVE_SPACE.reporterOutcomes, { bytes: pseudonymBytes(reporter) })

export function reporterReads(environment: Environment): ReporterReads {
  function scan(reporter: string, limit: number, reverse: boolean): ReporterReport[] {
    const reports: ReporterReport[] = []
    const prefix = makeKey(LIVE_SPACE.reporterReport, { bytes: pseudonymBytes(reporter) })
    environment.scan({ prefix, reverse, limit }, (key, value) => {
      const number = u64Part(key, NUMBER_AT) as PhoneNumber
      reports.push({ number, receivedMs: u64Part(key, TIME_AT), opinion: OPINIONS[value.readUInt8()] ?? 'harm' })
    })
    return reports
  }
  return {
    reportsBy(reporter, limit) {
      environment.refresh()
      return scan(reporter, limit, true)
    },
    reporter(reporter) {
      environment.refresh()
      const outcomes = readOutcomes(environment, reporter)
      const newest = scan(reporter, REPORTER_REPORTS_COUNTED, true)
      const lastMs = newest[0]?.receivedMs ?? outcomes?.judgedMs
      if (lastMs === undefined) return undefined
      const firstMs = scan(reporter, 1, false)[0]?.receivedMs ?? outcomes?.firstJudgedMs ?? lastMs
      return { reports: newest.length, firstMs, lastMs, outcomes }
    },
  }
}

export function reporterReportKey({ reporter, receivedMs, number }: Report): Buffer {
  const parts = [{ bytes: pseudonymBytes(reporter) }, { u64: Math.max(0, Math.floor(receivedMs)) }, { u64: number }]
  return makeKey(LIVE_SPACE.reporterReport, ...parts)
}

export function putReporterReport(writes: WriteSet, report: Report): void {
  writes.put(reporterReportKey(report), Buffer.of(OPINIONS.indexOf(report.opinion ?? 'harm')))
}

export function foldJudgement(
  environment: Environment,
  writes: WriteSet,
  judgement: ReviewJudgement,
  atMs: number,
): void {
  for (const outcome of ['confirmed', 'refuted'] as const) {
    for (const reporter of judgement[outcome]) {
      const folded = foldOutcome(readOutcomes(environment, reporter), outcome, atMs)
      writes.put(outcomesKey(reporter), encodeOutcomes(folded))
    }
  }
}

function readOutcomes(environment: Environment, reporter: string): ReporterOutcomes | undefined {
  const bytes = environment.bytes(outcomesKey(reporter))
  if (bytes === undefined) return undefined
  return {
    confirmed: bytes.readDoubleLE(0),
    refuted: bytes.readDoubleLE(8),
    judgedMs: bytes.readDoubleLE(16),
    firstJudgedMs: bytes.readDoubleLE(24),
  }
}

function encodeOutcomes({ confirmed, refuted, judgedMs, firstJudgedMs }: ReporterOutcomes): Buffer {
  const bytes = Buffer.allocUnsafe(OUTCOMES_BYTES)
  bytes.writeDoubleLE(confirmed, 0)
  bytes.writeDoubleLE(refuted, 8)
  bytes.writeDoubleLE(judgedMs, 16)
  bytes.writeDoubleLE(firstJudgedMs, 24)
  return bytes
}
