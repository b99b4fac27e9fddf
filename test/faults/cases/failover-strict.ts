import { setTimeout as sleep } from 'node:timers/promises'
import type { FaultCase } from '../lib/fault-case.ts'
import type { Shard } from '../lib/redis-places.ts'
import { failOver, freezeMaster, killMaster, type Undo } from './failover.ts'

const WAYS = ['killed', 'frozen', 'cut off'] as const
const LOST_NODE = 1
const DISK_LOST_EVERY = 3
/** Below the time after which a replica is elected: writes go to a master that is alone, and to nobody else. */
const ALONE_MS = 800

/**
 * A node offers again what it had recorded and Redis has lost; here the disk of one is gone at that moment, so that what it had
 * acknowledged is there only if a replica has it, or another node had read it already.
 */
export const strictFailovers: FaultCase = {
  id: 'FAILOVER-STRICT',
  what: 'with redis.ackReplicas: 1 masters are killed, frozen or cut off, at every third a node loses its disk too; --count N',
  expected: 'Nothing that was answered as recorded is lost, also without the node that answered; calls do not notice.',
  needs: ['ss', 'redis', 'namespaces', 'iptables'],
  countsItself: true,
  async run(world) {
    const hosts = Array.from({ length: 6 }, (_, index) => world.addHost(`r${index}`))
    const cluster = await world.startRedisCluster({ hosts })
    const fleet = await world.startFleet({
      urlOf: () => cluster.url,
      mayWaver: true,
      askedNodes: [0],
      optionsOf: () => ({ config: 'redis: { ackReplicas: 1 }\n' }),
    })
    const done = { killed: 0, frozen: 0, 'cut off': 0, 'disks lost': 0 }

    async function breakMaster({ master }: Shard): Promise<Undo> {
      const way = WAYS[Math.floor(world.random() * WAYS.length)] ?? 'killed'
      done[way]++
      if (way === 'killed') return killMaster(master)
      if (way === 'frozen') return freezeMaster(master)
      const alone = hosts[cluster.servers.indexOf(master)]!
      alone.cutFrom(hosts.filter((host) => host !== alone).map(({ address }) => address))
      await sleep(world.random() * ALONE_MS)
      return () => alone.heal()
    }

    await failOver(world, {
      cluster,
      fleet,
      async breakIt(shard, turn) {
        const undo = await breakMaster(shard)
        if (turn % DISK_LOST_EVERY > 0) return undo
        done['disks lost']++
        await fleet.loseNode(LOST_NODE)
        return async () => {
          await undo()
          await cluster.whole()
          await fleet.startAgain(LOST_NODE)
        }
      },
    })
    for (const [what, times] of Object.entries(done)) world.figure(what, times)
  },
}
