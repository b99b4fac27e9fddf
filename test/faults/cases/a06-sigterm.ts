import { round } from '../../../bench/lib/stats.ts'
import { ANSWER_WITHIN_MS, countsOf, unanswered } from '../lib/calls.ts'
import type { FaultCase } from '../lib/fault-case.ts'
import type { Phase } from '../lib/trial.ts'

/** supervision.ts waits so long before it kills. */
const STOP_MS = 8_000
/** Ten seconds: a service that is not well by then is not judged well. */
const STARTING_PHASES = 20

export const sigterm: FaultCase = {
  id: 'A6',
  what: 'SIGTERM under load, then a new start on the same ports',
  expected:
    'Calls that were sent over HTTP get their answers, WebSockets are closed with 1001 (what was on its way there is asked again), the exit code is 0 within 8 s. Calls that nobody listens to any more stay unanswered.',
  needs: [],
  isCheap: true,
  async run(world) {
    const node = await world.startNode()
    const trial = await world.startTrial(node)
    await trial.phase('before', 1_000)
    const startMs = performance.now()
    const exitCode = await node.stop()
    const stoppedMs = performance.now() - startMs
    // Until it is known of every call that was sent whether it is answered.
    const { calls } = await trial.phase('stopped', ANSWER_WITHIN_MS + 100)
    const { adminPort, verdictPort, dataDirectory } = node
    const second = await world.startNode({ adminPort, verdictPort, dataDirectory })
    const starting = [await trial.phase('starting', 500)]
    // Until calls are answered again, all of a phase.
    const isWell = ({ calls }: Phase) => calls.answered > 0 && unanswered(calls) === 0
    for (let more = 0; more < STARTING_PHASES && !isWell(starting.at(-1)!); more++) {
      starting.push(await trial.phase('starting', 500))
    }
    const after = await trial.phase('after', 1_500)
    world.figure('exit code', String(exitCode))
    world.figure('stopped after ms', round(stoppedMs))
    world.figure('sent and lost', calls.cut + calls.silent)
    world.figure('of them on the WebSocket', calls.socketCut)
    const lostAtStart = starting.reduce((sum, { calls }) => sum + calls.cut + calls.silent, 0)
    world.figure('sent and lost at the start', lostAtStart)
    world.figure('WebSocket closed with', calls.socketCloses.join(', '))
    world.expect('the exit code is 0', exitCode === 0, exitCode)
    world.expect('it stops in time', stoppedMs < STOP_MS, stoppedMs)
    const lostOverHttp = calls.cut - calls.socketCut + calls.silent + calls.refused
    world.expect('no call that was sent over HTTP is lost', lostOverHttp === 0, countsOf(calls))
    world.expect('the WebSocket is told', calls.socketCloses.includes(1001), calls.socketCloses)
    world.expect('nothing is unanswered afterwards', after.calls.cut + after.calls.silent === 0, countsOf(after.calls))
    await trial.finish({ verifyAt: second, mayLeaveUnanswered: true })
  },
}
