import type { FaultCase } from '../lib/fault-case.ts'
import { startProxiedRedis } from '../lib/redis-places.ts'
import { startWriteProbe } from '../lib/write-probe.ts'

export const redisFull: FaultCase = {
  id: 'A24',
  what: 'Redis has no memory left: maxmemory 8mb, noeviction',
  expected:
    'Reports wait in the outbox, other writes are refused, calls do not notice; all goes on when there is memory.',
  needs: ['ss', 'redis'],
  async run(world) {
    const { redis, urlOf } = await startProxiedRedis(world)
    const fleet = await world.startFleet({ urlOf })
    const probe = startWriteProbe(world, fleet.nodes[0]!, { seed: 30_000_000 })
    await fleet.phase('before', 2_000)
    redis.cli('config', 'set', 'maxmemory-policy', 'noeviction')
    redis.cli('config', 'set', 'maxmemory', '8mb')
    // What is left of the eight megabytes.
    for (let index = 0; index < 2_000; index++) {
      if (/OOM/.test(await redis.ask('set', `other:${index}`, 'x'.repeat(100_000)))) break
    }
    await fleet.phase('full', world.isQuick ? 3_000 : 10_000)
    world.figure('used', /used_memory_human:(\S+)/.exec(redis.cli('info', 'memory'))?.[1] ?? '')
    redis.cli('config', 'set', 'maxmemory', '0')
    probe.mark()
    await fleet.phase('after', 4_000)
    const { queued, unanswered, recordedAgainMs, isCalm } = await probe.stop()
    world.expect('reports are queued meanwhile', queued > 0 && unanswered === 0, { queued, unanswered })
    world.expect('writes are recorded again within 3 s', !isCalm || recordedAgainMs <= 3_000, recordedAgainMs)
    fleet.add(probe.reports)
    await fleet.finish()
  },
}
