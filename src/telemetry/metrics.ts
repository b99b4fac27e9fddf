import { Gauge, Registry } from 'prom-client'
import type { RecordView } from '../domain/record-view.ts'
import { decisionTimeText } from './decision-time-metrics.ts'
import { createHttpMetrics, type HttpMetrics } from './http-metrics.ts'
import { createImportMetrics, type ImportMetrics } from './import-metrics.ts'
import { createProcessMetrics } from './process-metrics.ts'
import { createRecordMetrics, type RecordState } from './record-metrics.ts'
import { createReportMetrics, type ReportMetrics } from './report-metrics.ts'
import { createSharedRecordMetrics } from './shared-record-metrics.ts'
import { createVerdictMetrics, type VerdictProcessState } from './verdict-metrics.ts'

/** All metrics of a node, one file per subsystem; the control process serves them at GET /metrics. */
export type Metrics = {
  readonly reports: ReportMetrics
  readonly imports: ImportMetrics
  readonly http: HttpMetrics
  readonly contentType: string
  /** The text exposition format, with gauges as of now. */
  render(state: {
    record: RecordState
    recordView: RecordView
    processes: readonly VerdictProcessState[]
    nowMs: number
    /** How far the machine's clock is ahead of the node's. */
    clockAheadMs: number
  }): Promise<string>
  close(): void
}

export function createMetrics(options: { readonly version: string }): Metrics {
  const registry = new Registry()
  const build = new Gauge({
    name: 'zaslon_build_info',
    help: 'Always 1; the labels say what runs.',
    labelNames: ['version', 'node'] as const,
    registers: [registry],
  })
  build.set({ version: options.version, node: process.version }, 1)
  const clockAhead = new Gauge({
    name: 'zaslon_clock_ahead_seconds',
    help: "How far the machine's clock is ahead of the time the node goes by; 0: they are one.",
    registers: [registry],
  })
  const ownProcess = createProcessMetrics(registry)
  const record = createRecordMetrics(registry)
  const sharedRecord = createSharedRecordMetrics()
  const verdicts = createVerdictMetrics(registry)
  return {
    reports: createReportMetrics(registry),
    imports: createImportMetrics(registry),
    http: createHttpMetrics(registry),
    contentType: registry.contentType,
    async render(state) {
      ownProcess.update()
      clockAhead.set(state.clockAheadMs / 1_000)
      record.update(state.record, state.nowMs)
      verdicts.update(state.processes, state.nowMs)
      const texts = [
        await registry.metrics(),
        await sharedRecord.render(state.recordView, state.nowMs),
        decisionTimeText(state.processes),
      ]
      return texts.filter((text) => text !== '').join('\n')
    },
    close: () => ownProcess.close(),
  }
}
