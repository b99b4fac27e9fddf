import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { runSteps } from '../../src/domain/run-steps.ts'
import { countCall, createTraffic, HOUR_MS, openTraffic, readTrafficHour } from '../../src/shm/traffic.ts'

const FIRST_HOUR = 490_000

function read(memory: SharedArrayBuffer, hour: number) {
  const callers = new Map<number, number>()
  const totals = runSteps(
    readTrafficHour(memory, hour, (caller, count) => {
      expect(callers.has(caller)).toBe(false)
      callers.set(caller, count)
    }),
  )
  return { ...totals, callers }
}

describe('the traffic table', () => {
  it('counts like a Map per hour for the hour that runs and the one before', () => {
    const call = fc.record({
      caller: fc.oneof(fc.integer({ min: -5, max: 40 }), fc.integer({ min: 2 ** 40, max: 2 ** 40 + 9 })),
      advance: fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, fc.integer({ min: 0, max: 2 * HOUR_MS })),
    })
    fc.assert(
      fc.property(fc.array(call, { maxLength: 300 }), (calls) => {
        const memory = createTraffic(128)
        const traffic = openTraffic(memory)
        const model = new Map<number, { calls: number; callers: Map<number, number> }>()
        let nowMs = FIRST_HOUR * HOUR_MS
        for (const { caller, advance } of calls) {
          nowMs += advance
          countCall(traffic, caller, nowMs)
          const hour = Math.floor(nowMs / HOUR_MS)
          const counted = model.get(hour) ?? { calls: 0, callers: new Map<number, number>() }
          counted.calls++
          if (caller > 0) counted.callers.set(caller, (counted.callers.get(caller) ?? 0) + 1)
          model.set(hour, counted)
        }
        const hour = Math.floor(nowMs / HOUR_MS)
        for (const wanted of [hour, hour - 1]) {
          const { calls: expected, callers } = model.get(wanted) ?? { calls: 0, callers: new Map() }
          expect(read(memory, wanted)).toEqual({ calls: expected, complete: true, callers })
        }
      }),
    )
  })

  it('counts calls but no new callers beyond three quarters of its size, and says so', () => {
    const memory = createTraffic(8)
    const traffic = openTraffic(memory)
    const nowMs = FIRST_HOUR * HOUR_MS
    for (let caller = 1; caller <= 6; caller++) countCall(traffic, caller, nowMs)
    expect(read(memory, FIRST_HOUR)).toMatchObject({ calls: 6, complete: true })
    countCall(traffic, 7, nowMs)
    countCall(traffic, 6, nowMs)
    const full = read(memory, FIRST_HOUR)
    expect(full).toMatchObject({ calls: 8, complete: false })
    expect(full.callers.size).toBe(6)
    expect(full.callers.get(6)).toBe(2)
    // The next hour of the same table begins whole again.
    countCall(traffic, 7, nowMs + 2 * HOUR_MS)
    expect(read(memory, FIRST_HOUR + 2)).toEqual({ calls: 1, complete: true, callers: new Map([[7, 1]]) })
    expect(read(memory, FIRST_HOUR)).toMatchObject({ calls: 0 })
  })

  it.each([-HOUR_MS, 0, HOUR_MS - 1])('ends, and says that callers are missing, with a clock at %d', (nowMs) => {
    const memory = createTraffic(4)
    const traffic = openTraffic(memory)
    // A call that looks for its place for ever would be a call without an answer.
    for (const caller of [1, 2, 3, -1]) countCall(traffic, caller, nowMs)
    expect(read(memory, 0)).toEqual({ calls: 0, complete: false, callers: new Map() })
    countCall(traffic, 1, HOUR_MS)
    expect(read(memory, 1)).toEqual({ calls: 1, complete: true, callers: new Map([[1, 1]]) })
  })

  it.each([
    ['the hour goes on', 0, true],
    ['another hour takes its table', 2 * HOUR_MS, false],
  ])(
    'has no fewer calls in total than its callers have when it is counted while it is read: %s',
    (_how, later, complete) => {
      const memory = createTraffic(8_192)
      const traffic = openTraffic(memory)
      const nowMs = FIRST_HOUR * HOUR_MS
      const callers = Array.from({ length: 4_000 }, (_, i) => i + 1)
      for (const caller of callers) countCall(traffic, caller, nowMs)
      let sum = 0
      const steps = readTrafficHour(memory, FIRST_HOUR, (_caller, count) => {
        sum += count
      })
      expect(steps.next().done).toBe(false)
      const seenBefore = sum
      // Callers the reader has passed, and callers it comes to.
      for (const caller of callers) countCall(traffic, caller, nowMs)
      expect(steps.next().done).toBe(false)
      if (later > 0) countCall(traffic, 1, nowMs + later)
      const totals = runSteps(steps)
      expect(seenBefore).toBeGreaterThan(0)
      expect(totals.complete).toBe(complete)
      expect(totals.calls).toBeGreaterThanOrEqual(sum)
      if (complete) expect(totals.calls).toBe(8_000)
    },
  )

  it('stays in the newer hour when the clock is set back by hours', () => {
    const memory = createTraffic(8)
    const traffic = openTraffic(memory)
    countCall(traffic, 1, (FIRST_HOUR + 2) * HOUR_MS)
    countCall(traffic, 1, FIRST_HOUR * HOUR_MS)
    expect(read(memory, FIRST_HOUR + 2)).toMatchObject({ calls: 2, complete: true })
  })
})
