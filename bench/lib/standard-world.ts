/**
 * The service that load, latency, peers, soak and country measure: everything switched on, as an operator would size it, with
 * listed and reported numbers and known contacts as the traffic wants them (generator/traffic.ts), all of it on one core.
 */
import { rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { type RunningService, runService } from '../../test/support/run-service.ts'
import { POOLS } from '../generator/traffic.ts'
import { generatedNumber, writeNumbersFile } from './generate-numbers.ts'
import { pin } from './pin.ts'
import type { Say } from './run-bench.ts'
import { call, importFile } from './service-client.ts'

export type WorldOptions = {
  readonly listed: number
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
const REPORTERS = ['r-1', 'r-2', 'r-3']
const AT_ONCE = 32
const TALK_MS = 90_000

export async function startWorld(options: WorldOptions, say: Say): Promise<RunningService> {
  const configuration = path.join(os.tmpdir(), 'zaslon.yaml')
  writeFileSync(configuration, STANDARD_CONFIGURATION)
  const service = await runService({
    processes: 1,
    threads: options.threads ?? 1,
    environment: { ZASLON_CONFIG: configuration, ...options.environment },
  })
  try {
    await importNumbers(service, options.listed, say)
    if (options.hasHistory !== false) {
      say('reports and contacts')
      await addHistory(service)
    }
    if (options.isPinned !== false) pin(everyPid(service))
    return service
  } catch (error) {
    await service.stop()
    throw error
  }
}

/** The reported numbers and the contacts that the traffic wants. */
export async function addHistory(service: RunningService): Promise<void> {
  await reportNumbers(service)
  await makeContacts(service)
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

async function reportNumbers(service: RunningService): Promise<void> {
  const numbers = Array.from({ length: POOLS.reported.range }, (_, index) =>
    generatedNumber(index, POOLS.reported.first),
  )
  const reports = numbers.flatMap((number) => REPORTERS.map((reporter) => ({ number, reporter })))
  for (let at = 0; at < reports.length; at += AT_ONCE) {
    await Promise.all(
      reports.slice(at, at + AT_ONCE).map(({ number, reporter }) =>
        call(service, 'POST', '/v1/reports', {
          number,
          channel: 'app',
          scenario: 'bank',
          reporter: `${reporter}-${number.slice(-9)}`,
        }),
      ),
    )
  }
}

/** A call of each pair with a long talk. */
async function makeContacts(service: RunningService): Promise<void> {
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
