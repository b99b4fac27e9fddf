import type { FaultCase } from '../lib/fault-case.ts'
import { killAll, untilWhole } from '../lib/node-state.ts'
import { inject } from '../lib/processes.ts'
import { describe } from './a10-disk-full.ts'

export const fsyncFails: FaultCase = {
  id: 'A12',
  what: 'every fsync and fdatasync of control fails (EIO), then the power is cut',
  expected:
    'Nothing is acknowledged that was not synced: all acknowledged is there after the cut. Calls are answered meanwhile.',
  needs: ['ss', 'power-cut', 'strace'],
  async run(world) {
    const disk = world.loopDisk(128)
    const dataDirectory = `${disk.directory}/data`
    const node = await world.startNode({ dataDirectory })
    const trial = await world.startTrial(node)
    await trial.phase('before', 1_000)
    const [control = 0] = node.pids('control')
    const end = await inject(world.cleanup, control, 'fsync,fdatasync,msync,sync_file_range:error=EIO')
    await trial.phase('turning', 500)
    const { changes } = await trial.phase('fault', world.isQuick ? 2_000 : 5_000)
    disk.cutPower()
    await end()
    world.figure('refused', describe(changes.refused))
    world.figure('changes unanswered', changes.unanswered)
    world.figure('acknowledged without a sync', changes.acknowledged)
    await trial.finish({ verifyAt: null })
    await killAll(node)
    disk.mountAgain()
    const second = await world.startNode({ dataDirectory })
    await untilWhole(second)
    await world.verify(second, trial.acknowledged)
  },
}
