import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FaultCase } from '../lib/fault-case.ts'
import { allPids, isAlive } from '../lib/node-state.ts'
import { limitOpenFiles, openFileCount } from '../lib/processes.ts'

const ROOM = 20
const FLOOD = 300

export const openFilesExhausted: FaultCase = {
  id: 'A9',
  what: `no file descriptors are left: room for ${ROOM}, ${FLOOD} connections to each port`,
  expected: 'No process dies; connections that are open are answered; within 2 s of the flood all is as before.',
  needs: ['prlimit'],
  async run(world) {
    const node = await world.startNode()
    const trial = await world.startTrial(node)
    await trial.phase('before', 1_000)
    const pids = allPids(node)
    const undo = pids.map((pid) => limitOpenFiles(pid, openFileCount(pid) + ROOM))
    const flood: Socket[] = []
    for (let i = 0; i < FLOOD; i++) {
      for (const port of [node.verdictPort, node.adminPort]) {
        flood.push(connect(port, '127.0.0.1').on('error', () => {}))
      }
    }
    const { changes } = await trial.phase('fault', world.isQuick ? 1_500 : 5_000)
    for (const socket of flood) socket.destroy()
    await sleep(2_000)
    for (const takeBack of undo) takeBack()
    await trial.phase('recovery')
    const after = await trial.phase('after', 2_000)
    world.figure(
      'changes refused',
      Object.values(changes.refused).reduce((sum, count) => sum + count, changes.unanswered),
    )
    world.expect('no process has died', pids.every(isAlive), node.output().slice(-2_000))
    world.expect('changes are taken again', after.changes.acknowledged > 0, after.changes)
    await trial.finish()
  },
}
