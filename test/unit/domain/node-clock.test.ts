import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CLOCK_JUMP_MS, CLOCK_SETTLING_MS, type ClockMark, createNodeClock } from '../../../src/domain/node-clock.ts'

const START_MS = Date.UTC(2026, 10, 27)
const DAY_MS = 86_400_000

/** A machine whose clock can be set, that can sleep and boot. */
function machine() {
  const state = { wallMs: START_MS, monotonicMs: 5_000, uptimeMs: CLOCK_SETTLING_MS, bootId: 'first' }
  return {
    pass(ms: number) {
      state.wallMs += ms
      state.monotonicMs += ms
      state.uptimeMs += ms
    },
    sleep(ms: number) {
      state.wallMs += ms
      state.uptimeMs += ms
    },
    jump(ms: number) {
      state.wallMs += ms
    },
    boot(ms: number) {
      Object.assign(state, { wallMs: state.wallMs + ms, monotonicMs: 0, uptimeMs: 1_000, bootId: 'second' })
    },
    restartContainer() {
      Object.assign(state, { monotonicMs: 0, uptimeMs: CLOCK_SETTLING_MS })
    },
    get wallMs() {
      return state.wallMs
    },
    open: (from?: ClockMark) =>
      createNodeClock(
        {
          wall: () => state.wallMs,
          monotonic: () => state.monotonicMs,
          boot: () => ({ bootId: state.bootId, uptimeMs: state.uptimeMs }),
        },
        from,
      ),
  }
}

describe('the time a node goes by', () => {
  it('is the wall clock, also when that is set by less than 50 minutes, and over a sleep of days', () => {
    const its = machine()
    const clock = its.open()
    for (const change of [
      () => its.jump(CLOCK_JUMP_MS - 1),
      () => its.jump(1 - CLOCK_JUMP_MS),
      () => its.sleep(3 * DAY_MS),
    ]) {
      its.pass(1_000)
      clock.now()
      change()
      expect(clock.now()).toBe(its.wallMs)
      expect(clock.offsetMs).toBe(0)
    }
  })

  it.each([CLOCK_JUMP_MS, -CLOCK_JUMP_MS, 3_600_000, 2 * DAY_MS, -2 * DAY_MS])(
    'goes on by what has passed after a jump of %d ms',
    (ms) => {
      const its = machine()
      const clock = its.open()
      const before = clock.now()
      its.pass(500)
      its.jump(ms)
      expect(clock.now()).toBe(before + 500)
      its.pass(60_000)
      expect(clock.now()).toBe(before + 60_500)
      expect(clock.offsetMs).toBe(ms)
      its.jump(-ms)
      expect(clock.now()).toBe(before + 60_500)
      expect(clock.offsetMs).toBe(0)
    },
  )

  it('is the wall clock again when somebody says so, and then stays it', () => {
    const its = machine()
    const clock = its.open()
    clock.now()
    its.jump(2 * DAY_MS)
    clock.now()
    clock.accept()
    expect(clock.now()).toBe(its.wallMs)
    its.pass(10_000)
    expect(clock.mark()?.nodeMs).toBe(its.wallMs)
    expect(clock.offsetMs).toBe(0)
  })

  it('goes on over a restart, whether the clock jumped before, meanwhile, or not', () => {
    const its = machine()
    const mark = its.open().mark()
    its.jump(2 * DAY_MS)
    its.pass(30_000)
    const second = its.open(mark)
    expect(second.now()).toBe(START_MS + 30_000)
    its.pass(5_000)
    const third = its.open(second.mark())
    expect(third.now()).toBe(START_MS + 35_000)
    third.accept()
    expect(its.open(third.mark()).now()).toBe(its.wallMs)
  })

  it('is the wall clock after a boot, and where a machine has set its clock from before 2026', () => {
    const its = machine()
    const mark = its.open().mark()
    its.boot(-30 * DAY_MS)
    expect(its.open(mark).now()).toBe(its.wallMs)
    const young = machine()
    young.jump(-START_MS + 1_000)
    const clock = young.open()
    clock.now()
    young.jump(START_MS)
    expect(clock.now()).toBe(young.wallMs)
  })

  it('is the wall clock while a machine that has just booted gets the time, and holds on to it afterwards', () => {
    const its = machine()
    its.boot(0)
    const clock = its.open()
    its.pass(5_000)
    its.jump(3 * DAY_MS)
    expect(clock.now()).toBe(its.wallMs)
    its.pass(CLOCK_SETTLING_MS)
    clock.now()
    const right = its.wallMs
    its.jump(3 * DAY_MS)
    expect(clock.now()).toBe(right)
  })

  it('is the wall clock when the time since boot begins anew under the same boot id', () => {
    const its = machine()
    its.pass(30 * DAY_MS)
    const mark = its.open().mark()
    its.restartContainer()
    expect(its.open(mark).now()).toBe(its.wallMs)
  })

  it('is the wall clock where there is no time since boot', () => {
    let wallMs = START_MS
    const clock = createNodeClock({ wall: () => wallMs, monotonic: () => 0, boot: () => undefined })
    clock.now()
    wallMs += 2 * DAY_MS
    expect(clock.now()).toBe(wallMs)
    expect(clock.mark()).toBeUndefined()
  })

  it('never leaves the time that has passed by more than the small corrections it follows', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: DAY_MS }) }),
      fc.record({ kind: fc.constant('sleep' as const), ms: fc.integer({ min: 1, max: DAY_MS }) }),
      fc.record({ kind: fc.constant('jump' as const), ms: fc.integer({ min: 2 * CLOCK_JUMP_MS, max: 9 * DAY_MS }) }),
      fc.record({ kind: fc.constant('restart' as const), ms: fc.constant(0) }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const its = machine()
        let clock = its.open()
        let trueMs = clock.now()
        let ahead = 0
        for (const { kind, ms } of steps) {
          if (kind === 'restart') clock = its.open(clock.mark())
          else if (kind === 'jump') {
            // There and back, so that jumps do not cancel each other to less than an hour.
            its.jump(ahead === 0 ? ms : -ahead)
            ahead = ahead === 0 ? ms : 0
          } else {
            its[kind](ms)
            trueMs += ms
          }
          expect(clock.now()).toBe(trueMs)
          expect(clock.offsetMs).toBe(ahead)
        }
      }),
    )
  })
})
