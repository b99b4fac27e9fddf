import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Call } from '../../src/domain/call-event.ts'
import { type CallEnd, createCallEnd } from '../../src/engine/behaviour.ts'
import { createDecision } from '../../src/engine/decision.ts'
import { AHEAD_MAX } from '../../src/engine/screener.ts'
import { CALLEE, CALLER, call, NOW, openWorld, reports } from '../fixtures/screening-world.ts'

const WORLD = {
  lists: [{ name: 'deny', kind: 'deny', layers: [{ numbers: [CALLER + 1] }] }] as const,
  reports: reports(4, { number: (CALLER + 2) as typeof CALLER }),
}

/** Few numbers, so that calls of a batch are about the same rows; -1 is withheld. */
const caller = fc.oneof(
  fc.integer({ min: 0, max: 5 }).map((n) => CALLER + n * 50),
  fc.constantFrom(CALLER + 1, CALLER + 2, -1),
)
const callee = fc.oneof(
  fc.integer({ min: 0, max: 300 }).map((n) => CALLEE + n),
  fc.constantFrom(CALLER, -1),
)
const hash = fc.integer({ min: 0, max: 40 })
const anyEvent = fc.record({
  isEnd: fc.boolean(),
  caller,
  callee,
  hash,
  ingress: fc.integer({ min: 0, max: 3 }),
  isLate: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
  answered: fc.boolean(),
  talkMs: fc.constantFrom(0, 3_000, 90_000),
})
type Event = typeof anyEvent extends fc.Arbitrary<infer T> ? T : never

const callOf = (event: Event, nowMs: number): Call =>
  call({
    caller: event.caller as Call['caller'],
    callee: event.callee as Call['callee'],
    ingress: event.ingress,
    callHashLow: event.hash,
    callHashHigh: event.hash,
    nowMs,
    deadlineMs: event.isLate ? nowMs - 1 : nowMs + 50,
  })
const endOf = (event: Event, nowMs: number): CallEnd => ({
  ...createCallEnd(),
  caller: event.caller as CallEnd['caller'],
  callee: event.callee as CallEnd['callee'],
  callHashLow: event.hash + 1_000,
  callHashHigh: event.hash,
  answered: event.answered,
  ringMs: 4_000,
  talkMs: event.talkMs,
  nowMs,
})

type Way = 'one by one' | 'expected' | 'expected others'

/** The answers to batches of events, and all the memory they left behind. */
function live(batches: readonly (readonly Event[])[], way: Way) {
  const world = openWorld(WORLD)
  const decision = createDecision()
  const answers: number[][] = []
  for (const [index, batch] of batches.entries()) {
    const nowMs = NOW + index * 20_000
    const calls = batch.filter((event) => !event.isEnd).map((event) => callOf(event, nowMs))
    const ends = batch.filter((event) => event.isEnd).map((event) => endOf(event, nowMs))
    if (way === 'expected') world.screener.expect(calls, calls.length, ends, ends.length)
    if (way === 'expected others') {
      world.screener.expect([...calls].reverse(), calls.length, [...ends].reverse(), ends.length)
    }
    for (const event of batch) {
      if (event.isEnd) world.screener.endCall(endOf(event, nowMs))
      else {
        world.screener.screen(callOf(event, nowMs), decision)
        const { verdict, score, basis, flags, reasonCodes, reasonCount } = decision
        answers.push([verdict, score, basis, flags, ...reasonCodes.subarray(0, reasonCount)])
      }
    }
  }
  const { activity, pairs, ends } = world.behaviour
  return {
    answers,
    activity: Buffer.from(activity.bytes).toString('base64'),
    pairs: Buffer.from(new Uint8Array(pairs.memory)).toString('base64'),
    ends: [...ends.keys],
    failures: world.failures,
  }
}

it('decides calls that were expected as those that were not, and remembers the same', () => {
  const batch = fc.array(anyEvent, { minLength: 1, maxLength: AHEAD_MAX })
  fc.assert(
    fc.property(fc.array(batch, { minLength: 1, maxLength: 12 }), (batches) => {
      const plain = live(batches, 'one by one')
      expect(plain.failures).toEqual([])
      expect(live(batches, 'expected')).toEqual(plain)
      // Whoever promises other calls than come pays for it in time alone.
      expect(live(batches, 'expected others')).toEqual(plain)
    }),
    { numRuns: 60 },
  )
})

it('loads no more than there is room for', () => {
  const event: Event = {
    isEnd: false,
    caller: CALLER,
    callee: CALLEE,
    hash: 0,
    ingress: 2,
    isLate: false,
    answered: true,
    talkMs: 90_000,
  }
  const of = (count: number) =>
    Array.from({ length: count }, (_, i) => ({ ...event, callee: CALLEE + i, hash: i + 1, isEnd: i % 2 === 1 }))
  for (const count of [2 * AHEAD_MAX, 2 * AHEAD_MAX + 1, 2 * AHEAD_MAX + 2]) {
    expect(live([of(count)], 'expected')).toEqual(live([of(count)], 'one by one'))
  }
})
