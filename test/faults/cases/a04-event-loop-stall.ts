import { setTimeout as sleep } from 'node:timers/promises'
import type { FaultCase } from '../lib/fault-case.ts'
import { freeze } from '../lib/processes.ts'

const STALL_MS = 300

export const eventLoopStall: FaultCase = {
  id: 'A4',
  what: `a verdict process stands still for ${STALL_MS} ms, again and again`,
  expected: 'Every call is answered. Those that waited past the deadline they brought along say `overloaded`.',
  needs: [],
  async run(world) {
    const node = await world.startNode()
    const trial = await world.startTrial(node)
    await trial.phase('before', 1_000)
    for (let stall = 0; stall < (world.isQuick ? 2 : 10); stall++) {
      const pids = node.pids('verdict')
      await freeze(pids[stall % pids.length] ?? 0, STALL_MS)
      await sleep(500)
    }
    const { calls } = await trial.phase('fault')
    world.expect('calls that waited too long say so', calls.overloaded > 0, calls.overloaded)
    await trial.phase('after', 1_000)
    await trial.finish()
  },
}
