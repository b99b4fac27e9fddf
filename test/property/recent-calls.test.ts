import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  createNotedCalls,
  createRecentCalls,
  noteOnce,
  openNotedCalls,
  openRecentCalls,
  RECENT_PAYLOAD_WORDS,
  recallCall,
  rememberCall,
} from '../../src/shm/recent-calls.ts'

const WINDOW_SECONDS = 60
const payloadOf = (seed: number) => new Uint32Array(RECENT_PAYLOAD_WORDS).fill(seed >>> 0)

// Few hashes, so that calls meet in one set and come back; both halves use all 32 bits.
const hash = fc.tuple(
  fc.constantFrom(0, 1, 2, 0x7fffffff, 0x80000000, 0xffffffff),
  fc.constantFrom(0, 1, 0x80000001, 0xfffffffe),
)
const step = fc.record({
  hash,
  remember: fc.boolean(),
  advance: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 90 })),
  payload: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
})

describe('the memory of recent calls', () => {
  it('finds only what was remembered, whole and in time; the newest of each set is never forgotten', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const recent = openRecentCalls(createRecentCalls(8))
        const model = new Map<string, { seconds: number; payload: number }>()
        const newest = new Map<number, string>()
        let now = 1_700_000_000
        for (const {
          hash: [low, high],
          remember,
          advance,
          payload,
        } of steps) {
          now += advance
          const key = `${low}/${high}`
          if (remember) {
            rememberCall(recent, low, high, now, payloadOf(payload))
            if (low === 0 && high === 0) continue
            model.set(key, { seconds: now, payload })
            newest.set(low & 1, key)
          }
          const into = payloadOf(7)
          const found = recallCall(recent, low, high, now, WINDOW_SECONDS, into)
          const known = model.get(key)
          const inTime = known !== undefined && now - known.seconds <= WINDOW_SECONDS
          if (found) expect(inTime).toBe(true)
          if (inTime && newest.get(low & 1) === key) expect(found).toBe(true)
          expect(into).toEqual(payloadOf(found ? (known?.payload ?? -1) : 7))
        }
      }),
    )
  })

  it('remembers a call for the window and not a second longer', () => {
    const recent = openRecentCalls(createRecentCalls(4))
    const into = payloadOf(0)
    rememberCall(recent, 1, 2, 1_000, payloadOf(5))
    expect(recallCall(recent, 1, 2, 1_060, WINDOW_SECONDS, into)).toBe(true)
    expect(recallCall(recent, 1, 2, 1_061, WINDOW_SECONDS, into)).toBe(false)
    // A clock set back a little is forgiven, one set back for long is not.
    expect(recallCall(recent, 1, 2, 940, WINDOW_SECONDS, into)).toBe(true)
    expect(recallCall(recent, 1, 2, 939, WINDOW_SECONDS, into)).toBe(false)
  })

  it('forgets the oldest call of a full set first', () => {
    const recent = openRecentCalls(createRecentCalls(4))
    for (let i = 1; i <= 5; i++) rememberCall(recent, i, i, 1_000 + i, payloadOf(i))
    const into = payloadOf(0)
    expect([1, 2, 3, 4, 5].filter((i) => recallCall(recent, i, i, 1_010, WINDOW_SECONDS, into))).toEqual([2, 3, 4, 5])
  })

  it('takes a busy entry for one that is not there', () => {
    const recent = openRecentCalls(createRecentCalls(4))
    const into = payloadOf(0)
    rememberCall(recent, 9, 9, 1_000, payloadOf(1))
    recent.keys[0] = 1 // as another thread that holds the lock of the first way
    expect(recallCall(recent, 9, 9, 1_000, WINDOW_SECONDS, into)).toBe(false)
    rememberCall(recent, 9, 9, 1_001, payloadOf(2))
    recent.keys[0] = 0
    expect(recallCall(recent, 9, 9, 1_000, WINDOW_SECONDS, into)).toBe(true)
    expect(into).toEqual(payloadOf(1))
  })
})

describe('calls that are only noted', () => {
  it('are known for the window and not a second longer, and then noted anew', () => {
    const noted = openNotedCalls(createNotedCalls(4))
    const note = (hash: number, seconds: number) => noteOnce(noted, hash, hash, seconds, WINDOW_SECONDS)
    expect([note(7, 1_000), note(7, 1_060), note(7, 1_061), note(7, 1_121), note(7, 1_122)]).toEqual([
      false,
      true,
      false,
      true,
      false,
    ])
    // A clock set back a little is forgiven, one set back for long is not.
    expect([note(7, 1_062), note(7, 1_061)]).toEqual([true, false])
  })

  it('give up the oldest of a full set', () => {
    const noted = openNotedCalls(createNotedCalls(4))
    for (let i = 1; i <= 5; i++) noteOnce(noted, i, i, 1_000 + i, WINDOW_SECONDS)
    expect([5, 4, 3, 2].map((i) => noteOnce(noted, i, i, 1_010, WINDOW_SECONDS))).toEqual([true, true, true, true])
    expect(noteOnce(noted, 1, 1, 1_010, WINDOW_SECONDS)).toBe(false)
  })

  it('are new without an id, and when their entry is busy', () => {
    const noted = openNotedCalls(createNotedCalls(4))
    for (let i = 0; i < 2; i++) expect(noteOnce(noted, 0, 0, 1_000, WINDOW_SECONDS)).toBe(false)
    noteOnce(noted, 9, 9, 1_000, WINDOW_SECONDS)
    noted.keys[0] = 1 // as another thread that holds the lock of the first way
    expect(noteOnce(noted, 9, 9, 1_000, WINDOW_SECONDS)).toBe(false)
    noted.keys[0] = 0
    expect(noteOnce(noted, 9, 9, 1_000, WINDOW_SECONDS)).toBe(true)
  })
})
