import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type RunningService, runService } from '../../test/support/run-service.ts'
import { writeNumbersFile } from '../lib/generate-numbers.ts'
import { startOpenLoop } from '../lib/open-loop.ts'
import { printTable } from '../lib/print-table.ts'
import { recordResult } from '../lib/record-result.ts'
import { call, importFile } from '../lib/service-client.ts'
import { type RecordAnswer, redisVersion, startSharedRecord } from '../lib/shared-record.ts'
import { median, quantile, round } from '../lib/stats.ts'
import { type Side, wrk, wrkScript } from '../lib/wrk.ts'

/**
 * Verdicts of one node with Redis, whatever Redis does, against a node that is its own record: throughput (wrk, closed loop)
 * and p99.9 (open loop, at 60 % of what the embedded node gave when warm). Both nodes run all the time and are measured in
 * turn, the embedded one before each state of Redis. A state has 2 s to take effect. Redis writes an append-only file, so
 * that what comes back is what was there.
 *
 * The open loop is one thread of Node on the other core: its own lateness stands beside each figure, for both sides alike.
 */
const STATES = ['healthy', 'frozen', 'gone', 'back'] as const
type State = (typeof STATES)[number]
const SETTLE_MS = 2_000
const OPEN_LOOP_SHARE = 0.6
const OPEN_LOOP_CONNECTIONS = 64
const LISTED_SHARE = 0.01

type Figures = {
  perSecond: number
  cpuMicroseconds: number
  p999Ms: number
  p50Ms: number
  lateP999Ms: number
  failures: number
}

export async function benchNodesVerdicts(options: {
  rows: number
  rounds: number
  seconds: number
  quick: boolean
}): Promise<void> {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'zaslon-bench-'))
  const embedded = await runService({ dataDirectory: path.join(directory, 'embedded') })
  const record = await startSharedRecord({ isCluster: false, args: ['--appendonly', 'yes'] })
  const redis = redisVersion(record.servers)
  const results: Record<State, { embedded: Figures; joined: Figures }[]> = {
    healthy: [],
    frozen: [],
    gone: [],
    back: [],
  }
  let rate = 0
  try {
    const joined = await record.startNode('a')
    const file = path.join(directory, 'numbers.csv')
    const script = path.join(directory, 'post.lua')
    writeNumbersFile(file, options.rows)
    writeFileSync(script, wrkScript(options.rows, LISTED_SHARE))
    for (const service of [embedded, joined]) {
      await call(service, 'PUT', '/v1/lists/large', { kind: 'deny' })
      await importFile(service, 'large', file, 'mode=replace')
      await wrk(sideOf(service), script, 2)
    }
    rate = Math.round((await wrk(sideOf(embedded), script, options.seconds)).perSecond * OPEN_LOOP_SHARE)
    const take = (service: RunningService) => measure(service, { script, rate, seconds: options.seconds })
    const [server] = record.servers
    const enter: Record<State, () => Promise<void>> = {
      healthy: async () => {},
      frozen: async () => server?.signal('SIGSTOP'),
      gone: async () => {
        server?.signal('SIGCONT')
        await server?.kill()
      },
      back: async () => {
        await server?.restart()
        await untilFollowing(joined)
      },
    }
    for (let index = 0; index < options.rounds; index++) {
      for (const state of STATES) {
        const alone = await take(embedded)
        await enter[state]()
        await sleep(SETTLE_MS)
        results[state].push({ embedded: alone, joined: await take(joined) })
        process.stderr.write(`${state}: measured\n`)
      }
      process.stderr.write(`round ${index + 1} of ${options.rounds}\n`)
    }
  } finally {
    await embedded.stop()
    await record.close()
    rmSync(directory, { recursive: true, force: true })
  }
  const ratios = Object.fromEntries(STATES.map((state) => [state, ratiosOf(results[state])]))
  recordResult(options.quick ? 'nodes-verdicts-quick' : 'nodes-verdicts', {
    ...options,
    redis,
    openLoopPerSecond: rate,
    ratios,
    results,
  })
  const rows = STATES.map((state) => {
    const { throughput, p999 } = ratios[state]!
    const joined = results[state].map((round) => round.joined)
    return [
      state,
      Math.round(median(joined.map(({ perSecond }) => perSecond))),
      shown(throughput),
      round(median(joined.map(({ p999Ms }) => p999Ms))),
      shown(p999),
      round(median(joined.map(({ lateP999Ms }) => lateP999Ms))),
    ]
  })
  const head = [
    'Redis',
    'verdicts/s',
    'to embedded (must 0.95)',
    'p99.9 ms',
    'to embedded (must 1.2)',
    'generator late p99.9',
  ]
  printTable(head, rows)
}

function sideOf(service: RunningService): Side {
  return { pid: service.pids('verdict')[0] ?? 0, port: service.verdictPort }
}

async function measure(
  service: RunningService,
  { script, rate, seconds }: { script: string; rate: number; seconds: number },
): Promise<Figures> {
  const { perSecond, cpuMicroseconds } = await wrk(sideOf(service), script, seconds)
  const load = await startOpenLoop({
    port: service.verdictPort,
    requestsPerSecond: rate,
    connections: OPEN_LOOP_CONNECTIONS,
    callerSeed: 5e8,
    run: Date.now().toString(36),
  })
  // The first second opens connections and warms the generator.
  await sleep(1_000)
  await load.take()
  await sleep(seconds * 1_000)
  const { latencies, lateness, failures } = await load.take()
  await load.stop()
  return {
    perSecond: Math.round(perSecond),
    cpuMicroseconds: round(cpuMicroseconds),
    p999Ms: round(quantile(latencies, 0.999)),
    p50Ms: round(median(latencies)),
    lateP999Ms: round(quantile(lateness, 0.999)),
    failures,
  }
}

function ratiosOf(rounds: readonly { embedded: Figures; joined: Figures }[]) {
  return {
    throughput: rounds.map(({ embedded, joined }) => round(joined.perSecond / embedded.perSecond)),
    p999: rounds.map(({ embedded, joined }) => round(joined.p999Ms / embedded.p999Ms)),
  }
}

function shown(ratios: readonly number[]): string {
  return `${median(ratios)} (${Math.min(...ratios)}-${Math.max(...ratios)})`
}

async function untilFollowing(node: RunningService): Promise<void> {
  while ((await call<RecordAnswer>(node, 'GET', '/v1/record')).state !== 'following') await sleep(20)
}
