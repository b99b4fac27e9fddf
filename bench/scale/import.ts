import { closeSync, existsSync, fdatasync, mkdtempSync, openSync, rmSync, write } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { PACKAGE_DIRECTORY } from '../../src/config/package-directory.ts'
import { type RunningService, runService } from '../../test/support/run-service.ts'
import { generatedNumber, writeNumbersFile } from '../lib/generate-numbers.ts'
import { startOpenLoop } from '../lib/open-loop.ts'
import { recordResult } from '../lib/record-result.ts'
import { call, importFile, privateMiB } from '../lib/service-client.ts'
import { quantile, round } from '../lib/stats.ts'

/**
 * Imports beside live traffic: seconds from first byte to active, what control grows by, and what verdicts and reports
 * notice of it. The open-loop load is the same before (idle) and during.
 */
const VERDICTS_PER_SECOND = 1_000
const REPORTS_PER_SECOND = 20
const IDLE_SECONDS = 10

export async function benchImport(options: { rows: number; repeats: number }): Promise<void> {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'zaslon-bench-'))
  // A file system in memory, where a sync costs nothing: what of a latency is ours and what the disk's.
  const memory = mkdtempSync('/dev/shm/zaslon-bench-')
  try {
    const complaints = path.join(PACKAGE_DIRECTORY, '../shared/data/complaints/us-complaints-train.csv')
    const small = existsSync(complaints)
      ? await importComplaints(complaints, options.repeats)
      : 'skipped: no ../shared/data'
    const file = path.join(directory, 'numbers.csv')
    writeNumbersFile(file, options.rows)
    const large = []
    const largeInMemory = []
    for (let i = 0; i < options.repeats; i++) {
      large.push(await importLarge(file, directory))
      largeInMemory.push(await importLarge(file, memory))
    }
    recordResult(options.rows >= 1e7 ? 'import' : 'import-quick', {
      rows: options.rows,
      repeats: options.repeats,
      complaints: small,
      large,
      largeInMemory,
    })
  } finally {
    for (const place of [directory, memory]) rmSync(place, { recursive: true, force: true })
  }
}

async function importComplaints(file: string, repeats: number): Promise<Record<string, unknown>> {
  const seconds: number[] = []
  let counts: unknown
  for (let i = 0; i < repeats; i++) {
    const service = await runService()
    await call(service, 'PUT', '/v1/lists/complaints', { kind: 'deny' })
    const { record, seconds: took } = await importFile(service, 'complaints', file, 'mode=replace&country=US')
    if (record.state !== 'active')
      throw new Error(`The import ended ${record.state}: ${JSON.stringify(record.problem)}`)
    seconds.push(took)
    counts = record.counts
    await service.stop()
  }
  return { seconds: seconds.map(round), counts }
}

async function importLarge(file: string, place: string): Promise<Record<string, unknown>> {
  const dataDirectory = mkdtempSync(path.join(place, 'data-'))
  const service = await runService({ dataDirectory })
  try {
    await call(service, 'PUT', '/v1/lists/large', { kind: 'deny' })
    const load = await startLoad(service)
    await sleep(2_000)
    await load.take()
    await sleep(IDLE_SECONDS * 1000)
    const idle = await load.take()
    const [control = 0] = service.pids('control')
    const beforeMiB = privateMiB(control)
    let peakMiB = beforeMiB
    const watch = setInterval(() => {
      peakMiB = Math.max(peakMiB, privateMiB(control))
    }, 20)
    const { record, seconds } = await importFile(service, 'large', file, 'mode=replace')
    const during = await load.take()
    clearInterval(watch)
    await load.stop()
    if (record.state !== 'active')
      throw new Error(`The import ended ${record.state}: ${JSON.stringify(record.problem)}`)
    await checkListed(service)
    return {
      seconds: round(seconds),
      rowsPerSecond: Math.round(record.counts.rows / seconds),
      counts: record.counts,
      controlGrowthMiB: Math.round(peakMiB - beforeMiB),
      verdictMs: { idle: percentiles(idle.verdicts.latencies), during: percentiles(during.verdicts.latencies) },
      answerMs: { idle: percentiles(idle.verdicts.answerTimes), during: percentiles(during.verdicts.answerTimes) },
      generatorLateMs: { idle: percentiles(idle.verdicts.lateness), during: percentiles(during.verdicts.lateness) },
      verdictP99Ratio: round(quantile(during.verdicts.latencies, 0.99) / quantile(idle.verdicts.latencies, 0.99)),
      reportMs: { idle: percentiles(idle.reports), during: percentiles(during.reports) },
      syncMs: { idle: percentiles(idle.syncs), during: percentiles(during.syncs) },
      failures: { verdicts: idle.verdicts.failures + during.verdicts.failures, reports: load.reportFailures() },
    }
  } finally {
    await service.stop()
    rmSync(dataDirectory, { recursive: true, force: true })
  }
}

