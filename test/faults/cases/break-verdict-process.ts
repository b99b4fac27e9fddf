import { setTimeout as sleep } from 'node:timers/promises'
import { round } from '../../../bench/lib/stats.ts'
import { countsOf } from '../lib/calls.ts'
import { until, untilWhole } from '../lib/node-state.ts'
import { acceptedBy } from '../lib/processes.ts'
import type { World } from '../lib/world.ts'

/** The supervisor waits longer after each early death: a fourth one within half a minute waits 400 ms. */
const PAUSE_MS = 1_500

/** Ends verdict processes by a signal, one at a time, and counts what that costs on whose connections. */
export async function breakVerdictProcess(
  world: World,
  { signal, times }: { signal: NodeJS.Signals; times: number },
): Promise<void> {
  const node = await world.startNode()
  const trial = await world.startTrial(node)
  await trial.phase('before', 1_000)
  const recoveries: number[] = []
  let cut = 0
  let elsewhere = 0
  let cutMax = 0
  for (let time = 0; time < times; time++) {
    const pids = node.pids('verdict')
    const victim = pids[Math.floor(world.random() * pids.length)] ?? 0
    const owners = acceptedBy(node.verdictPort)
    const own = [...owners.values()].filter((pid) => pid === victim).length
    process.kill(victim, signal)
    await until('it has ended', () => !node.pids('verdict').includes(victim))
    recoveries.push(await untilWhole(node))
    const { calls } = await trial.phase('fault', PAUSE_MS)
    cut += calls.cut
    // The WebSocket connection has as many calls in flight as were sent since the last answer.
    cutMax += own + Math.max(0, calls.socketCut - 1)
    for (const [port, count] of Object.entries(calls.unansweredPorts)) {
      if (owners.has(Number(port)) && owners.get(Number(port)) !== victim) elsewhere += count
    }
    world.expect(
      'no call is without an answer but those in flight',
      calls.silent + calls.unsent + calls.refused === 0,
      countsOf(calls),
    )
  }
  await sleep(200)
  await trial.phase('after', 1_000)
  world.figure('killed', times)
  world.figure('in flight and lost', cut)
  world.figure('at most', cutMax)
  world.figure('unanswered on other processes', elsewhere)
  world.figure('whole again ms', round(Math.max(...recoveries)))
  world.expect('at most one call of each connection is lost', cut <= cutMax, `${cut} > ${cutMax}`)
  world.expect('connections to other processes lose nothing', elsewhere === 0, elsewhere)
  // The short form runs beside other tests: its times are shown, and judged nowhere.
  world.expect('it is back within 2 s', world.isQuick || Math.max(...recoveries) <= 2_000, recoveries)
  await trial.finish({ mayLeaveUnanswered: true })
}
