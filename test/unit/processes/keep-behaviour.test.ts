import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { loadConfig } from '../../../src/config/load-config.ts'
import type { PhoneNumber } from '../../../src/domain/phone-number.ts'
import { openBehaviour } from '../../../src/engine/behaviour-memory.ts'
import { GATHER_MS } from '../../../src/processes/good-talks.ts'
import { type KeptBehaviour, startBehaviour } from '../../../src/processes/keep-behaviour.ts'
import type { ActiveCallersMessage, GoodTalksMessage } from '../../../src/processes/messages.ts'
import { ACTIVITY_OF, noteAttempt } from '../../../src/shm/activity.ts'
import { noteLongTalk } from '../../../src/shm/long-talks.ts'
import { callHash, createPairHasher } from '../../../src/shm/pair-hash.ts'
import { noteCall } from '../../../src/shm/pairs.ts'
import { temporaryDirectory } from '../../fixtures/temporary-directory.ts'

const NOON = Date.UTC(2026, 10, 27, 12)
const DAY_MS = 86_400_000
const KEY = Uint32Array.of(1, 2)
const ALICE = 79_160_000_001 as PhoneNumber
const BOB = 79_260_000_002

let clockMs = NOON
let kept: KeptBehaviour | undefined
beforeEach(() => {
  clockMs = NOON
  vi.useFakeTimers()
})
afterEach(async () => {
  await kept?.stop()
  kept = undefined
  vi.useRealTimers()
})

async function start(label: string, hasOthers = true, snapshotDirectory = temporaryDirectory()) {
  const told: (ActiveCallersMessage | GoodTalksMessage)[] = []
  const { verdict } = loadConfig({})
  const sizes = { activeNumbers: 1_024, pairsPerDay: 1_024, blocks: 1_024, recentEnds: 1_024 }
  const started = await startBehaviour(
    { label, verdict: { ...verdict, ...sizes }, hasOthers, key: KEY, snapshotDirectory },
    {
      store: {
        readReputationNumbers: () => 0,
        reputationOf: (number) => (number === ALICE ? new DataView(new ArrayBuffer(0)) : undefined),
      },
      now: () => clockMs,
      tell: (message, sent) => {
        told.push(message)
        sent?.()
      },
      log: { info: () => {}, warn: () => {} },
      onFailure: (error) => expect.unreachable(String(error)),
    },
  )
  started.begin()
  return { kept: started, thread: openBehaviour(started.regions), told }
}

function attemptsOf(behaviour: KeptBehaviour): number[] {
  const answer = behaviour.answer({ about: 'number', number: ALICE, nowMs: clockMs })
  return 'number' in answer ? Object.values(answer.number.outgoing).map((view) => view.attempts60) : []
}

describe('what a verdict process remembers of behaviour', () => {
  it('has what another process says, and tells its own', async () => {
    const one = await start('verdict-1')
    const two = await start('verdict-2')
    kept = one.kept
    for (let i = 0; i < 5; i++) noteAttempt(one.thread.activity, ALICE, ACTIVITY_OF.caller, BOB + i, 0, clockMs)
    expect(attemptsOf(two.kept)).toEqual([])
    await vi.advanceTimersByTimeAsync(1_000)
    for (const message of one.told) if (message.type === 'active-callers') two.kept.hear(message)
    expect(attemptsOf(two.kept)).toEqual([5])
    await two.kept.stop()
    const before = two.told.length
    await vi.advanceTimersByTimeAsync(5_000)
    expect(two.told).toHaveLength(before)
  })

  it('tells nobody, and hears nobody, when it is alone', async () => {
    const alone = await start('verdict-1', false)
    kept = alone.kept
    for (let i = 0; i < 5; i++) noteAttempt(alone.thread.activity, BOB, ACTIVITY_OF.caller, ALICE + i, 0, clockMs)
    await vi.advanceTimersByTimeAsync(5_000)
    expect(alone.told).toEqual([])
  })

  it('tells of long talks with a number that was reported, and of no other', async () => {
    const { told, thread, ...one } = await start('verdict-1', false)
    kept = one.kept
    noteLongTalk(thread.longTalks, ALICE, BOB, 3)
    noteLongTalk(thread.longTalks, ALICE, BOB + 1, 3)
    noteLongTalk(thread.longTalks, BOB, ALICE, 3)
    await vi.advanceTimersByTimeAsync(1_000)
    expect(told).toEqual([])
    clockMs += GATHER_MS
    await vi.advanceTimersByTimeAsync(1_000)
    expect(told).toEqual([{ type: 'good-talks', number: ALICE, ingress: 3, callees: 2, atMs: clockMs }])
  })

  it.each([3 * DAY_MS, -3 * DAY_MS])('goes on at once when the clock is set right by %d ms', async (jumpMs) => {
    const { thread, ...one } = await start('verdict-1', false)
    kept = one.kept
    const hasher = createPairHasher(KEY)
    const match = () => {
      const { low, high } = callHash(hasher, ALICE, BOB)
      return one.kept.match({ type: 'call-match-request', id: 1, low, high, sinceMs: clockMs - 3_600_000 }).match
    }
    noteAttempt(thread.activity, ALICE, ACTIVITY_OF.caller, BOB, 0, clockMs)
    noteCall(thread.pairs, ALICE, BOB, clockMs)
    expect(match()).toBe('yes')
    clockMs += jumpMs
    one.kept.acceptClock()
    expect(match()).toBe('unknown')
    expect(one.kept.state().activity.sinceMs).toBe(clockMs)
    expect(attemptsOf(one.kept)).toEqual([0])
    noteAttempt(thread.activity, ALICE, ACTIVITY_OF.caller, BOB, 0, clockMs)
    noteCall(thread.pairs, ALICE, BOB, clockMs)
    expect(match()).toBe('yes')
    expect(attemptsOf(one.kept)).toEqual([1])
  })

  it('covers what it did before a restart, but nothing of a clock that was ahead', async () => {
    const directory = temporaryDirectory()
    const before = await start('verdict-1', false, directory)
    noteAttempt(before.thread.activity, ALICE, ACTIVITY_OF.caller, BOB, 0, clockMs)
    await before.kept.stop()
    clockMs += 60_000
    const after = await start('verdict-1', false, directory)
    expect(after.kept.state().activity.sinceMs).toBe(NOON)
    expect(attemptsOf(after.kept)).toEqual([1])
    await after.kept.stop()
    clockMs -= DAY_MS
    const back = await start('verdict-1', false, directory)
    kept = back.kept
    await vi.advanceTimersByTimeAsync(1_000)
    expect(back.kept.state().activity.sinceMs).toBe(clockMs)
  })
})