function percentiles(values: number[]): Record<string, number> {
  return {
    n: values.length,
    p50: round(quantile(values, 0.5)),
    p99: round(quantile(values, 0.99)),
    p999: round(quantile(values, 0.999)),
  }
}

/** Verdicts and reports at a constant rate, both open loop. */
async function startLoad(service: RunningService) {
  const run = Date.now().toString(36)
  const verdicts = await startOpenLoop({
    port: service.verdictPort,
    requestsPerSecond: VERDICTS_PER_SECOND,
    connections: 16,
    callerSeed: 5e8,
    run,
  })
  const disk = startSyncProbe(service.dataDirectory)
  const reports: number[] = []
  const pending = new Set<Promise<void>>()
  let reportFailures = 0
  let sent = 0
  const timer = setInterval(() => {
    const dueMs = performance.now()
    const number = generatedNumber(sent, 7e8)
    const report = { number, channel: 'hotline', scenario: 'bank', reporter: `subscriber-${sent++}` }
    const done: Promise<void> = call(service, 'POST', '/v1/reports', report).then(
      () => void reports.push(performance.now() - dueMs),
      () => void reportFailures++,
    )
    pending.add(done)
    void done.finally(() => pending.delete(done))
  }, 1_000 / REPORTS_PER_SECOND)
  return {
    async take() {
      return { verdicts: await verdicts.take(), reports: reports.splice(0), syncs: disk.take() }
    },
    reportFailures: () => reportFailures,
    async stop() {
      clearInterval(timer)
      await Promise.all(pending)
      await verdicts.stop()
      disk.stop()
    },
  }
}

/** What a report must wait for whoever writes it: 4 KiB made durable on the same file system, 20 times a second. */
function startSyncProbe(directory: string): { take(): number[]; stop(): void } {
  const name = path.join(directory, 'probe')
  const file = openSync(name, 'w')
  const page = Buffer.alloc(4_096, 1)
  const times: number[] = []
  let at = 0
  let isStopped = false
  const timer = setInterval(() => {
    if (isStopped) return
    const startMs = performance.now()
    write(file, page, 0, page.length, (at++ % 1_000) * page.length, (error) => {
      // Closed meanwhile: the last probe of a run does not count.
      if (isStopped) return
      if (error) throw error
      fdatasync(file, () => times.push(performance.now() - startMs))
    })
  }, 50)
  return {
    take: () => times.splice(0),
    stop() {
      isStopped = true
      clearInterval(timer)
      closeSync(file)
      rmSync(name)
    },
  }
}

async function checkListed(service: RunningService): Promise<void> {
  const response = await fetch(
    `${service.verdictUrl}/v1/verdict?caller=${encodeURIComponent(generatedNumber(42))}&callee=%2B79161234567`,
  )
  const verdict = (await response.json()) as { decision: string }
  if (verdict.decision !== 'block') throw new Error(`A listed number is ${verdict.decision} after the import.`)
}
