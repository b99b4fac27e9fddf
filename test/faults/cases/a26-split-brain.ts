import { setTimeout as sleep } from 'node:timers/promises'
import { round } from '../../../bench/lib/stats.ts'
import type { FaultCase } from '../lib/fault-case.ts'
import { untilWholeRecord } from '../lib/fleet.ts'
import { randomShard, untilPromoted } from '../lib/redis-places.ts'
import { startWriteProbe } from '../lib/write-probe.ts'

export const splitBrain: FaultCase = {
  id: 'A26',
  what: 'a master is cut off from its cluster but not from the nodes, which go on writing to it, and a new one is elected',
  expected: 'What only the old master had is offered again: nothing acknowledged is lost; calls do not notice.',
  needs: ['ss', 'redis', 'namespaces', 'iptables'],
  async run(world) {
    const hosts = Array.from({ length: 6 }, (_, index) => world.addHost(`r${index}`))
    const cluster = await world.startRedisCluster({ hosts })
    const fleet = await world.startFleet({ urlOf: () => cluster.url, mayWaver: true })
    const probe = startWriteProbe(world, fleet.nodes[0]!, { seed: 30_000_000 })
    await fleet.phase('before', 2_000)
    for (let split = 0; split < (world.isQuick ? 1 : 3); split++) {
      const shard = await randomShard(world, cluster)
      const alone = hosts[cluster.servers.indexOf(shard.master)]
      if (alone === undefined) throw new Error('The master is on no host.')
      probe.mark()
      alone.cutFrom(hosts.filter((host) => host !== alone).map(({ address }) => address))
      world.figure('elected ms', round(await untilPromoted(shard)))
      await sleep(world.random() * 1_000)
      alone.heal()
      await cluster.whole()
      world.figure('followed again ms', round(await untilWholeRecord(fleet)))
      await fleet.phase('split', 1_500)
    }
    const { unanswered, recordedAgainMs, isCalm } = await probe.stop()
    world.expect('every write is answered', unanswered === 0, { unanswered })
    world.expect('all is recorded afterwards', !isCalm || recordedAgainMs <= 6_000, recordedAgainMs)
    fleet.add(probe.reports)
    await fleet.finish()
  },
}
