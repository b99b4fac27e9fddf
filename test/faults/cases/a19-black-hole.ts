import { round } from '../../../bench/lib/stats.ts'
import type { FaultCase } from '../lib/fault-case.ts'
import { startProxiedRedis } from '../lib/redis-places.ts'
import { startWriteProbe } from '../lib/write-probe.ts'

/** Two polls of the record and a socket that is given up after 400 ms. */
const NOTICED_WITHIN_MS = 700

export const blackHole: FaultCase = {
  id: 'A19',
  what: 'for 10 s nothing passes between one node and Redis, and nobody is told',
  expected:
    'The node knows in under 0.7 s, queues reports, refuses the rest; calls do not notice; it goes on by itself.',
  needs: ['ss', 'redis'],
  async run(world) {
    const { proxies, urlOf } = await startProxiedRedis(world)
    const fleet = await world.startFleet({ urlOf })
    const probe = startWriteProbe(world, fleet.nodes[0]!, { seed: 30_000_000 })
    await fleet.phase('before', world.isQuick ? 500 : 2_000)
    proxies[0]?.set('both', { isBlackHole: true })
    const noticedMs = await fleet.until(0, 'away')
    world.figure('noticed ms', round(noticedMs))
    world.expect('the node notices', noticedMs <= NOTICED_WITHIN_MS, noticedMs)
    await fleet.phase('black hole', world.isQuick ? 1_500 : 10_000)
    world.expect('the other node does not', (await fleet.record(1)).state === 'following')
    await proxies[0]?.heal()
    probe.mark()
    world.figure('follows again ms', round(await fleet.until(0, 'following')))
    await fleet.phase('after', world.isQuick ? 1_500 : 4_000)
    const { queued, unanswered, recordedAgainMs, isCalm } = await probe.stop()
    world.expect('reports are queued meanwhile', queued > 0 && unanswered === 0, { queued, unanswered })
    world.expect('writes are recorded again within 3 s', !isCalm || recordedAgainMs <= 3_000, recordedAgainMs)
    fleet.add(probe.reports)
    await fleet.finish()
  },
}
