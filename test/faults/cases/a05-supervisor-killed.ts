import { round } from '../../../bench/lib/stats.ts'
import { countsOf } from '../lib/calls.ts'
import type { FaultCase } from '../lib/fault-case.ts'
import { isAlive, until, untilWhole } from '../lib/node-state.ts'

export const supervisorKilled: FaultCase = {
  id: 'A5',
  what: 'the supervisor is killed; whoever keeps the service (systemd) starts it again',
  expected:
    'Its verdict processes answer on until the next ones serve, then end: no call over HTTP is lost; WebSockets are closed with 1001 (what was on its way there is asked again).',
  needs: ['ss'],
  async run(world) {
    const node = await world.startNode()
    const trial = await world.startTrial(node)
    await trial.phase('before', 1_000)
    const before = [...node.pids('control'), ...node.pids('verdict')]
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
    world.figure('lost on the WebSocket', calls.socketCut)
    const lostOverHttp = calls.cut - calls.socketCut + calls.silent + calls.refused + calls.unsent
    world.expect('no call over HTTP is lost', lostOverHttp === 0, countsOf(calls))
    world.expect(
      'nothing is unanswered afterwards',
      after.calls.cut + after.calls.silent + after.calls.unsent === 0,
      countsOf(after.calls),
    )
    await trial.finish({ verifyAt: second, mayLeaveUnanswered: true })
  },
}
