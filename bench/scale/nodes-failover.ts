import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { PACKAGE_DIRECTORY } from '../../src/config/package-directory.ts'
import type { PhoneNumber } from '../../src/domain/phone-number.ts'
import { DESK_PARTITION, partitionOfNumber } from '../../src/stores/fact.ts'
import { partitionKeys } from '../../src/stores/redis/keys.ts'
import type { RedisServer } from '../../test/support/redis.ts'
import type { RunningService } from '../../test/support/run-service.ts'
import { generatedNumber } from '../lib/generate-numbers.ts'
import { startOpenLoop } from '../lib/open-loop.ts'
import { printTable } from '../lib/print-table.ts'
import { machine, writeResult } from '../lib/record-result.ts'
import { call } from '../lib/service-client.ts'
import { type RecordAnswer, redisVersion, type SharedRecord, startSharedRecord } from '../lib/shared-record.ts'
import { quantile, round } from '../lib/stats.ts'

/**
 * Masters of a cluster of 3 + 3 killed and frozen in turn under one node that writes: a report every 20 ms, and a number put
 * on a list every 100 ms, both in partitions of the master that goes. Afterwards the server comes back, as a replica,
 * and the node has caught up: is every acknowledged change there? At the end a new node reads the record from Redis alone
 * and is asked the same.
 *
 * Verdicts are asked for 200 times a second, open loop: the longest time from the intended sending to the answer is the
 * longest gap, with the lateness of the generator beside it. Each failover is written to the result as it ends;
 * `--resume` goes on from there, on the same commit.
 */
const REPORT_EVERY_MS = 20
const DESK_EVERY_MS = 100
const VERDICTS_PER_SECOND = 200
const BEFORE_MS = 1_000
const AFTER_MS = 1_000
const GIVE_UP_MS = 60_000
const LIST = 'failover'

type Fault = 'killed' | 'frozen'
type Write = {
  readonly kind: 'report' | 'desk'
  readonly number: string
  readonly sentMs: number
  readonly tookMs: number
  readonly state: 'recorded' | 'queued' | 'refused'
}
type Failover = {
  readonly fault: Fault
  readonly recordedAgainMs: number
  readonly deskAgainMs: number
  readonly longestWriteMs: number
  readonly longestVerdictMs: number
  readonly generatorLateMs: number
  readonly verdictFailures: number
  readonly queued: number
  readonly refused: number
  readonly acknowledged: number
  readonly healedMs: number
  readonly lost: number
}

export async function benchFailover(options: { count: number; resume: boolean; quick: boolean }): Promise<void> {
  const name = options.quick ? 'nodes-failover-quick' : 'nodes-failover'
  const done = options.resume ? earlier(name) : []
  const record = await startSharedRecord({ isCluster: true })
  const redis = redisVersion(record.servers)
  const acknowledged: Write[] = []
  try {
    const node = await record.startNode('a')
    await call(node, 'PUT', `/v1/lists/${LIST}`, { kind: 'deny' })
    const { recordId } = await call<RecordAnswer>(node, 'GET', '/v1/record')
    for (let index = done.length; index < options.count; index++) {
      const fault = index % 2 === 0 ? 'killed' : 'frozen'
      done.push(await failOver(record, node, { recordId, fault, index, acknowledged }))
      writeResult(name, { count: options.count, redis, done })
      process.stderr.write(`${index + 1} of ${options.count}: ${JSON.stringify(done.at(-1))}\n`)
    }
    const fresh = await record.startNode('fresh')
    const lostInRedis = await countLost(fresh, acknowledged)
    writeResult(name, { count: options.count, redis, acknowledgedInThisRun: acknowledged.length, lostInRedis, done })
    print(done, lostInRedis)
  } finally {
    await record.close()
  }
}

