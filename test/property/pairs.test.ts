import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createKeyedHasher } from '../../src/shm/hash.ts'
import { callHash, createPairHasher } from '../../src/shm/pair-hash.ts'
import { PAIR_DAYS, PAIRS_PER_DAY_MAX } from '../../src/shm/pair-memory.ts'
import { pairsFromBytes, pairsInSteps } from '../../src/shm/pair-snapshot.ts'
import {
  AHEAD_MINUTES,
  CLOCK_TOLERANCE_MINUTES,
  callMatch,
  createPairs,
  isKnownContact,
  MATCH_NO,
  MATCH_UNKNOWN,
  MATCH_YES,
  matchHash,
  noteCall,
  noteContact,
  openPairs,
  type Pairs,
  rotatePairs,
} from '../../src/shm/pairs.ts'
import { bytesOfSteps } from '../fixtures/bytes-of-steps.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
const NOON_MS = Date.UTC(2026, 10, 27, 12)
const KEY = Uint32Array.of(0x1234abcd, 0xfeedbeef)
const ALICE = 79_160_000_001
const BOB = 79_260_000_002

/** A memory that has run since `sinceMs`, rotated each minute until `nowMs`. */
function pairsSince(sinceMs: number, nowMs: number, capacity = 1_000): Pairs {
  const pairs = openPairs(createPairs(capacity), KEY)
  turn(pairs, sinceMs, nowMs)
  return pairs
}

function turn(pairs: Pairs, fromMs: number, toMs: number): void {
  for (let ms = fromMs; ms <= toMs; ms += MINUTE_MS) rotatePairs(pairs, ms)
}

const subscriber = fc.oneof(
  fc.integer({ min: 79_000_000_000, max: 79_999_999_999 }),
  fc.integer({ min: 1, max: 999_999_999_999_999 }),
)
const pair = fc.tuple(subscriber, subscriber)

describe('the hash of a pair', () => {
  it('is HalfSipHash-2-4 of the smaller and the larger number', () => {
    fc.assert(
      fc.property(pair, fc.tuple(fc.nat(), fc.nat()), ([one, other], [key0, key1]) => {
        const key = Uint32Array.of(key0, -key1)
        const keyed = createKeyedHasher(key)
        keyed.start()
        for (const number of [Math.min(one, other), Math.max(one, other)]) {
          keyed.addWord(number >>> 0)
          keyed.addWord(Math.floor(number / 2 ** 32))
        }
        keyed.finish()
        const [caller, callee] = [Math.min(one, other), Math.max(one, other)]
        const hasher = createPairHasher(key)
        expect(callHash(hasher, caller, callee)).toEqual({ low: keyed.low | 0, high: keyed.high | 0 })
        expect(callHash(hasher, callee, caller).low).toBe((caller === callee ? keyed.low : keyed.high) | 0)
      }),
    )
  })

  it('needs a key of two words', () => {
    expect(() => createPairHasher(Uint32Array.of(1))).toThrow(RangeError)
    expect(() => openPairs(createPairs(1), new Uint32Array(3))).toThrow(RangeError)
  })
})

