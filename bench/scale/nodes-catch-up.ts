import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { PhoneNumber } from '../../src/domain/phone-number.ts'
import type { RunningService } from '../../test/support/run-service.ts'
import { fillRecord, sentinelNumbers } from '../lib/fill-record.ts'
import { generatedNumber, writeNumbersFile } from '../lib/generate-numbers.ts'
import { openKeptConnection } from '../lib/kept-connection.ts'
import { printTable } from '../lib/print-table.ts'
import { recordResult } from '../lib/record-result.ts'
import { call, importFile } from '../lib/service-client.ts'
import { type RecordAnswer, redisVersion, type SharedRecord, startSharedRecord } from '../lib/shared-record.ts'
import { median, round } from '../lib/stats.ts'

/**
 * How long a node needs for what it has missed. Node B is stopped, report facts are appended by a writer of our own, old
 * ones are sealed into segments as running nodes would have done by then, and B starts again: until every partition is
 * applied, and until its verdicts say so. Then node C, which has nothing, until it is ready. No other node runs meanwhile:
 * in life they have machines of their own. Redis, the node's processes and this bench share the cores.
 *
 * In force: the last facts of every report partition are five reports on a number of its own; its call is asked for on the
 * verdict port until it is refused, partition by partition.
 */
const ASK_EVERY_MS = 5
const GIVE_UP_MS = 600_000

type Taken = { readonly readySeconds: number; readonly appliedSeconds: number; readonly inForceSeconds: number }

export async function benchCatchUp(options: { facts: number; repeats: number; quick: boolean }): Promise<void> {
  const caughtUp: Taken[] = []
  const fresh: Taken[] = []
  let filled: object = {}
  for (let repeat = 0; repeat < options.repeats; repeat++) {
    const record = await startSharedRecord({ isCluster: false })
    try {
      for (const name of ['a', 'b']) await (await record.startNode(name)).stop()
      filled = await fillRecord(record.url, options.facts)
      caughtUp.push(await timeStart(record, 'b'))
      fresh.push(await timeStart(record, 'c'))
    } finally {
      await record.close()
    }
  }
  recordResult(options.quick ? 'nodes-catch-up-quick' : 'nodes-catch-up', { ...options, ...filled, caughtUp, fresh })
  const row = (name: string, taken: Taken[]) => [
    name,
    ...(['readySeconds', 'appliedSeconds', 'inForceSeconds'] as const).map((key) => spread(taken.map((t) => t[key]))),
    round((median(taken.map((t) => t.appliedSeconds)) / options.facts) * 1e6),
  ]
  const head = [`${options.facts} facts (must 10 s, aim 3 s)`, 'ready, s', 'applied, s', 'in force, s', 'µs a fact']
  printTable(head, [row('stopped node', caughtUp), row('new node', fresh)])
}

async function timeStart(record: SharedRecord, name: string): Promise<Taken> {
  const startMs = performance.now()
  const seconds = () => round((performance.now() - startMs) / 1000)
  const node = await record.startNode(name)
  const readySeconds = seconds()
  try {
    const [appliedSeconds, inForceSeconds] = await Promise.all([
      untilApplied(node).then(seconds),
      untilInForce(node).then(seconds),
    ])
    return { readySeconds, appliedSeconds, inForceSeconds }
  } finally {
    await node.stop()
  }
}

async function untilApplied(node: RunningService): Promise<void> {
  for (const giveUpMs = Date.now() + GIVE_UP_MS; Date.now() < giveUpMs; await sleep(20)) {
    const { state, behind } = await call<RecordAnswer>(node, 'GET', '/v1/record')
    if (state === 'following' && behind === 0) return
  }
  throw new Error(`The node did not catch up:\n${node.output()}`)
}

async function untilInForce(node: RunningService): Promise<void> {
  const connection = await openKeptConnection(node.verdictPort)
  for (const number of sentinelNumbers()) await untilBlocked(connection, number, node)
  connection.close()
}

async function untilBlocked(
  connection: Awaited<ReturnType<typeof openKeptConnection>>,
  number: PhoneNumber,
  node: RunningService,
): Promise<void> {
  for (const giveUpMs = Date.now() + GIVE_UP_MS; (await connection.verdict(`+${number}`)) !== 'block'; ) {
    if (Date.now() > giveUpMs) throw new Error(`A number was not blocked:\n${node.output()}`)
    await sleep(ASK_EVERY_MS)
  }
}

/**
 * `--numbers`: a large list in the record, until a new node is ready; and from the first byte of its import on A until B
 * blocks a number of it (and until A says it is active). A and B run side by side here, on the same cores.
 */
export async function benchCatchUpNumbers(options: { rows: number; repeats: number; quick: boolean }): Promise<void> {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'zaslon-bench-'))
  const file = path.join(directory, 'numbers.csv')
  const activeOnA: number[] = []
  const activeOnB: number[] = []
  const newNode: number[] = []
  const record = await startSharedRecord({ isCluster: false })
  const redis = redisVersion(record.servers)
  try {
    const a = await record.startNode('a')
    const b = await record.startNode('b')
    // The lists of earlier rounds stay: a new node has as many of them to fetch as rounds were before.
    for (let repeat = 0; repeat < options.repeats; repeat++) {
      const seed = 100_000_000 * repeat
      writeNumbersFile(file, options.rows, seed)
      await call(a, 'PUT', `/v1/lists/large-${repeat}`, { kind: 'deny' })
      const startMs = performance.now()
      const blockedOnB = untilListed(b, generatedNumber(options.rows - 1, seed), startMs)
      const { record: imported, seconds } = await importFile(a, `large-${repeat}`, file, 'mode=replace')
      if (imported.state !== 'active') throw new Error(`The import ended ${imported.state}.`)
      activeOnA.push(round(seconds))
      activeOnB.push(round(await blockedOnB))
      newNode.push(await timeReady(record, `new-${repeat}`))
    }
  } finally {
    await record.close()
    rmSync(directory, { recursive: true, force: true })
  }
  const name = options.quick ? 'nodes-catch-up-numbers-quick' : 'nodes-catch-up-numbers'
  recordResult(name, {
    ...options,
    redis,
    activeOnASeconds: activeOnA,
    activeOnBSeconds: activeOnB,
    newNodeSeconds: newNode,
  })
  printTable(
    [`${options.rows} numbers, seconds`, 'median (range)', 'must', 'aim'],
    [
      ['imported on A, active on A', spread(activeOnA), '', ''],
      ['imported on A, blocked on B', spread(activeOnB), 30, 10],
      ['new node ready', spread(newNode), 60, 20],
    ],
  )
}

async function timeReady(record: SharedRecord, name: string): Promise<number> {
  const startMs = performance.now()
  const node = await record.startNode(name)
  const seconds = round((performance.now() - startMs) / 1000)
  await node.stop()
  return seconds
}

async function untilListed(node: RunningService, number: string, startMs: number): Promise<number> {
  const connection = await openKeptConnection(node.verdictPort)
  while ((await connection.verdict(number)) !== 'block') await sleep(ASK_EVERY_MS)
  connection.close()
  return (performance.now() - startMs) / 1000
}

function spread(values: readonly number[]): string {
  return `${median(values)} (${Math.min(...values)}-${Math.max(...values)})`
}
