import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { round } from '../../../bench/lib/stats.ts'
import type { FaultCase } from '../lib/fault-case.ts'
import { shardsOf } from '../lib/redis-places.ts'
import { startWriteProbe } from '../lib/write-probe.ts'

const SLOTS = 2_000

export const resharding: FaultCase = {
  id: 'A25',
  what: 'two thousand slots of a Redis Cluster move from one master to another under load, and back',
  expected: 'Nothing is lost; a partition that moves may queue for a moment; calls do not notice.',
  needs: ['ss', 'redis'],
  async run(world) {
    const cluster = await world.startRedisCluster()
    const fleet = await world.startFleet({ urlOf: () => cluster.url, mayWaver: true })
    const probe = startWriteProbe(world, fleet.nodes[0]!, { seed: 30_000_000 })
    await fleet.phase('before', 2_000)
    const [one, other] = (await shardsOf(cluster)).map(({ master }) => master)
    const id = async (server = one!) => (await server.ask('cluster', 'myid')).trim()
    const ids = [await id(one), await id(other)]
    const slots = String(world.isQuick ? 300 : SLOTS)
    const startMs = performance.now()
    for (const [from = '', to = ''] of [ids, ids.toReversed()]) {
      const where = ['--cluster-from', from, '--cluster-to', to, '--cluster-slots', slots, '--cluster-yes']
      const address = `127.0.0.1:${one?.port}`
      await promisify(execFile)('redis-cli', ['--cluster', 'reshard', address, ...where], { maxBuffer: 2 ** 26 })
    }
    world.figure('moving ms', round(performance.now() - startMs))
    probe.mark()
    await fleet.phase('moving')
    await fleet.phase('after', 3_000)
    const { writes, queued, refused, unanswered, recordedAgainMs, isCalm } = await probe.stop()
    world.figure('not recorded at once %', round((100 * (queued + refused + unanswered)) / writes))
    world.expect('no write is refused', refused + unanswered === 0, { refused, unanswered })
    world.expect('all is recorded afterwards', !isCalm || recordedAgainMs <= 1_000, recordedAgainMs)
    fleet.add(probe.reports)
    await fleet.finish()
  },
}
