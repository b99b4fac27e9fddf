import { Counter, type Registry } from 'prom-client'
import type { Report } from '../domain/report.ts'

/** Counts what the hotline and the other channels send in. */
export type ReportMetrics = {
  accepted(channel: Report['channel'], outcome: 'recorded' | 'repeated' | 'same-reporter' | 'queued'): void
}

export function createReportMetrics(registry: Registry): ReportMetrics {
  const reports = new Counter({
    name: 'zaslon_reports_total',
    help: 'Reports acknowledged. recorded counts, repeated was known, same-reporter counts once with an earlier one, queued waits for Redis.',
    labelNames: ['channel', 'outcome'] as const,
    registers: [registry],
  })
  return { accepted: (channel, outcome) => reports.inc({ channel, outcome }) }
}
