import type { FaultCase } from '../lib/fault-case.ts'
import { killAll, untilWhole } from '../lib/node-state.ts'
import { describe } from './a10-disk-full.ts'

export const diskReadOnly: FaultCase = {
  id: 'A11',
  what: 'the disk turns read-only, as the kernel does after an error of the disk',
  expected:
    'Changes are refused, calls are answered. After a restart on the mended disk everything acknowledged is there.',
  needs: ['ss', 'loop-disk'],
  async run(world) {
    const disk = world.loopDisk(128)
    const dataDirectory = `${disk.directory}/data`
    const node = await world.startNode({ dataDirectory })
    const trial = await world.startTrial(node)
    await trial.phase('before', 1_000)
    disk.becomeReadOnly()
    await trial.phase('turning', 500)
    const { changes } = await trial.phase('fault', world.isQuick ? 2_000 : 8_000)
    world.figure('refused', describe(changes.refused))
    world.figure('changes unanswered', changes.unanswered)
    world.expect('nothing is acknowledged', changes.acknowledged === 0, changes)
    world.expect('changes are refused', Object.keys(changes.refused).length > 0, changes)
    await trial.finish({ verifyAt: null })
    await killAll(node)
    disk.mountAgain()
    const second = await world.startNode({ dataDirectory })
    await untilWhole(second)
    await world.verify(second, trial.acknowledged)
  },
}
