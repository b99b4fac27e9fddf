import { closeSync, existsSync, fdatasync, mkdtempSync, openSync, rmSync, write } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { PACKAGE_DIRECTORY } from '../../src/config/package-directory.ts'
import type { ImportRecord } from '../../src/domain/import.ts'
import { type RunningService, runService } from '../../test/support/run-service.ts'
import { generatedNumber, writeNumbersFile } from '../lib/generate-numbers.ts'
import { startOpenLoop } from '../lib/open-loop.ts'
import type { Say } from '../lib/run-bench.ts'
import { call, importFile, privateMiB } from '../lib/service-client.ts'
import { median, quantile, round, spread } from '../lib/stats.ts'
import type { PartResult } from '../suite/part.ts'

/**
 * Imports beside live traffic: seconds from first byte to active, what control grows by, and what verdicts and reports
 * notice of it. The open-loop load is the same before (idle) and during.
 */
const VERDICTS_PER_SECOND = 1_000
const REPORTS_PER_SECOND = 20
const IDLE_SECONDS = 5

export type BesideTraffic = { readonly rows: number; readonly repeats: number; readonly directory: string }

type Percentiles = { readonly n: number; readonly p50: number; readonly p99: number; readonly p999: number }
type Sides = { readonly idle: Percentiles; readonly during: Percentiles }

type LargeImport = {
  readonly seconds: number
  readonly controlGrowthMiB: number
  readonly verdictMs: Sides
  readonly answerMs: Sides
  readonly generatorLateMs: Sides
  readonly reportMs: Sides
  readonly syncMs: Sides
  readonly failures: { readonly verdicts: number; readonly reports: number }
}

/** On disk and on a file system in memory, where a sync costs nothing: what of a latency is ours and what the disk's. */
export async function importBesideTraffic(options: BesideTraffic, say: Say): Promise<PartResult> {
  const { rows, repeats, directory } = options
  const memory = mkdtempSync('/dev/shm/zaslon-bench-')
  try {
    const file = path.join(directory, 'numbers.csv')
    writeNumbersFile(file, rows)
    const onDisk: LargeImport[] = []
    const inMemory: LargeImport[] = []
    for (let i = 0; i < repeats; i++) {
      say(`import of ${rows} rows beside live traffic, ${i + 1} of ${repeats}`)
      onDisk.push(await importLarge(file, directory))
      inMemory.push(await importLarge(file, memory))
    }
    rmSync(file)
    const complaints = await importComplaints(directory, repeats)
    const small = complaints === undefined ? [] : [['seconds, 227,566 rows of real complaints', complaints, '', '']]
    return {
      measured: {},
      tables: [
        {
          title: `Import of ${rows.toLocaleString('en-US')} rows beside ${VERDICTS_PER_SECOND} verdicts and ${REPORTS_PER_SECOND} reports a second, ${repeats} times`,
          head: ['', 'on disk', 'in memory', 'on disk, idle'],
          rows: [...small, ...rowsOf(onDisk, inMemory)],
          note:
            'Median and range. Verdicts and reports are open loop, at one rate before (idle) and during the import, and everything shares ' +
            'the cores: where the generator itself, which only sleeps and sends, is late, so are verdicts. Few reports fall into one ' +
            'import, so their p99 is the slowest of them.',
        },
      ],
      raw: { rows, repeats, complaints: complaints ?? 'no ../shared/data', onDisk, inMemory },
    }
  } finally {
    rmSync(memory, { recursive: true, force: true })
  }
}

function rowsOf(onDisk: readonly LargeImport[], inMemory: readonly LargeImport[]): string[][] {
  const of = (imports: readonly LargeImport[], pick: (one: LargeImport) => number) => {
    const values = imports.map(pick)
    return `${round(median(values))} (${Math.min(...values)}-${Math.max(...values)})`
  }
  const plain = (name: string, pick: (one: LargeImport) => number) => [name, of(onDisk, pick), of(inMemory, pick), '']
  const beside = (name: string, pick: (one: LargeImport) => Sides, percentile: keyof Percentiles) => [
    `${name}, ms`,
    of(onDisk, (one) => pick(one).during[percentile]),
    of(inMemory, (one) => pick(one).during[percentile]),
    of(onDisk, (one) => pick(one).idle[percentile]),
  ]
  return [
    plain('seconds from first byte to active', ({ seconds }) => seconds),
    plain('growth of the control process, MiB', ({ controlGrowthMiB }) => controlGrowthMiB),
    beside('verdict, median', ({ verdictMs }) => verdictMs, 'p50'),
    beside('verdict, p99', ({ verdictMs }) => verdictMs, 'p99'),
    beside('the generator is late, p99', ({ generatorLateMs }) => generatorLateMs, 'p99'),
    beside('report acknowledged, median', ({ reportMs }) => reportMs, 'p50'),
    beside('report acknowledged, p99', ({ reportMs }) => reportMs, 'p99'),
    beside('sync of 4 KiB, p99', ({ syncMs }) => syncMs, 'p99'),
    plain('verdicts and reports that failed', ({ failures }) => failures.verdicts + failures.reports),
  ]
}

/** Undefined where the data is not there. */
async function importComplaints(directory: string, repeats: number): Promise<string | undefined> {
  const file = path.join(PACKAGE_DIRECTORY, '../shared/data/complaints/us-complaints-train.csv')
  if (!existsSync(file)) return undefined
  const seconds: number[] = []
  for (let i = 0; i < repeats; i++) {
    const dataDirectory = mkdtempSync(path.join(directory, 'data-'))
    const service = await runService({ dataDirectory })
    await call(service, 'PUT', '/v1/lists/complaints', { kind: 'deny' })
    const { record, seconds: took } = await importFile(service, 'complaints', file, 'mode=replace&country=US')
    assertActive(record)
    seconds.push(round(took))
    await service.stop()
    rmSync(dataDirectory, { recursive: true, force: true })
  }
  return spread(seconds)
}

function assertActive({ state, problem }: ImportRecord): void {
  if (state !== 'active') throw new Error(`The import ended ${state}: ${JSON.stringify(problem)}`)
}

async function importLarge(file: string, place: string): Promise<LargeImport> {
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
    assertActive(record)
    await checkListed(service)
    const both = (pick: (taken: typeof idle) => number[]) => ({
      idle: percentiles(pick(idle)),
      during: percentiles(pick(during)),
    })
    return {
      seconds: round(seconds),
      controlGrowthMiB: Math.round(peakMiB - beforeMiB),
      verdictMs: both(({ verdicts }) => verdicts.latencies),
      answerMs: both(({ verdicts }) => verdicts.answerTimes),
      generatorLateMs: both(({ verdicts }) => verdicts.lateness),
      reportMs: both(({ reports }) => reports),
      syncMs: both(({ syncs }) => syncs),
      failures: { verdicts: idle.verdicts.failures + during.verdicts.failures, reports: load.reportFailures() },
    }
  } finally {
    await service.stop()
    rmSync(dataDirectory, { recursive: true, force: true })
  }
}

function percentiles(values: number[]): Percentiles {
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
