import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { round } from '../../../bench/lib/stats.ts'
import type { FaultCase } from '../lib/fault-case.ts'
import { startProxiedRedis } from '../lib/redis-places.ts'

const NAME = 'redis.zaslon.invalid'
/** The service sees another file of host names than the machine. */
const WITH_HOSTS = 'mount --bind "$0" /etc/hosts && exec "$@"'

export const noNames: FaultCase = {
  id: 'A28',
  what: 'the host name of Redis is not found any more, then its connections end, and the name comes back',
  expected:
    'Living connections go on; without them the node is away and calls do not notice; it goes on with the name.',
  needs: ['ss', 'redis', 'mount-namespace'],
  async run(world) {
    const { proxies } = await startProxiedRedis(world)
    const hosts = path.join(world.folder, 'hosts')
    const know = (isKnown: boolean) => writeFileSync(hosts, `127.0.0.1 localhost${isKnown ? ` ${NAME}` : ''}\n`)
    know(true)
    const fleet = await world.startFleet({
      urlOf: (index) => `redis://${NAME}:${proxies[index]?.port}`,
      optionsOf: () => ({ prefix: ['unshare', '--mount', 'sh', '-c', WITH_HOSTS, hosts] }),
    })
    await fleet.phase('before', 1_500)
    know(false)
    await fleet.phase('no name', world.isQuick ? 1_500 : 4_000)
    world.expect('living connections go on', (await fleet.record(0)).state === 'following')
    for (const proxy of proxies) proxy.reset()
    world.figure('away ms', round(await fleet.until(0, 'away')))
    await fleet.phase('no connection', world.isQuick ? 2_000 : 6_000)
    know(true)
    world.figure('follows again ms', round(await fleet.until(0, 'following')))
    await fleet.phase('after', 2_000)
    await fleet.finish()
  },
}
