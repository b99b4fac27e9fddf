import { round } from '../../../bench/lib/stats.ts'
import { countsOf, unanswered } from '../lib/calls.ts'
import type { FaultCase } from '../lib/fault-case.ts'
import { until, untilWhole } from '../lib/node-state.ts'
import { acceptedBy } from '../lib/processes.ts'

/** The least that can be configured; as shipped it is 15. */
const FROZEN_SECONDS = 3

export const verdictFrozen: FaultCase = {
  id: 'A3',
  what: `a verdict process is frozen for good (SIGSTOP); verdict.frozenSeconds ${FROZEN_SECONDS}`,
  expected: `It is killed ${FROZEN_SECONDS} to ${FROZEN_SECONDS + 2} s later. Until then calls on its connections, old and new, go unanswered; none on others.`,
  needs: ['ss'],
  async run(world) {
    const node = await world.startNode({ config: `verdict: { frozenSeconds: ${FROZEN_SECONDS} }\n` })
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
    world.expect('it is killed in time', killedMs <= (FROZEN_SECONDS + 2) * 1_000, killedMs)
    world.expect('connections to other processes lose nothing', elsewhere === 0, calls.unansweredPorts)
    world.expect('no call is unanswered afterwards', unanswered(after.calls) === 0, countsOf(after.calls))
    await trial.finish({ mayLeaveUnanswered: true })
  },
}
