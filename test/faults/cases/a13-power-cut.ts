import type { FaultCase } from '../lib/fault-case.ts'
import { killAll, untilWhole } from '../lib/node-state.ts'
import { runRounds } from '../lib/rounds.ts'

export const powerCut: FaultCase = {
  id: 'A13',
  what: 'the power is cut at a random moment; the must-reach is --count 100',
  expected: 'The disk is mounted again, the service starts, everything acknowledged is there, no import is half there.',
  needs: ['ss', 'power-cut'],
  isCheap: true,
  countsItself: true,
  async run(world) {
    const disk = world.loopDisk(256)
    const dataDirectory = `${disk.directory}/data`
    await runRounds(world, {
      name: 'power cuts',
      node: await world.startNode({ dataDirectory }),
      async breakIt(node) {
        disk.cutPower()
        await killAll(node)
        disk.mountAgain()
        const { adminPort, verdictPort } = node
        const next = await world.startNode({ dataDirectory, adminPort, verdictPort })
        await untilWhole(next)
        return next
      },
    })
  },
}
