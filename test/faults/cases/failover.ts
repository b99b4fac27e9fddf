import { setTimeout as sleep } from 'node:timers/promises'
import { quantile, round } from '../../../bench/lib/stats.ts'
import type { FaultCase } from '../lib/fault-case.ts'
import { untilWholeRecord } from '../lib/fleet.ts'
import { randomShard, untilPromoted } from '../lib/redis-places.ts'
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
    const probe = startWriteProbe(world, fleet.nodes[0]!, { seed: 30_000_000, everyMs: PROBE_MS })
    const promoted: number[] = []
    const again: number[] = []
    let kills = 0
    for (let turn = 0; turn < world.count && !world.mustEnd(); turn++) {
      await sleep(world.random() * 1_000)
      const shard = await randomShard(world, cluster)
      const isKill = world.random() < 0.5
      if (isKill) kills++
      probe.mark()
      if (isKill) await shard.master.kill()
      else shard.master.signal('SIGSTOP')
      promoted.push(await untilPromoted(shard))
      if (isKill) await shard.master.restart()
      else shard.master.signal('SIGCONT')
      await cluster.whole()
      await untilWholeRecord(fleet)
      await sleep(1_100)
      again.push(probe.recordedAgainMs() ?? Number.POSITIVE_INFINITY)
      await fleet.phase('failovers')
      if ((turn + 1) % SAY_EVERY === 0) {
        const rewound = (await Promise.all(fleet.nodes.map((_, index) => fleet.record(index)))).map(
          (one) => one.rewound,
        )
        world.say(
          `${turn + 1} failovers, ${probe.reports.length} probes acknowledged, taken back ${rewound.join(' + ')}`,
        )
      }
    }
    world.figure('failovers', promoted.length)
    world.figure('kills', kills)
    world.figure('replica is master median ms', round(quantile(promoted, 0.5)))
    world.figure('recorded again median ms', round(quantile(again, 0.5)))
    world.figure('recorded again max ms', round(Math.max(...again)))
    const { unanswered } = await probe.stop()
    world.expect('every write is answered', unanswered === 0, { unanswered })
    fleet.add(probe.reports)
    await fleet.join()
    await fleet.finish()
  },
}
