/**
 * The service that load, latency, peers, soak and country measure: everything switched on, as an operator would size it, with
 * listed and reported numbers and known contacts as the traffic wants them (generator/traffic.ts), all of it on one core.
 */
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import type { PhoneNumber } from '../../src/domain/phone-number.ts'
import { openRecordStore } from '../../src/stores/lmdb/record-store.ts'
import { type RunningService, runService } from '../../test/support/run-service.ts'
import { compileGenerator } from '../generator/generator.ts'
import { POOLS } from '../generator/traffic.ts'
import { generatedNumber, writeNumbersFile } from './generate-numbers.ts'
import { pin } from './pin.ts'
import type { Say } from './run-bench.ts'
import { call, importFile } from './service-client.ts'

export type WorldOptions = {
  readonly listed: number
  /** With tables of a quarter: QUICK_CONFIGURATION. */
  readonly isQuick?: boolean
  /** 1 when missing. */
  readonly threads?: number
  /** Reported numbers, each by three reporters; the traffic asks for POOLS.reported of them. None when false. */
  readonly hasHistory?: boolean
  /** Not pinned when false: for what needs both cores. */
  readonly isPinned?: boolean
  readonly environment?: Readonly<Record<string, string>>
}

/** For 5 million callers and callees, and 50,000 calls a second for as long as a round takes. */
export const STANDARD_CONFIGURATION = `
verdict:
  activeNumbers: 4194304
  recentCalls: 4194304
  pairsPerDay: 8388608
  recentEnds: 1048576
`
/**
 * A quarter of it, for quick runs: of the time in which a node with all of it starts, half is the kernel's, for the pages; and
 * it takes a third of the calls to touch them.
 */
const QUICK_CONFIGURATION = `
verdict:
  activeNumbers: 1048576
  recentCalls: 1048576
  pairsPerDay: 2097152
  recentEnds: 262144
`
const REPORTS_EACH = 3
/** Of the channel `app`, by reporters nobody knows. */
const WEIGHT = 0.8
const ACTOR = 'bench'
const TALK_MS = 90_000

export async function startWorld(options: WorldOptions, say: Say): Promise<RunningService> {
  compileGenerator()
  const dataDirectory = mkdtempSync(path.join(os.tmpdir(), 'world-'))
  const configuration = `${dataDirectory}.yaml`
  writeFileSync(configuration, options.isQuick === true ? QUICK_CONFIGURATION : STANDARD_CONFIGURATION)
  const hasHistory = options.hasHistory !== false
  if (hasHistory) await writeReports(dataDirectory)
  const running = await runService({
    dataDirectory,
    processes: 1,
    threads: options.threads ?? 1,
    environment: { ZASLON_CONFIG: configuration, ...options.environment },
  })
  const service: RunningService = {
    ...running,
    async stop() {
      const code = await running.stop()
      rmSync(dataDirectory, { recursive: true, force: true })
      return code
    },
  }
  try {
    await importNumbers(service, options.listed, say)
    if (hasHistory) await makeContacts(service)
    if (options.isPinned !== false) pin(everyPid(service))
    return service
  } catch (error) {
    await service.stop()
    throw error
  }
}

export function everyPid(service: RunningService): number[] {
  return [service.pid, ...service.pids('')]
}

/** Replaces what is on the deny list `large` by so many numbers. */
export async function importNumbers(service: RunningService, listed: number, say: Say): Promise<void> {
  say(`${listed} listed numbers`)
  const file = path.join(os.tmpdir(), `numbers-${listed}-${service.adminPort}.csv`)
  writeNumbersFile(file, listed)
  try {
    await call(service, 'PUT', '/v1/lists/large', { kind: 'deny' })
    await importFile(service, 'large', file, 'mode=replace')
  } finally {
    rmSync(file, { force: true })
  }
}

/**
 * The reported numbers that the traffic wants, in the record of a node that does not run yet: by the API each of them would
 * take a millisecond of a core, which is not what is measured.
 */
export async function writeReports(dataDirectory: string): Promise<void> {
  const store = await openRecordStore({ directory: dataDirectory })
  const receivedMs = Date.now()
  const reports = Array.from({ length: POOLS.reported.range * REPORTS_EACH }, (_, index) =>
    store.appendReport(
      {
        reportId: randomUUID(),
        number: Number(generatedNumber(Math.floor(index / REPORTS_EACH), POOLS.reported.first).slice(1)) as PhoneNumber,
        channel: 'app',
        scenario: 'bank',
        reporter: index.toString(16).padStart(32, '0'),
        ingress: 0,
        atMs: receivedMs,
        receivedMs,
        weight: WEIGHT,
      },
      ACTOR,
    ),
  )
  try {
    await Promise.all(reports)
  } finally {
    await store.close()
  }
}

/** The contacts that the traffic wants: a call of each pair with a long talk. */
export async function makeContacts(service: RunningService): Promise<void> {
  const calls = Array.from({ length: POOLS.contacts.range }, (_, index) => ({
    callId: `contact-${index}`,
    caller: generatedNumber(index, POOLS.contacts.first),
    callee: generatedNumber(index, POOLS.contacted.first),
    ingress: { kind: 'national' },
  }))
  await post(service, '/v1/verdicts', calls)
  await post(
    service,
    '/v1/call-ends',
    calls.map((event) => ({ ...event, answered: true, ringMs: 5_000, talkMs: TALK_MS })),
  )
}

async function post(service: RunningService, target: string, body: unknown): Promise<void> {
  const response = await fetch(`${service.verdictUrl}${target}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  if (!response.ok) throw new Error(`POST ${target}: ${response.status} ${await response.text()}`)
  await response.arrayBuffer()
}
