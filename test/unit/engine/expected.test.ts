import { afterEach, describe, expect, it, vi } from 'vitest'
import { createCallEnd } from '../../../src/engine/behaviour.ts'
import { createDecision } from '../../../src/engine/decision.ts'
import { CALLEE, CALLER, call, NOW, openWorld } from '../../fixtures/screening-world.ts'

const LATE = { nowMs: NOW, deadlineMs: NOW - 1 }
const numbered = (index: number) =>
  call({ caller: (CALLER + index) as typeof CALLER, callee: (CALLEE + index) as typeof CALLEE, callHashLow: index + 1 })
const decision = createDecision()

describe('events that are expected', () => {
  it('have their memory aimed at, each in a place of its own, calls before ends', () => {
    const { screener, behaviour } = openWorld()
    const calls = [numbered(0), { ...numbered(1), ...LATE }, numbered(2)]
    const end = { ...createCallEnd(), caller: CALLER + 7, callee: CALLEE + 7, nowMs: NOW } as ReturnType<
      typeof createCallEnd
    >
    screener.expect(calls, calls.length, [end], 1)
    const aimed = behaviour.activity.ahead.slice(0, 3).map(({ numbers }) => [numbers[0], numbers[1]])
    expect(aimed).toEqual([
      [CALLER, CALLEE],
      [CALLER + 2, CALLEE + 2],
      [CALLER + 7, CALLEE + 7],
    ])
  })

  it('use their places in turn', () => {
    const { screener, behaviour } = openWorld()
    const calls = [numbered(0), { ...numbered(1), ...LATE }, numbered(2)]
    screener.expect(calls, calls.length, [], 0)
    const used = calls.map((event) => {
      screener.screen(event, decision)
      return behaviour.activity.ahead.indexOf(behaviour.activity.rows)
    })
    expect(used).toEqual([0, 0, 1])
  })

  it('keep their places when one before them has become late meanwhile', () => {
    const { screener, behaviour } = openWorld()
    const calls = [numbered(0), numbered(1)]
    screener.expect(calls, calls.length, [], 0)
    screener.screen(Object.assign(calls[0]!, LATE), decision)
    screener.screen(calls[1]!, decision)
    expect(behaviour.activity.ahead.indexOf(behaviour.activity.rows)).toBe(1)
  })
})

describe('the time of a decision', () => {
  afterEach(() => {
    vi.restoreAllMocks()
  })

  /** Of one call that is timed, when the clock goes on by 1 ms with every reading. */
  function timed(ask: (world: ReturnType<typeof openWorld>) => void): number {
    const world = openWorld()
    let ms = 0
    vi.spyOn(performance, 'now').mockImplementation(() => ++ms)
    ask(world)
    return world.counter('decision-time.sum-ns') / 1e6
  }

  it('is from one reading of the clock to the next', () => {
    expect(timed(({ screener }) => screener.screen(numbered(0), decision))).toBeCloseTo(1)
  })

  it('has its share of the time in which the calls of a frame wait for memory together', () => {
    const calls = [numbered(0), numbered(1), numbered(2), numbered(3)]
    const frame = ({ screener }: ReturnType<typeof openWorld>) => {
      screener.expect(calls, calls.length, [], 0)
      for (const event of calls) screener.screen(event, decision)
    }
    expect(timed(frame)).toBeCloseTo(1.25)
  })

  it('has none of a frame whose calls are not timed', () => {
    const many = (count: number) => Array.from({ length: count }, (_, index) => numbered(index))
    const sixtyOneAndOne = ({ screener }: ReturnType<typeof openWorld>) => {
      for (const event of many(45)) screener.screen(event, decision)
      const frame = many(16).map((event, index) => ({ ...event, callHashLow: 1_000 + index }))
      screener.expect(frame, frame.length, [], 0)
      for (const event of frame) screener.screen(event, decision)
      screener.screen({ ...numbered(5), callHashLow: 5_000 }, decision)
    }
    expect(timed(sixtyOneAndOne)).toBeCloseTo(2)
  })
})