describe('the memory of pairs', () => {
  it('never denies a call of the last seven days, and says no about strangers', () => {
    const note = fc.record({ pair, minutesAgo: fc.integer({ min: 0, max: 7 * 1_440 - AHEAD_MINUTES - 10 }) })
    fc.assert(
      fc.property(fc.array(note, { maxLength: 60 }), fc.nat({ max: 1_439 }), (notes, minuteOfDay) => {
        const nowMs = NOON_MS + minuteOfDay * MINUTE_MS
        const pairs = openPairs(createPairs(1_000), KEY)
        const sorted = [...notes].sort((a, b) => b.minutesAgo - a.minutesAgo)
        let ms = nowMs - 9 * DAY_MS
        for (const {
          pair: [caller, callee],
          minutesAgo,
        } of sorted) {
          for (; ms <= nowMs - minutesAgo * MINUTE_MS; ms += MINUTE_MS) rotatePairs(pairs, ms)
          noteCall(pairs, caller, callee, nowMs - minutesAgo * MINUTE_MS)
        }
        turn(pairs, ms, nowMs)
        const weekAgoMs = nowMs - 7 * DAY_MS + (AHEAD_MINUTES + 10) * MINUTE_MS
        for (const {
          pair: [caller, callee],
          minutesAgo,
        } of sorted) {
          expect(callMatch(pairs, caller, callee, nowMs - minutesAgo * MINUTE_MS, nowMs)).toBe(MATCH_YES)
          expect(callMatch(pairs, caller, callee, weekAgoMs, nowMs)).toBe(MATCH_YES)
          expect(isKnownContact(pairs, caller, callee, nowMs)).toBe(false)
        }
        expect(callMatch(pairs, ALICE, BOB, weekAgoMs, nowMs)).toBe(MATCH_NO)
      }),
      { numRuns: 30 },
    )
  })

  it('knows a contact from either side, and a call from one', () => {
    fc.assert(
      fc.property(pair, pair, ([one, other], [caller, callee]) => {
        fc.pre(one !== other && caller !== callee && !(one === caller && other === callee))
        const pairs = pairsSince(NOON_MS - HOUR_MS, NOON_MS)
        noteContact(pairs, one, other, NOON_MS)
        expect(isKnownContact(pairs, one, other, NOON_MS)).toBe(true)
        expect(isKnownContact(pairs, other, one, NOON_MS)).toBe(true)
        expect(callMatch(pairs, one, other, NOON_MS - MINUTE_MS, NOON_MS)).toBe(MATCH_NO)
        noteCall(pairs, caller, callee, NOON_MS)
        expect(callMatch(pairs, caller, callee, NOON_MS - MINUTE_MS, NOON_MS)).toBe(MATCH_YES)
        expect(callMatch(pairs, callee, caller, NOON_MS - MINUTE_MS, NOON_MS)).toBe(MATCH_NO)
      }),
    )
  })

  it('forgets a contact of eight days ago, and keeps one of seven', () => {
    const pairs = pairsSince(NOON_MS - HOUR_MS, NOON_MS)
    noteContact(pairs, ALICE, BOB, NOON_MS)
    noteCall(pairs, ALICE, BOB, NOON_MS)
    turn(pairs, NOON_MS, NOON_MS + 7 * DAY_MS)
    expect(isKnownContact(pairs, BOB, ALICE, NOON_MS + 7 * DAY_MS)).toBe(true)
    expect(callMatch(pairs, ALICE, BOB, NOON_MS, NOON_MS + 7 * DAY_MS)).toBe(MATCH_YES)
    turn(pairs, NOON_MS + 7 * DAY_MS, NOON_MS + 8 * DAY_MS)
    expect(isKnownContact(pairs, BOB, ALICE, NOON_MS + 8 * DAY_MS)).toBe(false)
    // What reaches back further than a week is not denied.
    expect(callMatch(pairs, ALICE, BOB, NOON_MS, NOON_MS + 8 * DAY_MS)).toBe(MATCH_UNKNOWN)
    expect(callMatch(pairs, ALICE, BOB, NOON_MS + DAY_MS + 12 * HOUR_MS, NOON_MS + 8 * DAY_MS)).toBe(MATCH_NO)
  })

  it('notes nothing of who is no number, and knows nothing of them', () => {
    const pairs = pairsSince(NOON_MS - HOUR_MS, NOON_MS)
    for (const odd of [0, -1, -3, Number.NaN]) {
      for (const [caller, callee] of [
        [odd, BOB],
        [ALICE, odd],
        [odd, odd],
      ] as const) {
        noteCall(pairs, caller, callee, NOON_MS)
        noteContact(pairs, caller, callee, NOON_MS)
        expect(isKnownContact(pairs, caller, callee, NOON_MS)).toBe(false)
        expect(callMatch(pairs, caller, callee, NOON_MS - MINUTE_MS, NOON_MS)).toBe(MATCH_UNKNOWN)
      }
    }
    expect([...pairs.calls.words, ...pairs.contacts.words].every((word) => word === 0)).toBe(true)
    expect(callMatch(pairs, ALICE, BOB, Number.NaN, NOON_MS)).toBe(MATCH_UNKNOWN)
    expect(callMatch(pairs, ALICE, BOB, NOON_MS, Number.NaN)).toBe(MATCH_UNKNOWN)
  })

  it('is wrong about at most one stranger in 500 with all eight days full', () => {
    const capacity = 20_000
    const pairs = openPairs(createPairs(capacity), KEY)
    const todayMs = NOON_MS
    for (let day = PAIR_DAYS - 1; day >= 0; day--) {
      const nowMs = todayMs - day * DAY_MS
      rotatePairs(pairs, nowMs)
      for (let i = 0; i < capacity; i++) {
        noteCall(pairs, 79_000_000_000 + i * 7, 79_500_000_000 + day * 1_000_003 + i * 13, nowMs)
        if (i < capacity / 2)
          noteContact(pairs, 79_000_000_000 + i * 7, 79_500_000_000 + day * 1_000_003 + i * 13, nowMs)
      }
    }
    const strangers = 100_000
    const count = (isWrong: (i: number) => boolean) =>
      Array.from({ length: strangers }, (_, i) => i).filter(isWrong).length / strangers
    const wrongContacts = count((i) => isKnownContact(pairs, 79_100_000_000 + i, 79_700_000_000 + i * 3, todayMs))
    const wrongCalls = count(
      (i) => callMatch(pairs, 79_100_000_000 + i, 79_700_000_000 + i * 3, todayMs - 7 * DAY_MS, todayMs) === MATCH_YES,
    )
    for (const share of [wrongContacts, wrongCalls]) {
      expect(share).toBeLessThanOrEqual(0.002)
      expect(share).toBeGreaterThan(0.0005)
    }
  })
})

