import { setTimeout as sleep } from 'node:timers/promises'
import type { FaultCase } from '../lib/fault-case.ts'
import { startProxiedRedis } from '../lib/redis-places.ts'
import { lookAtSwapped } from './a29-two-imports.ts'

export const twoNodesImport: FaultCase = {
  id: 'A29B',
  what: 'two nodes replace the same list at once, over and over, while one of them now and then loses Redis',
  expected: 'At every moment each node has one upload as a whole; in the end they have the same.',
  needs: ['ss', 'redis'],
  async run(world) {
    const { proxies, urlOf } = await startProxiedRedis(world)
    const pauseMs = { report: 200, entry: 500, import: 20, policy: 5_000, review: 1_000 }
    const fleet = await world.startFleet({ urlOf, pauseMs })
    const seen = { whole: 0, mixed: 0 }
    let isOver = false
    const watching = Promise.all(
      fleet.nodes.map(async (node) => {
        for (; !isOver; await sleep(20)) {
          const looked = await lookAtSwapped(node)
          if (looked !== undefined) seen[looked]++
        }
      }),
    )
    try {
      await fleet.phase('two imports', world.isQuick ? 2_000 : 8_000)
      for (let cut = 0; cut < (world.isQuick ? 1 : 4); cut++) {
        proxies[cut % 2]?.set('both', { isBlackHole: true })
        await sleep(300 + world.random() * 1_500)
        await proxies[cut % 2]?.heal()
        await fleet.phase('cut off now and then', 1_500)
      }
    } finally {
      isOver = true
      await watching
    }
    world.figure('looked at', seen.whole)
    world.figure('mixed', seen.mixed)
    world.expect('nobody sees a mixed list', seen.mixed === 0 && seen.whole > 0, seen)
    await fleet.finish()
  },
}
