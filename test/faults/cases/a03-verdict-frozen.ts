import { round } from '../../../bench/lib/stats.ts'
import { countsOf, unanswered } from '../lib/calls.ts'
import type { FaultCase } from '../lib/fault-case.ts'
import { until, untilWhole } from '../lib/node-state.ts'
import { acceptedBy } from '../lib/processes.ts'

/** A second until it is killed; who hung on it has half a second to find another process. */
const AFFECTED_MS_MAX = 1_500

export const verdictFrozen: FaultCase = {
  id: 'A3',
  what: 'a verdict process is stopped for good (SIGSTOP)',
  expected: `It is killed within a second. Until then calls on its connections, old and new, go unanswered, for ${AFFECTED_MS_MAX / 1_000} s at most; none on others.`,
  needs: ['ss'],
  async run(world) {
    const node = await world.startNode()
    const trial = await world.startTrial(node)
    await trial.phase('before', 1_000)
    const [victim = 0] = node.pids('verdict')
    const owners = acceptedBy(node.verdictPort)
    const startMs = performance.now()
    process.kill(victim, 'SIGSTOP')
    await until('it is killed', () => !node.pids('verdict').includes(victim), 20_000)
    const killedMs = performance.now() - startMs
    await untilWhole(node)
    const { calls } = await trial.phase('fault', 1_000)
    const elsewhere = Object.entries(calls.unansweredPorts).reduce((sum, [port, count]) => {
      const owner = owners.get(Number(port))
      return owner === undefined || owner === victim ? sum : sum + count
    }, 0)
    const after = await trial.phase('after', 1_500)
    world.figure('killed after ms', round(killedMs))
    world.figure('unanswered for ms', round(calls.unansweredForMs))
    world.figure('unanswered on other processes', elsewhere)
    world.expect(
      `calls go unanswered for ${AFFECTED_MS_MAX} ms at most`,
      calls.unansweredForMs <= AFFECTED_MS_MAX,
      calls.unansweredForMs,
    )
    world.expect('connections to other processes lose nothing', elsewhere === 0, calls.unansweredPorts)
    world.expect('no call is unanswered afterwards', unanswered(after.calls) === 0, countsOf(after.calls))
    await trial.finish({ mayLeaveUnanswered: true })
  },
}