describe('a day that is full', () => {
  it('takes no pair beyond its capacity, and denies nobody from then on', () => {
    const pairs = pairsSince(NOON_MS - HOUR_MS, NOON_MS, 100)
    const match = (callee: number) => callMatch(pairs, ALICE, callee, NOON_MS - MINUTE_MS, NOON_MS)
    for (let i = 0; i < 100; i++) noteCall(pairs, ALICE, BOB + i, NOON_MS)
    expect(match(BOB + 99)).toBe(MATCH_YES)
    expect(match(BOB + 1_000)).toBe(MATCH_NO)
    // Known already: takes no room.
    noteCall(pairs, ALICE, BOB, NOON_MS)
    expect(match(BOB + 1_000)).toBe(MATCH_NO)
    noteCall(pairs, ALICE, BOB + 100, NOON_MS)
    expect(match(BOB + 100)).toBe(MATCH_UNKNOWN)
    expect(match(BOB + 1_000)).toBe(MATCH_UNKNOWN)
    expect(match(BOB + 99)).toBe(MATCH_YES)
    // A new day has room again; the full one is still not asked in vain.
    const tomorrowMs = NOON_MS + DAY_MS
    turn(pairs, NOON_MS, tomorrowMs)
    noteCall(pairs, ALICE, BOB + 200, tomorrowMs)
    expect(callMatch(pairs, ALICE, BOB + 200, tomorrowMs, tomorrowMs)).toBe(MATCH_YES)
    expect(callMatch(pairs, ALICE, BOB + 300, tomorrowMs - HOUR_MS, tomorrowMs)).toBe(MATCH_NO)
    expect(callMatch(pairs, ALICE, BOB + 300, NOON_MS, tomorrowMs)).toBe(MATCH_UNKNOWN)
  })

  it('knows half as many contacts, and not the one beyond', () => {
    const pairs = pairsSince(NOON_MS - HOUR_MS, NOON_MS, 100)
    for (let i = 0; i <= 50; i++) noteContact(pairs, ALICE, BOB + i, NOON_MS)
    expect(isKnownContact(pairs, ALICE, BOB + 49, NOON_MS)).toBe(true)
    expect(isKnownContact(pairs, ALICE, BOB + 50, NOON_MS)).toBe(false)
    // Calls have room of their own.
    expect(callMatch(pairs, ALICE, BOB, NOON_MS - MINUTE_MS, NOON_MS)).toBe(MATCH_NO)
  })

  it('is every day of a memory for no pairs', () => {
    const pairs = pairsSince(NOON_MS - HOUR_MS, NOON_MS, 0)
    noteCall(pairs, ALICE, BOB, NOON_MS)
    noteContact(pairs, ALICE, BOB, NOON_MS)
    expect(callMatch(pairs, ALICE, BOB, NOON_MS, NOON_MS)).toBe(MATCH_UNKNOWN)
    expect(isKnownContact(pairs, ALICE, BOB, NOON_MS)).toBe(false)
  })

  it('cannot be made larger than its bound', () => {
    expect(() => createPairs(PAIRS_PER_DAY_MAX + 1)).toThrow(RangeError)
    expect(() => createPairs(-1)).toThrow(RangeError)
    expect(() => createPairs(0.5)).toThrow(RangeError)
  })
})

