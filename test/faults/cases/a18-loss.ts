import type { FaultCase } from '../lib/fault-case.ts'
import { startWriteProbe } from '../lib/write-probe.ts'

export const packetLoss: FaultCase = {
  id: 'A18',
  what: '30 % of the packets to and from Redis vanish',
  expected: 'Calls do not notice; writes are slow, queued or refused in time, and nothing is lost.',
  needs: ['ss', 'redis', 'namespaces', 'iptables'],
  async run(world) {
    const host = world.addHost('redis')
    const redis = await world.startRedis({ host })
    const fleet = await world.startFleet({ urlOf: () => redis.url })
    const probe = startWriteProbe(world, fleet.nodes[0]!, { seed: 30_000_000 })
    await fleet.phase('before', 2_000)
    host.lose(0.3)
    await fleet.phase('lossy', world.isQuick ? 4_000 : 15_000)
    host.heal()
    probe.mark()
    await fleet.phase('after', 5_000)
    const { unanswered, recordedAgainMs, isCalm } = await probe.stop()
    world.expect('every write is answered', unanswered === 0, { unanswered })
    world.expect(
      'writes are recorded again 3 s after the network is well',
      !isCalm || recordedAgainMs <= 3_000,
      recordedAgainMs,
    )
    fleet.add(probe.reports)
    await fleet.finish()
  },
}
