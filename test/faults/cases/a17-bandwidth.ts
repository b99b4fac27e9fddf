import { readFileSync } from 'node:fs'
import { importList } from '../lib/api.ts'
import type { FaultCase } from '../lib/fault-case.ts'
import { until } from '../lib/node-state.ts'
import { LISTS, numbersIn } from '../lib/numbers.ts'

const NUMBERS = 1_000_000
const KILOBITS_PER_SECOND = 4_000

export const bandwidth: FaultCase = {
  id: 'A17',
  what: 'Redis sends 4 Mbit/s at most while a list of a million numbers goes from one node to another',
  expected: 'The list arrives late and whole; calls do not notice; memory stays bounded.',
  needs: ['ss', 'redis', 'namespaces', 'tbf'],
  async run(world) {
    const host = world.addHost('redis')
    const redis = await world.startRedis({ host })
    const fleet = await world.startFleet({ urlOf: () => redis.url })
    const [first, second] = fleet.nodes
    await fleet.phase('before', 2_000)
    const beforeMebibytes = residentMebibytes(second?.pids('control')[0])
    host.shape(KILOBITS_PER_SECOND)
    const csv = `${numbersIn('clean', NUMBERS + 500)
      .slice(500)
      .join('\n')}\n`
    const startMs = performance.now()
    await importList(first!, LISTS.large, csv, 'replace')
    world.figure('import s', Math.round((performance.now() - startMs) / 1_000))
    const entries = async () => {
      const response = await fetch(`${second?.adminUrl}/v1/lists/${LISTS.large}`)
      return ((await response.json()) as { entries: number }).entries
    }
    await until('the other node has the list', async () => (await entries()) === NUMBERS, 120_000)
    world.figure('at the other node s', Math.round((performance.now() - startMs) / 1_000))
    const grown = residentMebibytes(second?.pids('control')[0]) - beforeMebibytes
    world.figure('control grew MiB', grown)
    world.expect('memory stays bounded', grown < 400, { grown })
    await fleet.phase('slow network')
    host.heal()
    await fleet.phase('after', 2_000)
    await fleet.finish({ mayBeLate: true })
  },
}

function residentMebibytes(pid: number | undefined): number {
  const kibibytes = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Math.round(Number(kibibytes) / 1_024)
}
