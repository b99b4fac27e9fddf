import { setTimeout as sleep } from 'node:timers/promises'
import { quantile, round } from '../../../bench/lib/stats.ts'
import type { RunningService } from '../../support/run-service.ts'
import { type CallsTaken, unanswered } from './calls.ts'
import type { Acknowledged, ChangesTaken } from './changes.ts'
import { CALLS_PER_SECOND, CONNECTIONS, type OracleOptions, prepareNode, startOracle } from './oracle.ts'
import type { World } from './world.ts'

/** A node under calls and changes, from well to well again, with the fault between. */
export type Trial = {
  /** Ends a phase: what became of the calls and changes since the last one. Waits `forMs` first. */
  phase(name: string, forMs?: number): Promise<Phase>
  readonly acknowledged: Acknowledged
  /** Ends calls and changes, and looks for everything that was acknowledged; through another node when the first has gone. */
  finish(options?: FinishOptions): Promise<void>
}
export type Phase = { readonly name: string; readonly calls: CallsTaken; readonly changes: ChangesTaken }

export type TrialOptions = Partial<Omit<OracleOptions, 'verdictPort'>> & {
  /** False for a data directory that a trial has used before. */
  readonly isNew?: boolean
}
export type FinishOptions = {
  /** Where to look for what was acknowledged; null: the case does that. */
  readonly verifyAt?: RunningService | null
  /** True: the fault ends connections, and the case says itself how many calls that may cost. */
  readonly mayLeaveUnanswered?: boolean
  /** True: the fault makes whole processes slow, and the case says what that may cost. */
  readonly mayBeLate?: boolean
}

/** Nothing is measured before the just-in-time compiler has seen the calls. */
const WARM_UP_MS = 1_500
const WARM_UP_QUICK_MS = 700
/** Of a machine with two cores that are shared: a single late call among thousands is the neighbours. */
const LATE_SHARE_MAX = 0.001

export async function startTrial(
  options: TrialOptions,
  { world, node }: { world: World; node: RunningService },
): Promise<Trial> {
  if (options.isNew !== false) await prepareNode(node)
  const oracleOptions = {
    verdictPort: node.verdictPort,
    callsPerSecond: CALLS_PER_SECOND,
    connections: CONNECTIONS,
    sendsDeadline: true,
    hasWriter: true,
    seed: world.seed % 1_000_000,
    ...options,
  }
  const oracle = await startOracle(oracleOptions, node)
  let isOver = false
  const end = async () => {
    if (!isOver) await oracle.stop()
    isOver = true
  }
  world.cleanup.defer(end)
  const phases: Phase[] = []
  const phase = async (name: string, forMs = 0): Promise<Phase> => {
    await sleep(forMs)
    const taken = { name, calls: await oracle.takeCalls(), changes: oracle.changes.take() }
    phases.push(taken)
    return taken
  }
  await phase('warm-up', world.isQuick ? WARM_UP_QUICK_MS : WARM_UP_MS)
  phases.pop()
  return {
    phase,
    acknowledged: oracle.changes.acknowledged,
    async finish({ verifyAt = node, mayLeaveUnanswered = false, mayBeLate = false } = {}) {
      await oracle.changes.stop()
      await phase('end', 200)
      await end()
      // The short form runs beside other tests: its times are shown, and judged nowhere.
      reportCalls(world, phases, { mayLeaveUnanswered, mayBeLate: mayBeLate || world.isQuick })
      if (verifyAt === null || !oracleOptions.hasWriter) return
      await verifyAt.ready()
      await world.verify(verifyAt, oracle.changes.acknowledged)
    },
  }
}

/** Of one node or of several: phases of one name are one row. */
export function reportCalls(
  world: World,
  phases: readonly Phase[],
  may: { mayLeaveUnanswered: boolean; mayBeLate: boolean; mayBeUnsent?: boolean },
) {
  const sum = (count: (calls: CallsTaken) => number) => phases.reduce((total, { calls }) => total + count(calls), 0)
  const asked = sum(({ asked }) => asked)
  const late = sum((calls) => calls.late)
  const wrong = sum((calls) => calls.wrongCount)
  const open = sum(unanswered)
  const lateness = phases.flatMap(({ calls }) => calls.lateness)
  world.figure('calls', asked)
  world.figure('unanswered', open)
  world.figure('late', late)
  world.figure(
    'overloaded',
    sum((calls) => calls.overloaded),
  )
  world.figure('wrong', wrong)
  world.figure(
    'stale',
    sum((calls) => calls.stale),
  )
  world.figure('own lateness p99.9 ms', round(quantile(lateness, 0.999)))
  for (const name of new Set(phases.map((phase) => phase.name))) {
    const latencies = phases.filter((phase) => phase.name === name).flatMap(({ calls }) => calls.latencies)
    if (latencies.length > 0) world.figure(`p99.9 ${name} ms`, round(quantile(latencies, 0.999)))
  }
  const examples = phases.flatMap(({ name, calls }) => calls.wrong.map((one) => ({ during: name, ...one }))).slice(0, 5)
  world.expect('every verdict is one that the caller may get', wrong === 0, examples)
  if (!may.mayLeaveUnanswered) {
    const kinds = phases.map(({ name, calls: { cut, silent, unsent, refused } }) => ({
      name,
      cut,
      silent,
      unsent,
      refused,
    }))
    const unsent = may.mayBeUnsent === true ? sum((calls) => calls.unsent) : 0
    world.expect('every call is answered', open - unsent === 0, kinds)
  }
  if (!may.mayBeLate)
    world.expect('no answer is late and does not say so', late <= asked * LATE_SHARE_MAX, `${late} of ${asked}`)
}
