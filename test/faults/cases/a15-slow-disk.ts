import { round } from '../../../bench/lib/stats.ts'
import type { FaultCase } from '../lib/fault-case.ts'
import { inject } from '../lib/processes.ts'

const DELAY_US = 200_000

export const slowDisk: FaultCase = {
  id: 'A15',
  what: 'every sync of control takes 200 ms longer',
  expected: 'Changes are slow; verdicts do not notice.',
  needs: ['strace', 'loop-disk'],
  async run(world) {
    const disk = world.loopDisk(128)
    const node = await world.startNode({ dataDirectory: `${disk.directory}/data` })
    const trial = await world.startTrial(node)
    const forMs = world.isQuick ? 2_000 : 8_000
    const before = await trial.phase('before', forMs)
    const [control = 0] = node.pids('control')
    const end = await inject(world.cleanup, control, `fsync,fdatasync,msync,sync_file_range:delay_enter=${DELAY_US}`)
    await trial.phase('turning', 300)
    const slow = await trial.phase('fault', forMs)
    await end()
    const perSecond = (acknowledged: number) => round((1_000 * acknowledged) / forMs)
    world.figure('changes a second before', perSecond(before.changes.acknowledged))
    world.figure('changes a second slow', perSecond(slow.changes.acknowledged))
    world.expect('the disk is slow', slow.changes.acknowledged < before.changes.acknowledged / 2, slow.changes)
    world.expect('changes go on', slow.changes.acknowledged > 0, slow.changes)
    await trial.phase('after', 1_000)
    await trial.finish()
  },
}
