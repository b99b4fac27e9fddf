import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createKeptPairs } from '../../../src/processes/keep-pairs.ts'
import { callHash } from '../../../src/shm/pair-hash.ts'
import { isKnownContact, noteCall, noteContact, openPairs } from '../../../src/shm/pairs.ts'
import { bytesOfSteps } from '../../fixtures/bytes-of-steps.ts'

const NOON_MS = Date.UTC(2026, 10, 27, 12)
const HOUR_MS = 3_600_000
const KEY = Uint32Array.of(1, 2)
const ALICE = 79_160_000_001
const BOB = 79_260_000_002

beforeEach(() => {
  vi.useFakeTimers({ now: NOON_MS })
})
afterEach(() => {
  vi.useRealTimers()
})

function kept(pairsPerDay = 1_024) {
  const fulls: unknown[] = []
  const pairs = createKeptPairs({ pairsPerDay, key: KEY }, { now: Date.now, onFull: (today) => fulls.push(today) })
  const thread = openPairs(pairs.memory, pairs.key)
  const match = (caller: number, callee: number, sinceMs: number) => {
    const { low, high } = callHash(thread.hasher, caller, callee)
    return pairs.match(low, high, sinceMs)
  }
  return { pairs, thread, match, fulls }
}

describe('the memory of pairs of a verdict process', () => {
  it('is rotated each minute, over midnight too, until it is stopped', async () => {
    const { pairs, thread, match } = kept()
    pairs.start()
    await vi.advanceTimersByTimeAsync(13 * HOUR_MS)
    expect(match(ALICE, BOB, Date.now() - HOUR_MS)).toBe('no')
    noteCall(thread, ALICE, BOB, Date.now())
    expect(match(ALICE, BOB, Date.now() - HOUR_MS)).toBe('yes')
    expect(match(BOB, ALICE, NOON_MS - HOUR_MS)).toBe('unknown')
    pairs.stop()
    await vi.advanceTimersByTimeAsync(HOUR_MS)
    expect(match(BOB, ALICE, Date.now() - HOUR_MS)).toBe('unknown')
  })

  it('says once a day that it is full', async () => {
    const { pairs, thread, fulls } = kept(2)
    pairs.start()
    for (let i = 0; i < 2; i++) noteCall(thread, ALICE, BOB + i, Date.now())
    await vi.advanceTimersByTimeAsync(HOUR_MS)
    expect(fulls).toEqual([])
    noteCall(thread, ALICE, BOB + 2, Date.now())
    await vi.advanceTimersByTimeAsync(HOUR_MS)
    expect(fulls).toEqual([{ calls: 2, contacts: 0 }])
    await vi.advanceTimersByTimeAsync(24 * HOUR_MS)
    for (let i = 0; i < 2; i++) noteContact(thread, ALICE, BOB + i, Date.now())
    await vi.advanceTimersByTimeAsync(60_000)
    expect(fulls).toEqual([
      { calls: 2, contacts: 0 },
      { calls: 0, contacts: 1 },
    ])
    pairs.stop()
  })

  it('goes from one process to the next by its parts, of which only today’s changes', async () => {
    const before = kept()
    before.pairs.start()
    noteContact(before.thread, ALICE, BOB, Date.now())
    noteCall(before.thread, ALICE, BOB, Date.now())
    await vi.advanceTimersByTimeAsync(24 * HOUR_MS)
    const marks = () => before.pairs.parts.map((part) => part.mark?.())
    const marksBefore = marks()
    noteCall(before.thread, ALICE, BOB + 1, Date.now())
    expect(marks().filter((mark, slot) => mark !== marksBefore[slot])).toHaveLength(1)
    before.pairs.stop()

    const after = kept()
    vi.useRealTimers()
    vi.setSystemTime(NOON_MS + 24 * HOUR_MS)
    const restored: string[] = []
    for (const [slot, part] of before.pairs.parts.entries()) {
      const bytes = bytesOfSteps(part.steps())
      if (bytes !== undefined && after.pairs.parts[slot]?.fromBytes(bytes)) restored.push(part.name)
    }
    expect(restored).toHaveLength(2)
    after.pairs.start()
    expect(isKnownContact(after.thread, BOB, ALICE, Date.now())).toBe(true)
    expect(after.match(ALICE, BOB + 1, Date.now())).toBe('yes')
    expect(after.match(BOB, ALICE, Date.now())).toBe('unknown')
    after.pairs.stop()
  })
})