describe('what the memory covers', () => {
  it('begins with the minute after the first rotation', () => {
    const sinceMs = NOON_MS + 30_000
    const pairs = openPairs(createPairs(10), KEY)
    expect(callMatch(pairs, ALICE, BOB, NOON_MS, NOON_MS)).toBe(MATCH_UNKNOWN)
    turn(pairs, sinceMs, NOON_MS + HOUR_MS)
    const toleranceMs = CLOCK_TOLERANCE_MINUTES * MINUTE_MS
    const match = (askedMs: number) => callMatch(pairs, ALICE, BOB, askedMs, NOON_MS + HOUR_MS)
    expect(match(NOON_MS + MINUTE_MS + toleranceMs - 1)).toBe(MATCH_UNKNOWN)
    expect(match(NOON_MS + MINUTE_MS + toleranceMs)).toBe(MATCH_NO)
    // A period that has not begun yet is of another clock.
    expect(match(NOON_MS + HOUR_MS + toleranceMs)).toBe(MATCH_NO)
    expect(match(NOON_MS + HOUR_MS + toleranceMs + MINUTE_MS)).toBe(MATCH_UNKNOWN)
  })

  it('goes on over midnight, and gives up the oldest day minutes before', () => {
    const midnightMs = Date.UTC(2026, 10, 28)
    const pairs = pairsSince(midnightMs - 8 * DAY_MS, midnightMs - (AHEAD_MINUTES + 1) * MINUTE_MS)
    const beforeMs = midnightMs - (AHEAD_MINUTES + 1) * MINUTE_MS
    expect(callMatch(pairs, ALICE, BOB, beforeMs - 7 * DAY_MS, beforeMs)).toBe(MATCH_NO)
    rotatePairs(pairs, beforeMs + MINUTE_MS)
    expect(callMatch(pairs, ALICE, BOB, beforeMs - 7 * DAY_MS, beforeMs + MINUTE_MS)).toBe(MATCH_UNKNOWN)
    expect(callMatch(pairs, ALICE, BOB, midnightMs - 7 * DAY_MS + 5 * MINUTE_MS, beforeMs + MINUTE_MS)).toBe(MATCH_NO)
    // A thread that is past midnight already finds its filter; a question before midnight sees what it noted.
    turn(pairs, beforeMs + MINUTE_MS, midnightMs - MINUTE_MS)
    noteCall(pairs, ALICE, BOB, midnightMs + 1)
    expect(callMatch(pairs, ALICE, BOB, midnightMs - MINUTE_MS, midnightMs - 1)).toBe(MATCH_YES)
    expect(callMatch(pairs, BOB, ALICE, midnightMs - HOUR_MS, midnightMs)).toBe(MATCH_NO)
  })

  it('ends where a rotation came late or a note found no filter', () => {
    const lateMs = NOON_MS + (CLOCK_TOLERANCE_MINUTES + 1) * MINUTE_MS
    const pairs = pairsSince(NOON_MS - 2 * HOUR_MS, NOON_MS)
    const match = (nowMs: number) => callMatch(pairs, BOB, ALICE, nowMs - HOUR_MS, nowMs)
    expect(match(lateMs - MINUTE_MS)).toBe(MATCH_NO)
    // The rotation stands still: nothing is denied, and a note is missed without a fault.
    expect(match(lateMs)).toBe(MATCH_UNKNOWN)
    noteCall(pairs, ALICE, BOB, lateMs)
    noteContact(pairs, ALICE, BOB, lateMs)
    turn(pairs, lateMs, lateMs + HOUR_MS)
    expect(match(lateMs + HOUR_MS)).toBe(MATCH_UNKNOWN)
    turn(pairs, lateMs + HOUR_MS, lateMs + 2 * HOUR_MS)
    expect(match(lateMs + 2 * HOUR_MS)).toBe(MATCH_NO)
    // The clock was a day ahead for a moment between two turns, and a note was lost to it.
    const nowMs = lateMs + 2 * HOUR_MS
    noteCall(pairs, ALICE, BOB, nowMs + DAY_MS)
    expect(match(nowMs)).toBe(MATCH_UNKNOWN)
    turn(pairs, nowMs, nowMs + HOUR_MS)
    expect(match(nowMs + HOUR_MS)).toBe(MATCH_UNKNOWN)
  })

  it.each([-25, -3, 3, 25])('begins anew when the clock jumps by %i hours', (hours) => {
    const pairs = pairsSince(NOON_MS - 3 * DAY_MS, NOON_MS)
    const jumpedMs = NOON_MS + hours * HOUR_MS
    const match = (sinceMs: number, nowMs: number) => callMatch(pairs, ALICE, BOB, sinceMs, nowMs)
    expect(match(NOON_MS - 2 * DAY_MS, NOON_MS)).toBe(MATCH_NO)
    // Nobody has noticed it yet: a note is missed, a question not denied.
    expect(match(jumpedMs - HOUR_MS, jumpedMs)).toBe(MATCH_UNKNOWN)
    noteCall(pairs, BOB, ALICE, jumpedMs)
    turn(pairs, jumpedMs, jumpedMs + HOUR_MS)
    expect(match(jumpedMs - MINUTE_MS, jumpedMs + HOUR_MS)).toBe(MATCH_UNKNOWN)
    expect(match(jumpedMs + 10 * MINUTE_MS, jumpedMs + HOUR_MS)).toBe(MATCH_NO)
    expect(callMatch(pairs, BOB, ALICE, jumpedMs - MINUTE_MS, jumpedMs + HOUR_MS)).toBe(MATCH_UNKNOWN)
    noteCall(pairs, ALICE, BOB, jumpedMs + HOUR_MS)
    expect(match(jumpedMs + HOUR_MS, jumpedMs + HOUR_MS)).toBe(MATCH_YES)
    // Set right again: the same once more, and what was noted before the first jump is still there.
    noteContact(pairs, ALICE, BOB, jumpedMs + HOUR_MS)
    turn(pairs, NOON_MS + 2 * HOUR_MS, NOON_MS + 3 * HOUR_MS)
    expect(callMatch(pairs, BOB, ALICE, NOON_MS + HOUR_MS, NOON_MS + 3 * HOUR_MS)).toBe(MATCH_UNKNOWN)
  })

  it('notes nothing while the clock is not the one of the rotation', () => {
    const pairs = pairsSince(NOON_MS - 3 * DAY_MS, NOON_MS)
    // A day behind for a moment, between two turns: yesterday's filter is there, but it is not the day of this call.
    noteCall(pairs, ALICE, BOB, NOON_MS - DAY_MS)
    expect(callMatch(pairs, ALICE, BOB, NOON_MS - 2 * DAY_MS, NOON_MS)).toBe(MATCH_UNKNOWN)
    turn(pairs, NOON_MS, NOON_MS + HOUR_MS)
    expect(callMatch(pairs, ALICE, BOB, NOON_MS - MINUTE_MS, NOON_MS + HOUR_MS)).toBe(MATCH_UNKNOWN)
    const toleranceMs = CLOCK_TOLERANCE_MINUTES * MINUTE_MS
    const nowMs = NOON_MS + HOUR_MS
    noteContact(pairs, ALICE, BOB, nowMs - toleranceMs - MINUTE_MS)
    noteContact(pairs, ALICE, BOB, nowMs + toleranceMs + MINUTE_MS)
    expect(isKnownContact(pairs, ALICE, BOB, nowMs)).toBe(false)
    noteContact(pairs, ALICE, BOB, nowMs - toleranceMs)
    expect(isKnownContact(pairs, ALICE, BOB, nowMs)).toBe(true)
  })

  const step = fc.oneof(
    { weight: 3, arbitrary: fc.record({ do: fc.constant('note' as const), who: fc.nat({ max: 2 }) }) },
    {
      weight: 3,
      arbitrary: fc.record({ do: fc.constant('pass' as const), minutes: fc.integer({ min: 1, max: 900 }) }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constant('ask' as const),
        minutes: fc.oneof(fc.nat({ max: 300 }), fc.nat({ max: 10_000 })),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant('jump' as const),
        minutes: fc.oneof(fc.integer({ min: -20_000, max: 20_000 }), fc.integer({ min: -1_500, max: 1_500 })),
      }),
    },
    // Small ones nobody notices, so that two of them may still add up within the tolerance.
    { weight: 1, arbitrary: fc.record({ do: fc.constant('step' as const), minutes: fc.constantFrom(-2, 2) }) },
  )

  it('never denies a call that happened in the period, whatever the clock does', () => {
    let denials = 0
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), fc.nat({ max: 1_439 }), (steps, minuteOfDay) => {
        const pairs = openPairs(createPairs(100), KEY)
        const startMinute = Math.floor(NOON_MS / MINUTE_MS) + minuteOfDay
        let passed = 0
        let offset = 0
        let smallSteps = 0
        const noted: (number | undefined)[] = [undefined, undefined, undefined]
        const nowMs = () => (startMinute + passed + offset) * MINUTE_MS
        rotatePairs(pairs, nowMs())
        for (const { do: what, ...rest } of steps) {
          const minutes = 'minutes' in rest ? rest.minutes : 0
          if (what === 'note' && 'who' in rest) {
            noteCall(pairs, ALICE + rest.who, BOB, nowMs())
            noted[rest.who] = passed
          } else if (what === 'jump') offset += minutes
          else if (what === 'step' && smallSteps++ < 2) offset += minutes
          else if (what === 'pass') {
            for (let i = 0; i < minutes; i++) {
              passed++
              rotatePairs(pairs, nowMs())
            }
          } else if (what === 'ask') {
            for (const [who, at] of noted.entries()) {
              const answer = callMatch(pairs, ALICE + who, BOB, nowMs() - minutes * MINUTE_MS, nowMs())
              if (answer === MATCH_NO) denials++
              if (at !== undefined && passed - at <= minutes) expect(answer).not.toBe(MATCH_NO)
            }
          }
        }
      }),
      { numRuns: 1_000 },
    )
    expect(denials).toBeGreaterThan(50)
  })

  it('is nothing while the clock stands before 1970-01-02', () => {
    const pairs = openPairs(createPairs(10), KEY)
    for (const nowMs of [-5, 0, HOUR_MS, Number.NaN]) {
      rotatePairs(pairs, nowMs)
      noteCall(pairs, ALICE, BOB, nowMs)
      expect(callMatch(pairs, ALICE, BOB, nowMs, nowMs)).toBe(MATCH_UNKNOWN)
      expect(isKnownContact(pairs, ALICE, BOB, nowMs)).toBe(false)
    }
  })
})

