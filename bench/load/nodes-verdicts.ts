import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { RedisServer } from '../../test/support/redis.ts'
import { type RunningService, runService } from '../../test/support/run-service.ts'
import { writeNumbersFile } from '../lib/generate-numbers.ts'
import { startOpenLoop } from '../lib/open-loop.ts'
import { signalTree } from '../lib/own-processes.ts'
import { printTable } from '../lib/print-table.ts'
import { recordResult } from '../lib/record-result.ts'
import type { Say } from '../lib/run-bench.ts'
import { call, importFile, prepareBy } from '../lib/service-client.ts'
import { redisVersion, startSharedRecord, stopOrKill, untilFollowing } from '../lib/shared-record.ts'
import { median, quantile, round, spread } from '../lib/stats.ts'
import { waitUntil } from '../lib/wait-until.ts'
import { type Side, wrk, wrkScript } from '../lib/wrk.ts'

/**
 * Verdicts of a node that shares a record, whatever Redis does, against a node that is its own record: the rate (wrk, closed
 * loop) and p99.9 (open loop). In every round, in every state of Redis, both are measured one after the other, the first of
 * them in turn. The one that is not measured is stopped (SIGSTOP) with all its processes: what a node does beside its calls,
 * asking Redis for news above all, counts against itself and not against both.
 *
 * Redis writes an append-only file, so that what comes back is what was there. The open loop is a thread of Node that shares
 * the cores: its own lateness stands beside each figure, for both sides.
 */
const STATES = ['healthy', 'frozen', 'gone', 'back'] as const
type State = (typeof STATES)[number]
const SIDES = ['embedded', 'joined'] as const
type SideName = (typeof SIDES)[number]

/** Of what wrk gets from the embedded node, with which it fills both cores: the generator costs more a request than wrk. */
const OPEN_LOOP_SHARE = 0.2
const OPEN_LOOP_CONNECTIONS = 32
const LISTED_SHARE = 0.01
const LIMITS = { rate: { must: 0.95, aim: 0.98 }, p999: { must: 1.2, aim: 1.05 } } as const
/** For what a node has to do after it was stopped, and a connection after Redis has changed. */
const SETTLE_MS = 300
const STATE_MS = 30_000

type Figures = {
  readonly perSecond: number
  readonly cpuMicroseconds: number
  readonly p50Ms: number
  readonly p999Ms: number
  readonly lateP50Ms: number
  readonly lateP999Ms: number
  readonly requests: number
  readonly failures: number
}
type Pair = Record<SideName, Figures>
/** All latencies and latenesses of all rounds: a p99.9 of one round rests on a few requests. */
type Pool = Record<SideName, { readonly latencies: number[]; readonly lateness: number[] }>
type Measured = { readonly pairs: Pair[]; readonly pool: Pool }

export type VerdictsOptions = {
  readonly rows: number
  readonly rounds: number
  readonly wrkSeconds: number
  readonly openSeconds: number
  readonly quick: boolean
}

export async function benchNodesVerdicts(options: VerdictsOptions, say: Say): Promise<void> {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'zaslon-bench-'))
  const record = await startSharedRecord({ isCluster: false, args: ['--appendonly', 'yes'] })
  const embedded = await runService({ dataDirectory: path.join(directory, 'embedded') })
  try {
    const nodes = { embedded, joined: await record.startNode('a') }
    const script = path.join(directory, 'post.lua')
    await prepare(nodes, { directory, script, options, say })
    const warm = await alone(nodes, 'embedded', () => wrk(sideOf(embedded), script, options.wrkSeconds))
    const load = { script, rate: Math.round(warm.perSecond * OPEN_LOOP_SHARE), options }
    const results = await measureRounds(nodes, record.servers[0]!, load, say)
    report(results, { ...options, redis: redisVersion(record.servers), openLoopPerSecond: load.rate })
  } finally {
    signalTree(process.pid, 'SIGCONT')
    await Promise.all([stopOrKill(embedded), record.close()])
    rmSync(directory, { recursive: true, force: true })
  }
}

type Nodes = Record<SideName, RunningService>
type Load = { readonly script: string; readonly rate: number; readonly options: VerdictsOptions }
type Preparation = {
  readonly directory: string
  readonly script: string
  readonly options: VerdictsOptions
  readonly say: Say
}

async function prepare(nodes: Nodes, { directory, script, options, say }: Preparation): Promise<void> {
  const file = path.join(directory, 'numbers.csv')
  writeNumbersFile(file, options.rows)
  writeFileSync(script, wrkScript(options.rows, LISTED_SHARE))
  for (const name of SIDES) {
    say(`${name}: import of ${options.rows} numbers, warm-up`)
    await prepareBy(nodes[name], 'PUT', '/v1/lists/large', { kind: 'deny' })
    await importFile(nodes[name], 'large', file, 'mode=replace')
    await alone(nodes, name, () => measure(nodes[name], { script, rate: 1_000, options }))
  }
}

/** Does the work while the other node is stopped. */
async function alone<T>(nodes: Nodes, name: SideName, work: () => Promise<T>): Promise<T> {
  const other = nodes[name === 'embedded' ? 'joined' : 'embedded']
  signalTree(other.pid, 'SIGSTOP')
  try {
    await sleep(SETTLE_MS)
    return await work()
  } finally {
    signalTree(other.pid, 'SIGCONT')
  }
}

