import { describe, expect, it } from 'vitest'
import {
  COUNTER_NAMES,
  COUNTER_THREADS_MAX,
  count,
  countDecisionTime,
  counterIndex,
  createCounters,
  DECISION_TIME_BUCKETS,
  DECISION_TIME_COUNTERS,
  openCounters,
  REASON_COUNTERS,
  sumCounters,
  VERDICT_COUNTERS,
} from '../../../src/shm/counters.ts'

describe('counters', () => {
  it('add up over threads', () => {
    const memory = createCounters(3)
    const hits = counterIndex('gate.hits')
    for (let thread = 0; thread < 3; thread++) count(openCounters(memory, thread), hits, thread + 1)
    count(openCounters(memory, 0), counterIndex('gate.misses'))
    const sums = sumCounters(memory)
    expect(sums[hits]).toBe(6)
    expect(sums[counterIndex('gate.misses')]).toBe(1)
    expect(sums.reduce((a, b) => a + b)).toBe(7)
  })

  it('stay exact beyond 2^32', () => {
    const memory = createCounters(1)
    const counters = openCounters(memory, 0)
    count(counters, 0, 2 ** 40)
    count(counters, 0)
    expect(sumCounters(memory)[0]).toBe(2 ** 40 + 1)
  })

  it('have one name each, verdicts and reasons in code order', () => {
    expect(new Set(COUNTER_NAMES).size).toBe(COUNTER_NAMES.length)
    expect(VERDICT_COUNTERS + 2).toBe(counterIndex('verdicts.block'))
    expect(REASON_COUNTERS).toBe(counterIndex('reasons.no-evidence'))
    expect(COUNTER_NAMES[DECISION_TIME_COUNTERS]).toBe('decision-time.0')
  })

  it('put a decision time into the bucket of its power of two', () => {
    const memory = createCounters(1)
    const counters = openCounters(memory, 0)
    const times = [0, 0.5, 1, 2, 3, 4, 1_000, 2 ** 31, 2 ** 32, 2 ** 40]
    for (const time of times) countDecisionTime(counters, time)
    const sums = sumCounters(memory)
    const buckets = [...sums.subarray(DECISION_TIME_COUNTERS, DECISION_TIME_COUNTERS + DECISION_TIME_BUCKETS)]
    expect(buckets.reduce((a, b) => a + b)).toBe(times.length)
    expect([buckets[0], buckets[1], buckets[2], buckets[9], buckets[31]]).toEqual([3, 2, 1, 1, 3])
    expect(sums[counterIndex('decision-time.sum-ns')]).toBe(times.reduce((a, b) => a + b))
  })

  it('refuse a row that is not there', () => {
    const memory = createCounters(2)
    expect(() => openCounters(memory, 2)).toThrowError(/has 2 rows/)
    expect(() => openCounters(memory, -1)).toThrowError(/rows/)
    expect(() => createCounters(COUNTER_THREADS_MAX + 1)).toThrow(RangeError)
  })
})
