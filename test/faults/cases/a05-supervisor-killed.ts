import { round } from '../../../bench/lib/stats.ts'
import { countsOf } from '../lib/calls.ts'
import type { FaultCase } from '../lib/fault-case.ts'
import { allPids, isAlive, until, untilWhole } from '../lib/node-state.ts'

const WITHOUT_VERDICT_MS = 5_000

export const supervisorKilled: FaultCase = {
  id: 'A5',
  what: 'the supervisor is killed; whoever keeps the service (systemd) starts it again',
  expected: `Its processes notice and end, so that nothing listens twice; calls are answered again within ${WITHOUT_VERDICT_MS / 1_000} s.`,
  needs: ['ss'],
  async run(world) {
    const node = await world.startNode()
    const trial = await world.startTrial(node)
    await trial.phase('before', 1_000)
    const before = allPids(node)
    const startMs = performance.now()
    process.kill(node.pid, 'SIGKILL')
    const { adminPort, verdictPort, dataDirectory } = node
    const second = await world.startNode({ adminPort, verdictPort, dataDirectory })
    await untilWhole(second)
    const wholeMs = performance.now() - startMs
    await until('the processes before are gone', () => !before.some(isAlive), 15_000)
    const { calls } = await trial.phase('fault', 1_000)
    const after = await trial.phase('after', 1_500)
    world.figure('without any verdict ms', round(calls.longestSilenceMs))
    world.figure('whole again ms', round(wholeMs))
    world.expect(
      `calls are answered again within ${WITHOUT_VERDICT_MS} ms`,
      calls.longestSilenceMs <= WITHOUT_VERDICT_MS,
      calls.longestSilenceMs,
    )
    world.expect(
      'nothing is unanswered afterwards',
      after.calls.cut + after.calls.silent + after.calls.unsent === 0,
      countsOf(after.calls),
    )
    await trial.finish({ verifyAt: second, mayLeaveUnanswered: true })
  },
}
