import { readFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { PACKAGE_DIRECTORY } from '../../src/config/package-directory.ts'
import type { RunningService } from '../../test/support/run-service.ts'
import { generatedNumber } from '../lib/generate-numbers.ts'
import { type KeptConnection, openKeptConnection } from '../lib/kept-connection.ts'
import { startOpenLoop } from '../lib/open-loop.ts'
import { printTable } from '../lib/print-table.ts'
import { recordResult } from '../lib/record-result.ts'
import { call } from '../lib/service-client.ts'
import { redisVersion, startSharedRecord } from '../lib/shared-record.ts'
import { quantile, round } from '../lib/stats.ts'

/**
 * Report accepted on node A -> first verdict on node B that reflects it. The policy flags a number at its first reporter, and
 * every report is about another number, so each takes effect at once. Reports leave open loop from a thread of their own.
 *
 * One number in ten is watched: from the moment its report is due, its verdict is asked for on B every 5 ms, on connections
 * of their own, until it is flagged. A acknowledges when its own verdicts reflect the report, so B may be earlier: a time
 * from the 202 below zero. So a figure is at most one such step too large (`stepMs` says how long steps really
 * were), and the questions, some thousand a second, are load that belongs to the measurement.
 */
const REPORTS_PER_SECOND = 1_000
const WATCH_ONE_IN = 10
const ASK_EVERY_MS = 5
const GIVE_UP_MS = 10_000
const CONNECTIONS = 64
const SEED = 6e8

export type VisibilityOptions = {
  readonly isCluster: boolean
  readonly seconds: number
  readonly repeats: number
  readonly quick: boolean
}

type Round = {
  readonly fromAccepted: number[]
  readonly fromIntended: number[]
  readonly steps: number[]
  readonly unseen: number
  readonly failures: number
  readonly acceptMs: number[]
  readonly lateness: number[]
}

export async function benchNodesVisibility(options: VisibilityOptions): Promise<void> {
  const record = await startSharedRecord({ isCluster: options.isCluster })
  const rounds: Round[] = []
  const redis = redisVersion(record.servers)
  try {
    const a = await record.startNode('a')
    const b = await record.startNode('b')
    await flagAtOne(a)
    await sleep(1_000)
    // The first round warms up and does not count.
    for (let index = 0; index <= options.repeats; index++) {
      const seconds = index === 0 ? 3 : options.seconds
      const round = await measure(a, b, { seconds, seed: SEED + index * 1_000_000 })
      if (index > 0) rounds.push(round)
    }
  } finally {
    await record.close()
  }
  const name = `nodes-visibility${options.isCluster ? '-cluster' : ''}${options.quick ? '-quick' : ''}`
  const columns = {
    'from 202': rounds.map(({ fromAccepted }) => fromAccepted),
    'from intended sending': rounds.map(({ fromIntended }) => fromIntended),
    acceptance: rounds.map(({ acceptMs }) => acceptMs),
    'generator late': rounds.map(({ lateness }) => lateness),
    'step of watching': rounds.map(({ steps }) => steps),
  }
  const unseen = rounds.map((round) => round.unseen)
  const failures = rounds.map((round) => round.failures)
  const ms = Object.fromEntries(Object.entries(columns).map(([key, values]) => [key, values.map(figures)]))
  recordResult(name, {
    ...options,
    redis,
    reportsPerSecond: REPORTS_PER_SECOND,
    watched: `1 in ${WATCH_ONE_IN}`,
    unseen,
    failures,
    ms,
  })
  const rows = Object.entries(columns).map(([key, values]) => {
    const all = values.flat()
    return [key, all.length, ...[0.5, 0.99, 1].map((p) => round(quantile(all, p)))]
  })
  printTable(['ms, all rounds (must p99 1,000, aim 100)', 'n', 'p50', 'p99', 'max'], rows)
  process.stdout.write(
    `not seen within ${GIVE_UP_MS} ms: ${unseen.join(', ')}; requests failed: ${failures.join(', ')}\n`,
  )
}

function figures(values: number[]) {
  const [p50, p99, max] = [0.5, 0.99, 1].map((p) => round(quantile(values, p)))
  return { n: values.length, p50, p99, max }
}

async function flagAtOne(node: RunningService): Promise<void> {
  const text = readFileSync(path.join(PACKAGE_DIRECTORY, 'data', 'policy.yaml'), 'utf8')
  await call(node, 'PUT', '/v1/policy', { text: text.replace('flagReporters: 3', 'flagReporters: 1') })
}

async function measure(
  a: RunningService,
  b: RunningService,
  { seconds, seed }: { seconds: number; seed: number },
): Promise<Round> {
  const free: KeptConnection[] = await Promise.all(
    Array.from({ length: CONNECTIONS }, () => openKeptConnection(b.verdictPort)),
  )
  const load = await startOpenLoop({
    port: a.adminPort,
    requestsPerSecond: REPORTS_PER_SECOND,
    connections: CONNECTIONS,
    callerSeed: seed,
    run: `v${seed}`,
    kind: 'report',
  })
  const nowMs = () => performance.timeOrigin + performance.now()
  const dueMs = (index: number) => load.startMs + (index / REPORTS_PER_SECOND) * 1_000
  const seenMs = new Map<number, number>()
  const steps: number[] = []
  const watching: Promise<void>[] = []
  const watch = async (index: number) => {
    for (let lastMs = 0; nowMs() < dueMs(index) + GIVE_UP_MS; await sleep(ASK_EVERY_MS)) {
      const connection = free.pop()
      if (connection === undefined) continue
      if (lastMs > 0) steps.push(nowMs() - lastMs)
      lastMs = nowMs()
      const decision = await connection.verdict(generatedNumber(index, seed))
      free.push(connection)
      if (decision === 'allow') continue
      seenMs.set(index, nowMs())
      return
    }
  }
  const count = seconds * REPORTS_PER_SECOND
  for (let index = 0; index < count; index += WATCH_ONE_IN) {
    while (nowMs() < dueMs(index)) await sleep(1)
    watching.push(watch(index))
  }
  await Promise.all(watching)
  const { acceptedMs, failures, lateness, latencies } = await load.take()
  await load.stop()
  for (const connection of free) connection.close()
  const seen = [...seenMs].filter(([index]) => acceptedMs.has(index))
  return {
    fromAccepted: seen.map(([index, atMs]) => atMs - acceptedMs.get(index)!),
    fromIntended: seen.map(([index, atMs]) => atMs - dueMs(index)),
    steps,
    unseen: watching.length - seenMs.size,
    failures,
    acceptMs: latencies,
    lateness,
  }
}
