import { setTimeout as sleep } from 'node:timers/promises'
import { quantile, round } from '../../../bench/lib/stats.ts'
import type { RedisCluster } from '../../support/redis.ts'
import type { FaultCase } from '../lib/fault-case.ts'
import { type Fleet, untilWholeRecord } from '../lib/fleet.ts'
import { randomShard, type Shard, untilPromoted } from '../lib/redis-places.ts'
import type { World } from '../lib/world.ts'
import { startWriteProbe } from '../lib/write-probe.ts'

const SAY_EVERY = 5
/** Beside the writers of the nodes. */
const PROBE_MS = 50

export const failovers: FaultCase = {
  id: 'FAILOVER',
  what: 'masters of a Redis Cluster are killed or frozen at random under write load, and come back as replicas; then a new node joins; --count N',
  expected: 'No acknowledged change is lost, no call is unanswered, writes are recorded again within 3 s each time.',
  needs: ['ss', 'redis'],
  countsItself: true,
  async run(world) {
    const cluster = await world.startRedisCluster()
    const fleet = await world.startFleet({ urlOf: () => cluster.url, mayWaver: true })
    let kills = 0
    await failOver(world, {
      cluster,
      fleet,
      async breakIt({ master }) {
        const isKill = world.random() < 0.5
        if (!isKill) return freezeMaster(master)
        kills++
        return killMaster(master)
      },
    })
    world.figure('kills', kills)
  },
}

/** Puts right again what was broken. */
export type Undo = () => void | Promise<void>

export type FailOverOptions = {
  readonly cluster: RedisCluster
  readonly fleet: Fleet
  /** Resolves when the master is gone for its cluster. */
  readonly breakIt: (shard: Shard, turn: number) => Promise<Undo>
}

export async function killMaster(master: Shard['master']): Promise<Undo> {
  await master.kill()
  return () => master.restart()
}

export function freezeMaster(master: Shard['master']): Undo {
  master.signal('SIGSTOP')
  return () => master.signal('SIGCONT')
}

/** One failover after the other, `world.count` of them, under reports beside the writers of the fleet; then everything is looked for. */
export async function failOver(world: World, { cluster, fleet, breakIt }: FailOverOptions): Promise<void> {
  const probe = startWriteProbe(world, fleet.nodes[0]!, { seed: 30_000_000, everyMs: PROBE_MS })
  const promoted: number[] = []
  const again: number[] = []
  for (let turn = 0; turn < world.count && !world.mustEnd(); turn++) {
    await sleep(world.random() * 1_000)
    const shard = await randomShard(world, cluster)
    probe.mark()
    const undo = await breakIt(shard, turn)
    promoted.push(await untilPromoted(shard))
    await undo()
    await cluster.whole()
    await untilWholeRecord(fleet)
    await sleep(1_100)
    again.push(probe.recordedAgainMs() ?? Number.POSITIVE_INFINITY)
    await fleet.phase('failovers')
    if ((turn + 1) % SAY_EVERY === 0) {
      const records = await Promise.all(fleet.nodes.map((_, index) => fleet.record(index)))
      const rewound = records.map((one) => one.rewound).join(' + ')
      world.say(`${turn + 1} failovers, ${probe.reports.length} probes acknowledged, taken back ${rewound}`)
    }
  }
  world.figure('failovers', promoted.length)
  world.figure('replica is master median ms', round(quantile(promoted, 0.5)))
  world.figure('recorded again median ms', round(quantile(again, 0.5)))
  world.figure('recorded again max ms', round(Math.max(...again)))
  const { unanswered } = await probe.stop()
  world.expect('every write is answered', unanswered === 0, { unanswered })
  fleet.add(probe.reports)
  // A new node knows what Redis has, and nothing else.
  await fleet.join()
  await fleet.finish()
}
