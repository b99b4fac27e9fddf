import type { Report } from '../../domain/report.ts'
import {
  foldOutcome,
  REPORTER_REPORTS_COUNTED,
  type ReporterOutcomes,
  type ReviewJudgement,
} from '../../domain/reporter.ts'
import type { ReporterReads, ReporterReport } from '../reporter-reads.ts'

export type MemoryReporters = {
  note(report: Report): void
  judge(judgement: ReviewJudgement, atMs: number): void
  readonly reads: ReporterReads
}

export function memoryReporters(): MemoryReporters {
  /** Newest first. */
  const byReporter = new Map<string, ReporterReport[]>()
  const outcomesOf = new Map<string, ReporterOutcomes>()
  return {
    note({ reporter, number, receivedMs, opinion = 'harm' }) {
      const reports = byReporter.get(reporter) ?? []
      const isSame = (known: ReporterReport) => known.receivedMs === receivedMs && known.number === number
      const others = reports.filter((known) => !isSame(known))
      const at = others.findIndex((known) => isBehind(known, { number, receivedMs }))
      others.splice(at < 0 ? others.length : at, 0, { number, receivedMs, opinion })
      byReporter.set(reporter, others)
    },
    judge(judgement, atMs) {
      for (const outcome of ['confirmed', 'refuted'] as const) {
        for (const reporter of judgement[outcome]) {
          outcomesOf.set(reporter, foldOutcome(outcomesOf.get(reporter), outcome, atMs))
        }
      }
    },
    reads: {
      reportsBy: (reporter, limit) => (byReporter.get(reporter) ?? []).slice(0, limit),
      reporter(reporter) {
        const reports = byReporter.get(reporter) ?? []
        const outcomes = outcomesOf.get(reporter)
        const lastMs = reports[0]?.receivedMs ?? outcomes?.judgedMs
        if (lastMs === undefined) return undefined
        return {
          reports: Math.min(reports.length, REPORTER_REPORTS_COUNTED),
          firstMs: reports.at(-1)?.receivedMs ?? outcomes?.firstJudgedMs ?? lastMs,
          lastMs,
          outcomes,
        }
      },
    },
  }
}

function isBehind(a: Pick<ReporterReport, 'number' | 'receivedMs'>, b: typeof a): boolean {
  return a.receivedMs < b.receivedMs || (a.receivedMs === b.receivedMs && a.number < b.number)
}
