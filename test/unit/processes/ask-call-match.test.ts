import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { PhoneNumber } from '../../../src/domain/phone-number.ts'
import type { CallMatch } from '../../../src/domain/report.ts'
import {
  CALL_MATCH_WAIT_MS,
  type CallMatchesOptions,
  createCallMatches,
} from '../../../src/processes/ask-call-match.ts'
import type { CallMatchRequestMessage } from '../../../src/processes/messages.ts'
import { callHash, createPairHasher } from '../../../src/shm/pair-hash.ts'

const CALLER = 79_160_000_002 as PhoneNumber
const REPORTER = 79_031_112_233
const NOW = Date.UTC(2026, 10, 27, 12)
const HOUR_MS = 3_600_000
const KEY = Uint32Array.of(1, 2)

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

function matches(options: Partial<CallMatchesOptions> = {}) {
  const asked: CallMatchRequestMessage[] = []
  const all = createCallMatches(
    { key: KEY, processes: 2, seesAllCalls: true, ...options },
    { ask: (message) => asked.push(message), now: () => NOW },
  )
  all.onPeers(['verdict-1', 'verdict-2'])
  const answer = (label: string, match: CallMatch, id = asked.at(-1)?.id ?? 0) =>
    all.onAnswer({ type: 'call-match', id, label, match })
  return { all, asked, answer }
}

describe('a reporter and the number reported', () => {
  it('are asked about by their keyed hash, and by no number', async () => {
    const { all, asked, answer } = matches()
    const done = all.match(CALLER, REPORTER, NOW - HOUR_MS)
    const { low, high } = callHash(createPairHasher(KEY), CALLER, REPORTER)
    expect(asked).toEqual([{ type: 'call-match-request', id: 1, low, high, sinceMs: NOW - 25 * HOUR_MS }])
    answer('verdict-2', 'yes')
    expect(await done).toBe('yes')
  })

  it('are asked about for all seven days when the report came without a time', async () => {
    const { all, asked } = matches()
    void all.match(CALLER, REPORTER, NOW)
    void all.match(CALLER, REPORTER, NOW - 59_999)
    void all.match(CALLER, REPORTER, NOW - 60_000)
    expect(asked.map(({ sinceMs }) => (NOW - sinceMs) / HOUR_MS)).toEqual([7 * 24, 7 * 24, 24 + 1 / 60])
  })

  const joint: [CallMatch, CallMatch, CallMatch][] = [
    ['no', 'no', 'no'],
    ['no', 'yes', 'yes'],
    ['yes', 'unknown', 'yes'],
    ['unknown', 'yes', 'yes'],
    ['no', 'unknown', 'unknown'],
    ['unknown', 'no', 'unknown'],
  ]
  it.each(joint)('match by the answers %s and %s: %s', async (first, second, expected) => {
    const { all, answer } = matches()
    const done = all.match(CALLER, REPORTER, NOW)
    answer('verdict-1', first)
    answer('verdict-2', second)
    expect(await done).toBe(expected)
  })

  it('are not denied by the same process twice, nor while one is down, nor when calls come in elsewhere', async () => {
    const twice = matches()
    const done = twice.all.match(CALLER, REPORTER, NOW)
    twice.answer('verdict-1', 'no')
    twice.answer('verdict-1', 'no')
    await vi.advanceTimersByTimeAsync(CALL_MATCH_WAIT_MS)
    expect(await done).toBe('unknown')

    const down = matches()
    down.all.onPeers(['verdict-1'])
    const alone = down.all.match(CALLER, REPORTER, NOW)
    down.answer('verdict-1', 'no')
    expect(await alone).toBe('unknown')

    const elsewhere = matches({ seesAllCalls: false })
    const shared = elsewhere.all.match(CALLER, REPORTER, NOW)
    elsewhere.answer('verdict-1', 'no')
    elsewhere.answer('verdict-2', 'no')
    expect(await shared).toBe('unknown')
  })

  it('are unknown after 20 ms, and a late answer is nobody’s', async () => {
    const { all, answer } = matches()
    let match: CallMatch | undefined
    const done = all.match(CALLER, REPORTER, NOW).then((answered) => {
      match = answered
    })
    answer('verdict-1', 'no')
    await vi.advanceTimersByTimeAsync(CALL_MATCH_WAIT_MS - 1)
    expect(match).toBeUndefined()
    await vi.advanceTimersByTimeAsync(1)
    await done
    expect(match).toBe('unknown')
    answer('verdict-2', 'yes')
    // The next question is not answered by it.
    const next = all.match(CALLER, REPORTER, NOW)
    answer('verdict-1', 'no', 1)
    answer('verdict-2', 'no', 1)
    await vi.advanceTimersByTimeAsync(CALL_MATCH_WAIT_MS)
    expect(await next).toBe('unknown')
  })

  it('are not asked about when the reporter is no subscriber or nobody takes calls', async () => {
    const { all, asked } = matches()
    for (const reporter of [-1, -5, 0, 1_611]) expect(await all.match(CALLER, reporter, NOW)).toBe('unknown')
    all.onPeers([])
    expect(await all.match(CALLER, REPORTER, NOW)).toBe('unknown')
    expect(asked).toEqual([])
  })
})