describe('a key', () => {
  it('is what a pair is found with, here or in another process', () => {
    const pairs = pairsSince(NOON_MS - HOUR_MS, NOON_MS)
    noteCall(pairs, ALICE, BOB, NOON_MS)
    noteContact(pairs, ALICE, BOB, NOON_MS)
    const stranger = openPairs(pairs.memory, Uint32Array.of(1, 2))
    expect(isKnownContact(stranger, ALICE, BOB, NOON_MS)).toBe(false)
    expect(callMatch(stranger, ALICE, BOB, NOON_MS, NOON_MS)).toBe(MATCH_NO)
    const { low, high } = callHash(createPairHasher(KEY), ALICE, BOB)
    expect(matchHash(pairs, low, high, NOON_MS, NOON_MS)).toBe(MATCH_YES)
    expect(matchHash(pairs, high, low, NOON_MS, NOON_MS)).toBe(MATCH_NO)
  })
})

describe('a day of pairs as bytes', () => {
  const noted = (pairs: Pairs) => {
    noteCall(pairs, ALICE, BOB, NOON_MS)
    noteContact(pairs, ALICE, BOB, NOON_MS)
    return pairs
  }
  const slot = Math.floor(NOON_MS / DAY_MS) % PAIR_DAYS
  const bytesOf = (pairs: Pairs) => bytesOfSteps(pairsInSteps(pairs, slot)) ?? new Uint8Array(0)
  const refused = expect.objectContaining({ code: 'SNAPSHOT_FORMAT' })

  it('comes back with its pairs and its counts, complete from now on only', () => {
    const bytes = bytesOf(noted(pairsSince(NOON_MS - HOUR_MS, NOON_MS, 1)))
    const shifted = new Uint8Array(bytes.length + 3)
    shifted.set(bytes, 3)
    const back = openPairs(createPairs(1), KEY)
    expect(pairsFromBytes(back, shifted.subarray(3), NOON_MS + HOUR_MS)).toBe(true)
    turn(back, NOON_MS + HOUR_MS, NOON_MS + 2 * HOUR_MS)
    const nowMs = NOON_MS + 2 * HOUR_MS
    expect(isKnownContact(back, BOB, ALICE, nowMs)).toBe(true)
    expect(callMatch(back, ALICE, BOB, NOON_MS, nowMs)).toBe(MATCH_YES)
    expect(callMatch(back, BOB, ALICE, NOON_MS, nowMs)).toBe(MATCH_UNKNOWN)
    expect(callMatch(back, BOB, ALICE, nowMs - 10 * MINUTE_MS, nowMs)).toBe(MATCH_NO)
    // It held one pair, its capacity, when it was written.
    noteCall(back, BOB, ALICE, nowMs)
    expect(callMatch(back, BOB, ALICE, nowMs - 10 * MINUTE_MS, nowMs)).toBe(MATCH_UNKNOWN)
  })

  it('comes back from many chunks, each of them checked', () => {
    // 3 MB of calls, 1.5 MB of contacts: chunks of at most 32 KiB.
    const capacity = 1_100_000
    const pairs = pairsSince(NOON_MS - HOUR_MS, NOON_MS, capacity)
    const callee = (i: number) => BOB + i * 3
    for (let i = 0; i < 5_000; i++) noteCall(pairs, ALICE, callee(i), NOON_MS)
    for (let i = 0; i < 5_000; i++) noteContact(pairs, ALICE, callee(i), NOON_MS)
    const bytes = bytesOf(pairs)
    const chunks = Array.from(pairsInSteps(pairs, slot), ({ byteLength }) => byteLength)
    expect(Math.max(...chunks)).toBe(2 ** 15)
    expect(chunks.reduce((sum, one) => sum + one, 64)).toBe(bytes.length)
    const back = openPairs(createPairs(capacity), KEY)
    expect(pairsFromBytes(back, bytes, NOON_MS)).toBe(true)
    rotatePairs(back, NOON_MS)
    for (let i = 0; i < 5_000; i++) {
      expect(callMatch(back, ALICE, callee(i), NOON_MS, NOON_MS)).toBe(MATCH_YES)
      expect(isKnownContact(back, ALICE, callee(i), NOON_MS)).toBe(true)
    }
    for (let at = 100; at < bytes.length; at += 2 ** 20) {
      const corrupted = bytes.slice()
      corrupted[at] = (corrupted[at] ?? 0) ^ 1
      expect(() => pairsFromBytes(back, corrupted, NOON_MS), `byte ${at}`).toThrowError(/checksum/)
    }
  })

  it('is nobody’s when the slot got another day while it was copied', () => {
    const pairs = noted(pairsSince(NOON_MS - HOUR_MS, NOON_MS))
    const steps = pairsInSteps(pairs, slot)
    let step = steps.next()
    rotatePairs(pairs, NOON_MS + 8 * DAY_MS)
    while (!step.done) step = steps.next()
    expect(step.value).toBeUndefined()
  })

  it('is left out when it is over by more than a week, or yet to come', () => {
    const bytes = bytesOf(noted(pairsSince(NOON_MS - HOUR_MS, NOON_MS)))
    const back = () => openPairs(createPairs(1_000), KEY)
    expect(pairsFromBytes(back(), bytes, NOON_MS + 7 * DAY_MS)).toBe(true)
    expect(pairsFromBytes(back(), bytes, NOON_MS + 8 * DAY_MS)).toBe(false)
    expect(pairsFromBytes(back(), bytes, NOON_MS - DAY_MS)).toBe(false)
    const empty = back()
    pairsFromBytes(empty, bytes, NOON_MS + 8 * DAY_MS)
    expect(bytesOfSteps(pairsInSteps(empty, slot))).toBeUndefined()
  })

  it('is refused with any single bit turned', () => {
    const bytes = bytesOf(noted(pairsSince(NOON_MS - HOUR_MS, NOON_MS, 2)))
    const back = openPairs(createPairs(2), KEY)
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const corrupted = bytes.slice()
      corrupted[bit >>> 3] = (corrupted[bit >>> 3] ?? 0) ^ (1 << (bit & 7))
      expect(() => pairsFromBytes(back, corrupted, NOON_MS), `bit ${bit}`).toThrowError(refused)
    }
  })

  it('is refused cut short, too long, of another size, of another key, of a newer version', () => {
    const bytes = bytesOf(noted(pairsSince(NOON_MS - HOUR_MS, NOON_MS)))
    const back = openPairs(createPairs(1_000), KEY)
    for (const length of [0, 3, 63, 64, bytes.length - 4, bytes.length - 1]) {
      expect(() => pairsFromBytes(back, bytes.subarray(0, length), NOON_MS)).toThrowError(refused)
    }
    expect(() => pairsFromBytes(back, new Uint8Array([...bytes, 0]), NOON_MS)).toThrowError(refused)
    const larger = openPairs(createPairs(1_001), KEY)
    expect(() => pairsFromBytes(larger, bytes, NOON_MS)).toThrowError(/made for 1000 pairs a day, expected 1001/)
    const other = openPairs(createPairs(1_000), Uint32Array.of(5, 6))
    expect(() => pairsFromBytes(other, bytes, NOON_MS)).toThrowError(/another key/)
    const newer = bytes.slice()
    newer[4] = 3
    expect(() => pairsFromBytes(back, newer, NOON_MS)).toThrowError(/Got a v3 day of pairs, expected v2/)
    expect(isKnownContact(back, ALICE, BOB, NOON_MS)).toBe(false)
  })
})
