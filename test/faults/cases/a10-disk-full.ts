import { fillDisk } from '../lib/disks.ts'
import type { FaultCase } from '../lib/fault-case.ts'
import { allPids, isAlive } from '../lib/node-state.ts'

const MEBIBYTES = 128

export const diskFull: FaultCase = {
  id: 'A10',
  what: 'the disk is full',
  expected:
    'Changes are refused with STORAGE_FULL (507), no process ends, calls are answered; with room again changes are taken without a restart.',
  needs: ['loop-disk'],
  async run(world) {
    const disk = world.loopDisk(MEBIBYTES)
    const node = await world.startNode({ dataDirectory: `${disk.directory}/data` })
    const trial = await world.startTrial(node)
    await trial.phase('before', 1_000)
    const pids = allPids(node)
    const empty = fillDisk(disk.directory)
    const full = await trial.phase('fault', world.isQuick ? 2_000 : 8_000)
    const { refused, unanswered } = full.changes
    empty()
    await trial.phase('recovery', 2_000)
    const after = await trial.phase('after', 2_000)
    world.figure('changes taken while full', full.changes.acknowledged)
    world.figure('refused', describe(refused))
    world.expect('changes are refused', (refused.STORAGE_FULL ?? 0) > 0, refused)
    const others = Object.keys(refused).filter((code) => code !== 'STORAGE_FULL')
    world.expect('they are refused with STORAGE_FULL only', others.length === 0, refused)
    world.expect('no request hangs or is cut off', unanswered === 0, unanswered)
    world.expect('no process has ended', pids.every(isAlive), node.output().slice(-2_000))
    world.expect('changes are taken again', after.changes.acknowledged > 5, after.changes)
    world.expect('none is refused any more', Object.keys(after.changes.refused).length === 0, after.changes)
    await trial.finish()
  },
}

export function describe(refused: Record<string, number>): string {
  const told = Object.entries(refused).map(([code, count]) => `${count} ${code}`)
  return told.length === 0 ? 'none' : told.join(', ')
}
