import { setTimeout as sleep } from 'node:timers/promises'
import { quantile, round } from '../../../bench/lib/stats.ts'
import type { FaultCase } from '../lib/fault-case.ts'
import { killAll } from '../lib/node-state.ts'
import { startProxiedRedis } from '../lib/redis-places.ts'
import type { World } from '../lib/world.ts'

/** The second node is written to and broken; the first is asked all the time. */
const WRITTEN = 1
const PAUSE_MS = { report: 5, entry: 50, import: 300, policy: 1_000, review: 60 }

export const nodeKilled: FaultCase = {
  id: 'A01B',
  what: 'a node of two is killed as a whole while it writes, over and over, half of the time while it cannot reach Redis',
  expected: 'What it acknowledged, recorded or queued, is at both nodes; calls at the other do not notice.',
  needs: ['ss', 'redis'],
  countsItself: true,
  run: (world) => breakOften(world, {}),
}

export const nodePowerCut: FaultCase = {
  id: 'A13B',
  what: 'the power of one node of two is cut while it writes, half of the time while it cannot reach Redis',
  expected: 'What it acknowledged, recorded or queued, is at both nodes; calls at the other do not notice.',
  needs: ['ss', 'redis', 'power-cut'],
  countsItself: true,
  async run(world) {
    const disk = world.loopDisk(512)
    await breakOften(world, {
      dataDirectory: `${disk.directory}/data`,
      cutPower: disk.cutPower,
      mountAgain: disk.mountAgain,
    })
  },
}

type Breaking = {
  readonly dataDirectory?: string
  readonly cutPower?: () => void
  readonly mountAgain?: () => void
}

async function breakOften(world: World, { dataDirectory, cutPower, mountAgain }: Breaking): Promise<void> {
  const { proxies, urlOf } = await startProxiedRedis(world)
  const fleet = await world.startFleet({
    urlOf,
    pauseMs: PAUSE_MS,
    askedNodes: [0],
    optionsOf: (index) => (index === WRITTEN && dataDirectory !== undefined ? { dataDirectory } : {}),
  })
  const ready: number[] = []
  for (let turn = 0; turn < world.count && !world.mustEnd(); turn++) {
    const isCutOff = turn % 2 === 1
    if (isCutOff) proxies[WRITTEN]?.set('both', { isBlackHole: true })
    await sleep((isCutOff ? 600 : 100) + world.random() * 900)
    cutPower?.()
    await killAll(fleet.nodes[WRITTEN]!)
    mountAgain?.()
    // Half of those that were cut off find Redis only after their start.
    if (isCutOff && turn % 4 === 1) await proxies[WRITTEN]?.heal()
    ready.push(await fleet.startAgain(WRITTEN))
    await proxies[WRITTEN]?.heal()
    await fleet.until(WRITTEN, 'following')
    await fleet.phase('rounds')
    if ((turn + 1) % 10 === 0) world.say(`${turn + 1} rounds`)
  }
  world.figure('rounds', ready.length)
  world.figure('ready again median ms', round(quantile(ready, 0.5)))
  await fleet.finish()
}
