import { describe, expect, it } from 'vitest'
import type { Call } from '../../../src/domain/call-event.ts'
import { BLOCK_SIZE, gatherBehaviour, READ, READ_AND_COUNT } from '../../../src/engine/behaviour.ts'
import { createBehaviourRegions, openBehaviour } from '../../../src/engine/behaviour-memory.ts'
import { createEvidence } from '../../../src/engine/evidence.ts'
import { describeBehaviour } from '../../../src/engine/number-behaviour.ts'
import { ACTIVITY_OF, noteAttempt } from '../../../src/shm/activity.ts'
import { createActivityCollector } from '../../../src/shm/activity-summary.ts'
import { createRemoteActivity, hearSource, noteRows } from '../../../src/shm/remote-activity.ts'

const NOW = Date.UTC(2026, 10, 27, 12)
const CALLER = 79_160_000_042
const CALLEE = 79_260_000_001
const SIZES = { activeNumbers: 1_024, pairsPerDay: 1_024, blocks: 1_024, recentEnds: 1_024 }
const SERIAL = 64
const CALL = { caller: CALLER, callee: CALLEE, trunk: 0, nowMs: NOW } as Call

function process() {
  const regions = createBehaviourRegions(SIZES, Uint32Array.of(1, 2), NOW)
  const memory = openBehaviour({ ...regions, remote: createRemoteActivity(64) })
  return { ...memory, collector: createActivityCollector(memory.activity) }
}

/** Every row that a call touches, some of them with a few events more: `count` and 1 to 3. */
function call(memory: ReturnType<typeof process>, count: number): void {
  const { activity } = memory
  for (let i = 0; i < count; i++) noteAttempt(activity, CALLER, ACTIVITY_OF.caller + 2, CALLEE + i, 0, NOW)
  for (let i = 0; i < count + 1; i++) noteAttempt(activity, CALLEE, ACTIVITY_OF.callee, CALLER + i, 0, NOW)
  for (let i = 0; i < count + 2; i++) noteAttempt(activity, CALLER, ACTIVITY_OF.callee, CALLEE + i, 0, NOW)
  const block = Math.floor(CALLER / BLOCK_SIZE)
  for (let i = 0; i < count + 3; i++) noteAttempt(activity, block, ACTIVITY_OF.block, CALLER + i, 0, NOW)
}

function hear(memory: ReturnType<typeof process>, from: ReturnType<typeof process>): void {
  hearSource(memory.remote, SERIAL, NOW)
  expect(noteRows(memory.remote, SERIAL, from.collector.collect(NOW, 1_000), NOW)).toBe(0)
}

describe('calls that other processes have counted', () => {
  it.each([READ, READ_AND_COUNT])('are added to every row of a call (%i)', (how) => {
    const [here, there] = [process(), process()]
    call(here, 10)
    call(there, 20)
    const evidence = createEvidence()
    evidence.ingress = 2
    const attempts = () => {
      gatherBehaviour(CALL, evidence, here, how)
      const { outgoing, called, incoming, block } = evidence
      return [outgoing.attempts60, called.attempts60, incoming.totalAttempts, block.attempts60]
    }
    expect(attempts()).toEqual([10, 11, 12, 13])
    hear(here, there)
    const counted = how === READ_AND_COUNT ? 1 : 0
    expect(attempts()).toEqual([30 + counted, 32 + counted, 34, 36 + counted])
  })

  it('are in what is said of a number, though nothing was counted here', () => {
    const [here, there] = [process(), process()]
    call(there, 20)
    expect(describeBehaviour(CALLER as never, NOW, here)).toMatchObject({ outgoing: {} })
    hear(here, there)
    const { outgoing, incoming, block } = describeBehaviour(CALLER as never, NOW, here)
    expect(Object.values(outgoing).map((view) => view.attempts60)).toEqual([20])
    expect([incoming?.attempts60, block?.attempts60]).toEqual([22, 23])
  })
})
