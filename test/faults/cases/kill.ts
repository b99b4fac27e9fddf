import type { RunningService } from '../../support/run-service.ts'
import type { FaultCase } from '../lib/fault-case.ts'
import { until, untilWhole } from '../lib/node-state.ts'
import { runRounds } from '../lib/rounds.ts'

const ROLES = ['control', 'verdict', 'supervisor'] as const

export const kill: FaultCase = {
  id: 'KILL',
  what: 'control, a verdict process and the supervisor in turn are killed at random moments; the must-reach is --count 1000',
  expected: 'The service comes back, everything acknowledged is there, no import is half there.',
  needs: ['ss'],
  isCheap: true,
  countsItself: true,
  async run(world) {
    await runRounds(world, {
      name: 'kills',
      node: await world.startNode(),
      async breakIt(node, round) {
        const role = ROLES[round % ROLES.length] ?? 'control'
        if (role === 'supervisor') return startAgain(node)
        const pids = node.pids(role)
        const victim = pids[Math.floor(world.random() * pids.length)]
        if (victim !== undefined) process.kill(victim, 'SIGKILL')
        await until('it has ended', () => !node.pids(role).includes(victim ?? 0))
        await untilWhole(node)
        return node
      },
    })

    async function startAgain(node: RunningService): Promise<RunningService> {
      const { adminPort, verdictPort, dataDirectory } = node
      process.kill(node.pid, 'SIGKILL')
      const next = await world.startNode({ adminPort, verdictPort, dataDirectory })
      await untilWhole(next)
      return next
    }
  },
}
