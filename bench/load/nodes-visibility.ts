import { readFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { PACKAGE_DIRECTORY } from '../../src/config/package-directory.ts'
import type { RunningService } from '../../test/support/run-service.ts'
import { generatedNumber } from '../lib/generate-numbers.ts'
import { type OpenLoop, type OpenLoopTaken, startOpenLoop } from '../lib/open-loop.ts'
import { printTable } from '../lib/print-table.ts'
import { recordResult } from '../lib/record-result.ts'
import type { Say } from '../lib/run-bench.ts'
import { prepareBy } from '../lib/service-client.ts'
import { redisVersion, type SharedRecord, startSharedRecord, untilFollowing } from '../lib/shared-record.ts'
import { quantile, round } from '../lib/stats.ts'
import { startWatch, type Watch } from '../lib/watch-numbers.ts'

/**
 * Report accepted on node A -> first verdict on node B that reflects it. The policy flags a number at its first reporter, and
 * every report is about another number, so each takes effect at once. Reports leave open loop from a thread of their own.
 *
 * One number in 50 is watched on B from the moment its report is due until its verdict is another one. A acknowledges when
 * its own verdicts reflect the report, so B may be earlier: a time from the 202 below zero. Watching makes a figure at most one step
 * too large (`step of watching` says how long steps were), and its questions are load that belongs to the measurement.
 *
 * When the last report is due, answers and numbers still have a while. What is not seen by then counts as seen never: it
 * stands above every quantile that it reaches.
 */
const REPORTS_PER_SECOND = 1_000
const WATCH_ONE_IN = 50
const AFTER_MS = 15_000
/** A write that takes 100 ms takes a connection for as long: fewer would hold up what open loop means to send. */
const REPORT_CONNECTIONS = 256
const WATCH_CONNECTIONS = 32
const SEED = 6e8
const WARM_UP_SECONDS = 5
const SAY_EVERY_MS = 5_000
const FOLLOWING_MS = 60_000
const LIMITS = { p99Ms: { must: 1_000, aim: 100 } } as const

export type VisibilityOptions = {
  readonly isCluster: boolean
  readonly seconds: number
  readonly repeats: number
  readonly quick: boolean
}

type Round = {
  readonly fromAccepted: number[]
  readonly fromIntended: number[]
  readonly steps: readonly number[]
  readonly acceptance: number[]
  readonly lateness: number[]
  readonly counts: {
    readonly sent: number
    readonly accepted: number
    readonly queued: number
    readonly failed: number
    /** Not by the end, or not even sent: every connection was waiting for an answer. */
    readonly unanswered: number
    readonly watched: number
    readonly unseen: number
  }
}

export async function benchNodesVisibility(options: VisibilityOptions, say: Say): Promise<void> {
  const record = await startSharedRecord({ isCluster: options.isCluster })
  const redis = redisVersion(record.servers)
  const rounds: Round[] = []
  try {
    const nodes = await startTwo(record)
    // The first round warms up and does not count.
    for (let index = 0; index <= options.repeats; index++) {
      const seconds = index === 0 ? WARM_UP_SECONDS : options.seconds
      const name = index === 0 ? 'warm-up' : `round ${index} of ${options.repeats}`
      const sayMore = (text: string) => say(`${name}: ${text}`)
      const round = await measure(nodes, { seconds, seed: SEED + index * 1_000_000, say: sayMore })
      if (index > 0) rounds.push(round)
      if (index < options.repeats && !(await isOver(nodes, sayMore))) break
    }
    if (rounds.length === 0) throw new Error('The nodes did not get over the warm-up.')
  } finally {
    await record.close()
  }
  report(rounds, options, redis)
}

type Nodes = { readonly a: RunningService; readonly b: RunningService }

async function startTwo(record: SharedRecord): Promise<Nodes> {
  const a = await record.startNode('a')
  const b = await record.startNode('b')
  const text = readFileSync(path.join(PACKAGE_DIRECTORY, 'data', 'policy.yaml'), 'utf8')
  await prepareBy(a, 'PUT', '/v1/policy', { text: text.replace('flagReporters: 3', 'flagReporters: 1') })
  await sleep(1_000)
  return { a, b }
}

/** What one round has left over is not for the next one; a node that cannot get over it has shown that. */
async function isOver({ a, b }: Nodes, say: Say): Promise<boolean> {
  try {
    for (const node of [a, b]) await untilFollowing(node, { limitMs: FOLLOWING_MS, onWait: say })
    return true
  } catch (error) {
    say(`no more rounds: ${error instanceof Error ? error.message.split('\n')[0] : error}`)
    return false
  }
}

type Measurement = { readonly seconds: number; readonly seed: number; readonly say: Say }

async function measure({ a, b }: Nodes, { seconds, seed, say }: Measurement): Promise<Round> {
  const requests = seconds * REPORTS_PER_SECOND
  const watch = await startWatch(b.verdictPort, WATCH_CONNECTIONS)
  const load = await startOpenLoop({
    port: a.adminPort,
    requestsPerSecond: REPORTS_PER_SECOND,
    connections: REPORT_CONNECTIONS,
    callerSeed: seed,
    run: `v${seed}`,
    kind: 'report',
    requests,
  })
  try {
    return await watchAll(load, watch, { requests, seed, say })
  } finally {
    await load.stop()
    watch.close()
  }
}

type Watching = { readonly requests: number; readonly seed: number; readonly say: Say }

async function watchAll(load: OpenLoop, watch: Watch, { requests, seed, say }: Watching): Promise<Round> {
  const nowMs = () => performance.timeOrigin + performance.now()
  const dueMs = (index: number) => load.startMs + (index / REPORTS_PER_SECOND) * 1_000
  const taken = emptyTaken()
  let sayMs = nowMs() + SAY_EVERY_MS
  const look = async () => {
    add(taken, await load.take())
    if (nowMs() < sayMs) return
    sayMs += SAY_EVERY_MS
    const sent = taken.lateness.length
    say(`${sent} of ${requests} reports due, ${taken.acceptedMs.size} accepted, ${watch.waiting} numbers waited for`)
  }
  for (let index = 0; index < requests; index += WATCH_ONE_IN) {
    const waitMs = dueMs(index) - nowMs()
    if (waitMs > 0) await sleep(waitMs)
    watch.begin(index, generatedNumber(index, seed))
    if (nowMs() > sayMs) await look()
  }
  const giveUpMs = dueMs(requests) + AFTER_MS
  do {
    await sleep(100)
    await look()
  } while (nowMs() < giveUpMs && (watch.waiting > 0 || taken.latencies.length + taken.failures < requests))
  const { seenMs, steps } = watch
  const watched = Math.ceil(requests / WATCH_ONE_IN)
  const accepted = taken.acceptedMs
  const seen = (index: number) => seenMs.get(index) ?? Number.POSITIVE_INFINITY
  const all = Array.from({ length: watched }, (_, count) => count * WATCH_ONE_IN)
  say(`over: ${accepted.size} of ${requests} reports accepted, ${seenMs.size} of ${watched} numbers seen`)
  return {
    fromAccepted: all.filter((index) => accepted.has(index)).map((index) => seen(index) - accepted.get(index)!),
    fromIntended: all.map((index) => seen(index) - dueMs(index)),
    steps,
    acceptance: taken.latencies,
    lateness: taken.lateness,
    counts: {
      sent: taken.lateness.length,
      accepted: accepted.size,
      queued: taken.queued,
      failed: taken.failures,
      unanswered: requests - taken.latencies.length,
      watched,
      unseen: watched - seenMs.size,
    },
  }
}

function emptyTaken(): OpenLoopTaken {
  return { latencies: [], lateness: [], answerTimes: [], failures: 0, acceptedMs: new Map(), queued: 0 }
}

function add(sum: OpenLoopTaken, more: OpenLoopTaken): void {
  for (const key of ['latencies', 'lateness'] as const) for (const value of more[key]) sum[key].push(value)
  for (const [index, atMs] of more.acceptedMs) sum.acceptedMs.set(index, atMs)
  sum.failures += more.failures
  sum.queued += more.queued
}

function report(rounds: readonly Round[], options: VisibilityOptions, redis: string): void {
  const columns = {
    'from 202': rounds.map(({ fromAccepted }) => fromAccepted),
    'from intended sending': rounds.map(({ fromIntended }) => fromIntended),
    acceptance: rounds.map(({ acceptance }) => acceptance),
    'generator late': rounds.map(({ lateness }) => lateness),
    'step of watching': rounds.map(({ steps }) => [...steps]),
  }
  const counts = rounds.map((round) => round.counts)
  recordResult(`nodes-visibility${options.isCluster ? '-cluster' : ''}${options.quick ? '-quick' : ''}`, {
    ...options,
    redis,
    reportsPerSecond: REPORTS_PER_SECOND,
    watched: `1 in ${WATCH_ONE_IN}`,
    limits: LIMITS,
    counts,
    allRoundsMs: Object.fromEntries(Object.entries(columns).map(([key, values]) => [key, figures(values.flat())])),
    roundsMs: Object.fromEntries(Object.entries(columns).map(([key, values]) => [key, values.map(figures)])),
  })
  const { must, aim } = LIMITS.p99Ms
  const rows = Object.entries(columns).map(([key, values]) => {
    const { n, p50, p99, max } = figures(values.flat())
    const p99s = values.map((one) => figures(one).p99)
    return [key, n, p50, p99, max, p99s.join(', ')]
  })
  printTable([`ms (must p99 ${must}, aim ${aim})`, 'n', 'p50', 'p99', 'max', 'p99 of the rounds'], rows)
  for (const one of counts) {
    process.stdout.write(
      `${one.sent} reports sent, ${one.accepted} accepted (${one.queued} of them queued), ${one.failed} failed, ${one.unanswered} unanswered; ` +
        `${one.watched} numbers watched, ${one.unseen} not seen within ${AFTER_MS / 1000} s after the last report\n`,
    )
  }
}

/** `never` is what is above every time that was waited. */
function figures(values: number[]) {
  const at = (p: number) => {
    const value = quantile(values, p)
    return value === Number.POSITIVE_INFINITY ? 'never' : round(value)
  }
  return { n: values.length, p50: at(0.5), p99: at(0.99), max: at(1) }
}
