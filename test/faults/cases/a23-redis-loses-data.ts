import { copyFileSync } from 'node:fs'
import path from 'node:path'
import { round } from '../../../bench/lib/stats.ts'
import type { PhoneNumber } from '../../../src/domain/phone-number.ts'
import { partitionOfNumber } from '../../../src/stores/fact.ts'
import { ask } from '../lib/api.ts'
import type { Acknowledged } from '../lib/changes.ts'
import type { FaultCase } from '../lib/fault-case.ts'
import { type Fleet, untilWholeRecord } from '../lib/fleet.ts'
import { until } from '../lib/node-state.ts'
import { numberIn } from '../lib/numbers.ts'
import { randomShard, untilPromoted } from '../lib/redis-places.ts'
import type { World } from '../lib/world.ts'

/** While somebody looks for whom to ask. */
const UNDECIDED_MS = 5_000
/** It does from an age of 5 s on. */
const READY_SAYS_MS = 8_000

export const redisEmptied: FaultCase = {
  id: 'A23',
  what: 'somebody says FLUSHALL to Redis',
  expected:
    'Both nodes keep their last good state and say so; restore on one and accept on the other bring them together.',
  needs: ['ss', 'redis'],
  async run(world) {
    const redis = await world.startRedis()
    const fleet = await world.startFleet({ urlOf: () => redis.url, mayWaver: true })
    await fleet.phase('before', 2_000)
    redis.cli('flushall')
    for (const index of [0, 1]) world.figure(`node ${index + 1} says lost ms`, round(await fleet.until(index, 'lost')))
    await decide(world, fleet)
    await fleet.finish()
  },
}

export const emptyReplicaPromoted: FaultCase = {
  id: 'A23B',
  what: 'a replica of a Redis Cluster that has lost its data takes over from its master',
  expected: 'What was in that shard is kept by both nodes; restore on one and accept on the other bring them together.',
  needs: ['ss', 'redis'],
  async run(world) {
    const cluster = await world.startRedisCluster()
    const fleet = await world.startFleet({ urlOf: () => cluster.url, mayWaver: true })
    await fleet.phase('before', 2_000)
    const shard = await randomShard(world, cluster)
    shard.replica.cli('config', 'set', 'replica-read-only', 'no')
    shard.replica.cli('flushall')
    shard.replica.cli('cluster', 'failover', 'takeover')
    await untilPromoted(shard)
    for (const index of [0, 1]) world.figure(`node ${index + 1} says lost ms`, round(await fleet.until(index, 'lost')))
    await decide(world, fleet)
    await cluster.whole()
    await fleet.finish()
  },
}

/** More than a node keeps of a partition to offer again (4,096). */
const SINCE_BACKUP = 4_300
/** A number shows the newest hundred. */
const REPORTS_A_NUMBER = 50
const PARTITION = 7
const FIRST_NUMBER = 40_000_000
const AT_ONCE = 40

export const oldBackup: FaultCase = {
  id: 'A23C',
  what: 'Redis comes back from a backup that is 4,300 reports of one partition too old',
  expected: 'What can be offered again is, by itself; the partition that misses more waits for restore and accept.',
  needs: ['ss', 'redis'],
  async run(world) {
    const redis = await world.startRedis()
    const fleet = await world.startFleet({ urlOf: () => redis.url, mayWaver: true })
    await fleet.phase('before', 1_000)
    redis.cli('save')
    const dump = path.join(redis.folder, 'dump.rdb')
    copyFileSync(dump, `${dump}.old`)
    const reports = await reportOften(fleet, numbersOfOnePartition())
    fleet.add(reports)
    world.figure('reports since the backup', reports.length)
    await fleet.phase('since the backup', 500)
    await redis.kill()
    copyFileSync(`${dump}.old`, dump)
    await redis.restart()
    for (const index of [0, 1]) {
      world.figure(`node ${index + 1} says diverged ms`, round(await fleet.until(index, 'diverged')))
    }
    await decide(world, fleet)
    await fleet.finish()
  },
}

/** What docs/OPERATIONS.md has the person on call do: wait, ask every node, restore on one, accept on the other. */
async function decide(world: World, fleet: Fleet): Promise<void> {
  await fleet.phase('undecided', world.isQuick ? 1_500 : UNDECIDED_MS)
  for (const node of fleet.nodes) {
    const health = () => ask<{ status: string; reasons: string[] }>(node, 'GET', '/health/ready')
    await until('readiness says so', async () => (await health()).status === 'degraded', READY_SAYS_MS)
  }
  const [first, second] = fleet.nodes
  const startMs = performance.now()
  await ask(first!, 'POST', '/v1/record/restore')
  world.figure('restore ms', round(performance.now() - startMs))
  await until('the other node sees another history', async () => (await fleet.record(1)).state !== 'lost')
  if ((await fleet.record(1)).state !== 'following') await ask(second!, 'POST', '/v1/record/accept')
  world.figure('both follow ms', round(await untilWholeRecord(fleet)))
  await fleet.phase('decided', 2_000)
}

function numbersOfOnePartition(): string[] {
  const numbers: string[] = []
  for (let index = FIRST_NUMBER; numbers.length < SINCE_BACKUP / REPORTS_A_NUMBER; index++) {
    const number = numberIn('reported', index)
    if (partitionOfNumber(Number(number.slice(1)) as PhoneNumber) === PARTITION) numbers.push(number)
  }
  return numbers
}

async function reportOften(fleet: Fleet, numbers: readonly string[]): Promise<Acknowledged['reports']> {
  const reports: Acknowledged['reports'] = []
  let next = 0
  const one = async () => {
    for (let index = next++; index < SINCE_BACKUP; index = next++) {
      const number = numbers[index % numbers.length] ?? ''
      const body = { number, channel: 'hotline', scenario: 'bank', reporter: `o-${index}` }
      const made = await ask<{ reportId: string; state: string }>(fleet.nodes[index % 2]!, 'POST', '/v1/reports', body)
      reports.push({ reportId: made.reportId, number, state: made.state })
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, one))
  return reports
}
