import { setTimeout as sleep } from 'node:timers/promises'
import type { RunningService } from '../../test/support/run-service.ts'
import { fillRecord, sentinelNumbers } from '../lib/fill-record.ts'
import { openKeptConnection } from '../lib/kept-connection.ts'
import { printTable } from '../lib/print-table.ts'
import { recordResult } from '../lib/record-result.ts'
import type { Say } from '../lib/run-bench.ts'
import { redisVersion, type SharedRecord, startSharedRecord, untilFollowing } from '../lib/shared-record.ts'
import { median, round, spread } from '../lib/stats.ts'
import { within } from '../lib/wait-until.ts'

/**
 * How long a node needs for what it has missed. Nodes are started once and stopped, report facts are appended by a writer of
 * our own, old ones are sealed into segments as running nodes would have done by then. Then one node after the other starts:
 * one that was stopped, and one that has nothing; each until every partition is applied, and until its verdicts say so. No
 * other node runs meanwhile: in life they have machines of their own. Redis, the node's processes and this bench share the cores.
 *
 * In force: the last facts of every report partition are five reports on a number of its own; its call is asked for on the
 * verdict port until it is refused, partition by partition.
 */
const ASK_EVERY_MS = 5
/** Many times what 1 M facts may take: a machine that is shared still gets to its end. */
const GIVE_UP_MS = 600_000
const LIMITS = { seconds: { must: 10, aim: 3 } } as const

export type CatchUpOptions = { readonly facts: number; readonly repeats: number; readonly quick: boolean }
type Taken = { readonly readySeconds: number; readonly appliedSeconds: number; readonly inForceSeconds: number }

export async function benchCatchUp(options: CatchUpOptions, say: Say): Promise<void> {
  const record = await startSharedRecord({ isCluster: false })
  const redis = redisVersion(record.servers)
  const stopped: Taken[] = []
  const fresh: Taken[] = []
  let filled: object = {}
  try {
    const repeats = Array.from({ length: options.repeats }, (_, index) => index + 1)
    for (const name of ['a', ...repeats.map((repeat) => `stopped-${repeat}`)]) {
      await (await record.startNode(name)).stop()
    }
    filled = await fillRecord(record.url, options.facts, say)
    for (const repeat of repeats) {
      stopped.push(await timeStart(record, `stopped-${repeat}`, say))
      fresh.push(await timeStart(record, `new-${repeat}`, say))
    }
  } finally {
    await record.close()
  }
  recordResult(options.quick ? 'nodes-catch-up-quick' : 'nodes-catch-up', {
    ...options,
    redis,
    ...filled,
    limits: LIMITS,
    stopped,
    fresh,
  })
  const { must, aim } = LIMITS.seconds
  const row = (name: string, taken: Taken[]) => [
    name,
    taken.length,
    ...(['readySeconds', 'appliedSeconds', 'inForceSeconds'] as const).map((key) => spread(taken.map((t) => t[key]))),
    round((median(taken.map((t) => t.appliedSeconds)) / options.facts) * 1e6),
  ]
  const head = [`${options.facts} facts (1 M: must ${must} s, aim ${aim} s)`, 'n', 'ready, s', 'applied, s']
  printTable([...head, 'in force, s', 'µs a fact'], [row('stopped node', stopped), row('new node', fresh)])
}

async function timeStart(record: SharedRecord, name: string, say: Say): Promise<Taken> {
  say(`${name} starts`)
  const startMs = performance.now()
  const seconds = () => round((performance.now() - startMs) / 1000)
  const onWait = (after: number) => say(`${name}: ${after} s, not ready yet`)
  const node = await record.startNode(name, { onWait, waitMs: GIVE_UP_MS })
  const readySeconds = seconds()
  try {
    const [appliedSeconds, inForceSeconds] = await Promise.all([
      untilFollowing(node, { limitMs: GIVE_UP_MS, onWait: (text) => say(`${name}: ${text}`) }).then(seconds),
      within('the last reports of every partition are in force', GIVE_UP_MS, untilInForce(node)).then(seconds),
    ])
    say(`${name}: ready after ${readySeconds} s, applied ${appliedSeconds} s, in force ${inForceSeconds} s`)
    return { readySeconds, appliedSeconds, inForceSeconds }
  } finally {
    await node.stop()
  }
}

async function untilInForce(node: RunningService): Promise<void> {
  const connection = await openKeptConnection(node.verdictPort)
  for (const number of sentinelNumbers()) {
    while ((await connection.verdict(`+${number}`)) !== 'block') await sleep(ASK_EVERY_MS)
  }
  connection.close()
}
