import type { FaultCase } from '../lib/fault-case.ts'
import { startProxiedRedis } from '../lib/redis-places.ts'
import { startWriteProbe } from '../lib/write-probe.ts'

/** 50 ms each way, 20 more or less. */
const DELAY = { latencyMs: 30, jitterMs: 40 }

export const delay: FaultCase = {
  id: 'A16',
  what: 'every byte to and from Redis takes 30 to 70 ms',
  expected: 'Calls are as fast as before; writes take longer or are queued, and nothing is lost.',
  needs: ['ss', 'redis'],
  async run(world) {
    const { proxies, urlOf } = await startProxiedRedis(world)
    const fleet = await world.startFleet({ urlOf })
    const probe = startWriteProbe(world, fleet.nodes[0]!, { seed: 30_000_000 })
    await fleet.phase('before', 2_000)
    for (const proxy of proxies) proxy.set('both', DELAY)
    await fleet.phase('delayed', world.isQuick ? 3_000 : 15_000)
    for (const proxy of proxies) await proxy.heal()
    await fleet.phase('after', 2_000)
    const { unanswered } = await probe.stop()
    world.expect('every write is answered', unanswered === 0, { unanswered })
    fleet.add(probe.reports)
    await fleet.finish()
  },
}
