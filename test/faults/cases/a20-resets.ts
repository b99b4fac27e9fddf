import { setInterval } from 'node:timers'
import { round } from '../../../bench/lib/stats.ts'
import type { FaultCase } from '../lib/fault-case.ts'
import { startProxiedRedis } from '../lib/redis-places.ts'

/** 0.75 to 1.25 s between two attempts, once the pauses have grown. */
const ATTEMPTS_A_SECOND_MAX = 1.5
const GROWING_MS = 3_000

export const resetStorm: FaultCase = {
  id: 'A20',
  what: 'every connection to Redis is reset, old and new, as soon as it is there',
  expected: 'Each process tries again about once a second, out of step; calls do not notice.',
  needs: ['ss', 'redis'],
  async run(world) {
    const { proxies, urlOf } = await startProxiedRedis(world)
    const fleet = await world.startFleet({ urlOf })
    await fleet.phase('before', 2_000)
    const connections = proxies[0]?.connections ?? 0
    world.figure('connections a node', connections)
    const storm = setInterval(() => {
      for (const proxy of proxies) proxy.reset()
    }, 2)
    world.cleanup.defer(() => clearInterval(storm))
    const accepted = () => proxies.reduce((sum, proxy) => sum + proxy.accepted, 0)
    const startCount = accepted()
    await fleet.phase('resets begin', GROWING_MS)
    const grownCount = accepted()
    const seconds = world.isQuick ? 4 : 12
    await fleet.phase('resets', seconds * 1_000)
    const aSecond = (accepted() - grownCount) / seconds / proxies.length
    world.figure('attempts at first', grownCount - startCount)
    world.figure('attempts a second a node', round(aSecond))
    const links = Math.max(1, connections)
    world.expect('no storm of attempts', aSecond <= ATTEMPTS_A_SECOND_MAX * links, { aSecond, links })
    clearInterval(storm)
    for (const index of [0, 1])
      world.figure(`node ${index + 1} follows again ms`, round(await fleet.until(index, 'following')))
    await fleet.phase('after', 3_000)
    await fleet.finish()
  },
}