function print(done: readonly Failover[], lostInRedis: number): void {
  const rows = (['killed', 'frozen'] as const).map((fault) => {
    const some = done.filter((one) => one.fault === fault)
    const shown = (key: Exclude<keyof Failover, 'fault'>) => {
      const values = some.map((one) => one[key])
      return `${round(quantile(values, 0.5))} / ${round(quantile(values, 1))}`
    }
    const sum = (key: Exclude<keyof Failover, 'fault'>) => some.reduce((total, one) => total + one[key], 0)
    const times = ['recordedAgainMs', 'deskAgainMs', 'longestWriteMs', 'longestVerdictMs', 'generatorLateMs'] as const
    return [fault, some.length, ...times.map(shown), sum('queued'), sum('acknowledged'), sum('lost')]
  })
  const head = [
    'ms, median / longest',
    'n',
    'reports again',
    'desk again',
    'longest write',
    'longest verdict',
    'generator late',
    'queued',
    'acknowledged',
    'lost',
  ]
  printTable(head, rows)
  process.stdout.write(`acknowledged and not in Redis at the end: ${lostInRedis}\n`)
}

function earlier(name: string): Failover[] {
  const file = path.join(PACKAGE_DIRECTORY, 'bench', 'results', `${name}.json`)
  if (!existsSync(file)) return []
  const { commit, done } = JSON.parse(readFileSync(file, 'utf8')) as { commit: string; done: Failover[] }
  return commit === machine().commit ? done : []
}

type FailoverOptions = {
  readonly recordId: string
  readonly fault: Fault
  readonly index: number
  readonly acknowledged: Write[]
}

async function failOver(record: SharedRecord, node: RunningService, options: FailoverOptions): Promise<Failover> {
  const { fault, index, recordId } = options
  const { master, partitions } = masterOf(record.servers, recordId)
  const verdicts = await startOpenLoop({
    port: node.verdictPort,
    requestsPerSecond: VERDICTS_PER_SECOND,
    connections: 8,
    callerSeed: 1e8 + index * 100_000,
    run: `f${index}-${Date.now().toString(36)}`,
  })
  const writer = startWriter(node, partitions, index)
  await sleep(BEFORE_MS)
  await verdicts.take()
  const faultMs = performance.now()
  if (fault === 'killed') await master.kill()
  else master.signal('SIGSTOP')
  const again = async (kind: Write['kind']) => {
    const isDone = (write: Write) => write.kind === kind && write.state === 'recorded' && write.sentMs > faultMs + 100
    while (!writer.writes.some(isDone)) {
      if (performance.now() - faultMs > GIVE_UP_MS) throw new Error(`No ${kind} was recorded again:\n${node.output()}`)
      await sleep(5)
    }
    return performance.now() - faultMs
  }
  const [recordedAgainMs, deskAgainMs] = await Promise.all([again('report'), again('desk')])
  await sleep(AFTER_MS)
  const writes = await writer.stop()
  const { latencies, lateness, failures } = await verdicts.take()
  await verdicts.stop()
  const healMs = performance.now()
  if (fault === 'killed') await master.restart()
  else master.signal('SIGCONT')
  await record.whole()
  await untilHealed(node)
  const kept = writes.filter(({ state }) => state !== 'refused')
  options.acknowledged.push(...kept)
  return {
    fault,
    recordedAgainMs: round(recordedAgainMs),
    deskAgainMs: round(deskAgainMs),
    longestWriteMs: round(Math.max(...writes.map(({ tookMs }) => tookMs))),
    longestVerdictMs: round(Math.max(...latencies)),
    generatorLateMs: round(Math.max(...lateness)),
    verdictFailures: failures,
    queued: writes.filter(({ state }) => state === 'queued').length,
    refused: writes.length - kept.length,
    acknowledged: kept.length,
    healedMs: round(performance.now() - healMs),
    lost: await countLost(node, kept),
  }
}