async function measureRounds(nodes: Nodes, redis: RedisServer, load: Load, say: Say): Promise<Record<State, Measured>> {
  const results = { healthy: nothing(), frozen: nothing(), gone: nothing(), back: nothing() }
  const enter: Record<State, () => Promise<void>> = {
    healthy: async () => {},
    frozen: async () => redis.signal('SIGSTOP'),
    gone: () => redis.kill(),
    back: () => redis.restart(),
  }
  for (let index = 0; index < load.options.rounds; index++) {
    for (const state of STATES) {
      await enter[state]()
      const pair: Partial<Pair> = {}
      for (const name of index % 2 === 0 ? SIDES : SIDES.toReversed()) {
        await untilNoticed(nodes.joined, state)
        const { figures, latencies, lateness } = await alone(nodes, name, () => measure(nodes[name], load))
        pair[name] = figures
        results[state].pool[name].latencies.push(...latencies)
        results[state].pool[name].lateness.push(...lateness)
      }
      const { embedded, joined } = pair as Pair
      results[state].pairs.push({ embedded, joined })
      const rates = `${joined.perSecond} verdicts/s, embedded ${embedded.perSecond}`
      say(
        `round ${index + 1} of ${load.options.rounds}, Redis ${state}: ${rates}; p99.9 ${joined.p999Ms} ms, embedded ${embedded.p999Ms}`,
      )
    }
  }
  return results
}

function nothing(): Measured {
  const side = () => ({ latencies: [], lateness: [] })
  return { pairs: [], pool: { embedded: side(), joined: side() } }
}

/** The joined node says what has become of Redis. */
async function untilNoticed(joined: RunningService, state: State): Promise<void> {
  if (state === 'healthy' || state === 'back') return untilFollowing(joined, { limitMs: STATE_MS })
  const isAway = async () => (await call<{ state: string }>(joined, 'GET', '/v1/record')).state !== 'following'
  await waitUntil(`the node notices that Redis is ${state}`, isAway, { limitMs: STATE_MS })
}

function sideOf(service: RunningService): Side {
  return { pid: service.pids('verdict')[0] ?? 0, port: service.verdictPort }
}

async function measure(service: RunningService, { script, rate, options }: Load) {
  const { perSecond, cpuMicroseconds } = await wrk(sideOf(service), script, options.wrkSeconds)
  const load = await startOpenLoop({
    port: service.verdictPort,
    requestsPerSecond: rate,
    connections: OPEN_LOOP_CONNECTIONS,
    callerSeed: 5e8,
    run: Date.now().toString(36),
  })
  // Opens connections and warms the generator, which is a new thread each time.
  await sleep(1_000)
  await load.take()
  await sleep(options.openSeconds * 1_000)
  const { latencies, lateness, failures } = await load.take()
  await load.stop()
  const figures: Figures = {
    perSecond: Math.round(perSecond),
    cpuMicroseconds: round(cpuMicroseconds),
    p50Ms: round(median(latencies)),
    p999Ms: round(quantile(latencies, 0.999)),
    lateP50Ms: round(median(lateness)),
    lateP999Ms: round(quantile(lateness, 0.999)),
    requests: latencies.length,
    failures,
  }
  return { figures, latencies, lateness }
}

function report(results: Record<State, Measured>, about: object): void {
  const summaries = Object.fromEntries(STATES.map((state) => [state, summaryOf(results[state])]))
  const { quick } = about as { quick: boolean }
  const rounds = Object.fromEntries(STATES.map((state) => [state, results[state].pairs]))
  const name = quick ? 'nodes-verdicts-quick' : 'nodes-verdicts'
  recordResult(name, { ...about, limits: LIMITS, summaries, rounds })
  const { rate, p999 } = LIMITS
  printTable(
    [
      'Redis',
      'verdicts/s',
      `to embedded (must ${rate.must}, aim ${rate.aim})`,
      'processor a request',
      'p99.9 ms, all rounds',
      `to embedded (must ${p999.must}, aim ${p999.aim})`,
      'of single rounds',
      'generator late p99.9, both',
      'failed',
    ],
    Object.entries(summaries).map(([state, one]) => [
      state,
      one.perSecond,
      spread(one.rateRatios),
      spread(one.cpuRatios),
      one.p999Ms.joined,
      one.p999Ratio,
      spread(one.p999Ratios),
      `${one.lateP999Ms.joined}, ${one.lateP999Ms.embedded}`,
      one.failures,
    ]),
  )
}

/** Ratios are of the joined node to the embedded one. */
function summaryOf({ pairs, pool }: Measured) {
  const p999 = (name: SideName, of: 'latencies' | 'lateness') => round(quantile(pool[name][of], 0.999))
  const ratios = (key: 'perSecond' | 'cpuMicroseconds' | 'p999Ms') =>
    pairs.map(({ embedded, joined }) => round(joined[key] / embedded[key]))
  const p999Ms = { embedded: p999('embedded', 'latencies'), joined: p999('joined', 'latencies') }
  return {
    perSecond: median(pairs.map(({ joined }) => joined.perSecond)),
    rateRatios: ratios('perSecond'),
    cpuRatios: ratios('cpuMicroseconds'),
    p999Ms,
    p999Ratio: round(p999Ms.joined / p999Ms.embedded),
    p999Ratios: ratios('p999Ms'),
    lateP999Ms: { embedded: p999('embedded', 'lateness'), joined: p999('joined', 'lateness') },
    requests: { embedded: pool.embedded.latencies.length, joined: pool.joined.latencies.length },
    failures: pairs.reduce((sum, { embedded, joined }) => sum + embedded.failures + joined.failures, 0),
  }
}