/** The master of the desk partition, and the report partitions it has as well. */
function masterOf(servers: readonly RedisServer[], recordId: string): { master: RedisServer; partitions: Set<number> } {
  const some = servers[0]!
  const nodes = some.cli('cluster', 'nodes').split('\n')
  const masters = nodes.filter((line) => /\bmaster\b/.test(line) && !/fail/.test(line.split(' ')[2] ?? ''))
  const portOf = (slot: number) => {
    const line = masters.find((one) => rangesOf(one).some(([from, to]) => slot >= from && slot <= to))
    return Number(/:(\d+)@/.exec(line ?? '')?.[1])
  }
  const port = (partition: number) =>
    portOf(Number(some.cli('cluster', 'keyslot', partitionKeys(recordId, partition).facts)))
  const deskPort = port(DESK_PARTITION)
  const master = servers.find((server) => server.port === deskPort)
  if (master === undefined) throw new Error(`No server has the desk partition:\n${nodes.join('\n')}`)
  const all = Array.from({ length: DESK_PARTITION }, (_, partition) => partition)
  return { master, partitions: new Set(all.filter((partition) => port(partition) === deskPort)) }
}

function rangesOf(line: string): [number, number][] {
  const ranges = line.split(' ').slice(8)
  return ranges.flatMap((text) => {
    const [from, to = from] = text.split('-').map(Number)
    return from === undefined || Number.isNaN(from) ? [] : [[from, to ?? from]]
  })
}

/** Writes at their times whatever became of those before. */
function startWriter(node: RunningService, partitions: ReadonlySet<number>, index: number) {
  const writes: Write[] = []
  const pending = new Set<Promise<void>>()
  let drawn = index * 100_000
  const nextNumber = () => {
    for (;;) {
      const number = generatedNumber(drawn++, 4e8)
      if (partitions.has(partitionOfNumber(Number(number.slice(1)) as PhoneNumber))) return number
    }
  }
  const write = (kind: Write['kind'], send: (number: string) => Promise<{ state?: 'recorded' | 'queued' }>) => {
    const number = nextNumber()
    const sentMs = performance.now()
    const work: Promise<void> = send(number)
      .then(
        ({ state = 'recorded' }) => state,
        () => 'refused' as const,
      )
      .then((state) => void writes.push({ kind, number, sentMs, tookMs: performance.now() - sentMs, state }))
    pending.add(work)
    void work.finally(() => pending.delete(work))
  }
  const reports = setInterval(
    () =>
      write('report', (number) =>
        call(node, 'POST', '/v1/reports', { number, channel: 'hotline', scenario: 'bank', reporter: `f-${number}` }),
      ),
    REPORT_EVERY_MS,
  )
  const desk = setInterval(
    () =>
      write('desk', async (number) => {
        await call(node, 'POST', `/v1/lists/${LIST}/entries`, { entries: [{ number }] })
        return {}
      }),
    DESK_EVERY_MS,
  )
  return {
    writes,
    async stop(): Promise<Write[]> {
      clearInterval(reports)
      clearInterval(desk)
      await Promise.all(pending)
      return writes
    },
  }
}

async function untilHealed(node: RunningService): Promise<void> {
  for (const giveUpMs = Date.now() + GIVE_UP_MS; Date.now() < giveUpMs; await sleep(20)) {
    const { state, outbox, behind } = await call<RecordAnswer>(node, 'GET', '/v1/record')
    if (state === 'following' && outbox.facts === 0 && behind === 0) return
  }
  throw new Error(`The node did not heal:\n${node.output()}`)
}

/** Changes that the node does not have: a report that is not there, a number of the list whose calls are not refused. */
async function countLost(node: RunningService, writes: readonly Write[]): Promise<number> {
  let lost = 0
  for (const { kind, number } of writes) {
    const at = encodeURIComponent(number)
    if (kind === 'report') {
      const { reports } = await call<{ reports: unknown[] }>(node, 'GET', `/v1/numbers/${at}`)
      if (reports.length === 0) lost++
    } else {
      const response = await fetch(`${node.verdictUrl}/v1/verdict?caller=${at}&callee=%2B79161234567`)
      if (((await response.json()) as { decision: string }).decision !== 'block') lost++
    }
  }
  return lost
}
