import { describe, expect, it } from 'vitest'
import type { Call } from '../../../src/domain/call-event.ts'
import type { PhoneNumber } from '../../../src/domain/phone-number.ts'
import { type CallEnd, createCallEnd } from '../../../src/engine/behaviour.ts'
import { describeBehaviour } from '../../../src/engine/number-behaviour.ts'
import { isKnownContact } from '../../../src/shm/pairs.ts'
import { CALLEE, CALLER, DAY_MS, NOW, type OpenWorld, openWorld } from '../../fixtures/screening-world.ts'

const NATIONAL = 2

const endOf = (fields: Partial<CallEnd>): CallEnd => ({
  ...createCallEnd(),
  caller: CALLER,
  callee: CALLEE,
  answered: true,
  ringMs: 3_000,
  talkMs: 2_000,
  nowMs: NOW,
  ...fields,
})

const named = { callHashLow: 11, callHashHigh: 12 }

/** The row of the caller where he calls, of the callee as such, of the caller's block. */
function rows(world: OpenWorld, nowMs = NOW, caller: number = CALLER, callee: number = CALLEE) {
  const { outgoing, block } = describeBehaviour(caller as PhoneNumber, nowMs, world.behaviour)
  const { incoming } = describeBehaviour(callee as PhoneNumber, nowMs, world.behaviour)
  return { outgoing, block, incoming }
}

describe('a call', () => {
  it('counts for its caller by ingress kind, for its block and for its callee, once', () => {
    const world = openWorld()
    world.screen({ ingress: NATIONAL, trunk: 1 })
    const once = { attempts1: 1, attempts60: 1, others60: 1, totalAttempts: 1, days: 1 }
    expect(rows(world)).toMatchObject({ outgoing: { national: once }, block: once, incoming: once })
    expect(Object.keys(rows(world).outgoing)).toEqual(['national'])
  })

  it('that is asked about again counts once', () => {
    const world = openWorld()
    for (const _ of [1, 2, 3]) world.screen(named)
    expect(rows(world)).toMatchObject({ outgoing: { unknown: { attempts60: 1 } }, incoming: { attempts60: 1 } })
  })

  it.each<[string, Partial<Call>]>([
    ['to an emergency number', { callee: 1112 }],
    ['to an operator service', { callee: 1611 }],
    ['that came too late', { deadlineMs: NOW - 1 }],
    ['of an unscreened trunk', { trunk: 1 }],
  ])('%s counts as well, if it was decided at all', (_name, asked) => {
    const trunks = [{ name: 'off', kind: 'unknown', screening: 'off', failMode: 'open' }] as const
    const world = openWorld({ trunks })
    world.screen(asked)
    const isDecided = asked.deadlineMs === undefined
    expect(rows(world).outgoing.unknown?.attempts60 ?? 0).toBe(isDecided ? 1 : 0)
  })

  it('from a withheld number counts for its callee alone', () => {
    const world = openWorld()
    world.screen({ caller: -1 })
    expect(rows(world)).toEqual({
      outgoing: {},
      block: undefined,
      incoming: expect.objectContaining({ attempts60: 1, others60: 0 }),
    })
  })

  it('to nobody known counts for its caller alone', () => {
    const world = openWorld()
    world.screen({ callee: -1 })
    expect(rows(world)).toMatchObject({ outgoing: { unknown: { attempts60: 1, others60: 0 } }, incoming: undefined })
  })

  it('of a short code has no number block', () => {
    const world = openWorld()
    world.screen({ caller: 1_611 })
    expect(rows(world, NOW, 1_611)).toMatchObject({ outgoing: { unknown: { attempts60: 1 } }, block: undefined })
  })
})

describe('the end of a call', () => {
  it('counts for caller, block and callee', () => {
    const world = openWorld()
    world.screen({ ingress: NATIONAL })
    world.screener.endCall(endOf({}))
    const once = { ended60: 1, answered60: 1, short60: 1, talkSeconds60: 2 }
    expect(rows(world)).toMatchObject({ outgoing: { national: once }, block: once, incoming: once })
  })

  it('told twice under one call id counts once, though two calls were made', () => {
    const world = openWorld()
    world.screen(named)
    world.screen({ callHashLow: 21, callHashHigh: 22 })
    for (const nowMs of [NOW, NOW, NOW + 1_000, NOW + 299_000]) world.screener.endCall(endOf({ ...named, nowMs }))
    expect(rows(world)).toMatchObject({
      outgoing: { unknown: { ended60: 1 } },
      block: { ended60: 1 },
      incoming: { ended60: 1 },
    })
    world.screener.endCall(endOf({ callHashLow: 21, callHashHigh: 22 }))
    expect(rows(world)).toMatchObject({ outgoing: { unknown: { ended60: 2 } }, incoming: { ended60: 2 } })
    expect(world.counter('call-ends')).toBe(5)
  })

  it('told twice without a call id counts once: there was one attempt', () => {
    const world = openWorld()
    world.screen({})
    for (const _ of [1, 2]) world.screener.endCall(endOf({}))
    expect(rows(world)).toMatchObject({ outgoing: { unknown: { attempts60: 1, ended60: 1 } } })
  })

  it('that comes before its call is counted nowhere, and the call stays open', () => {
    const world = openWorld()
    world.screener.endCall(endOf(named))
    expect(rows(world)).toMatchObject({ outgoing: {}, block: undefined, incoming: undefined })
    world.screen(named)
    expect(rows(world)).toMatchObject({ outgoing: { unknown: { attempts60: 1, ended60: 0 } } })
  })

  it('of calls to several callees may come in any order', () => {
    const ends = [0, 1, 2].map((index) =>
      endOf({ callee: CALLEE + index, talkMs: 10_000 * index, nowMs: NOW + 30_000 }),
    )
    const counted = [ends, ends.toReversed()].map((order) => {
      const world = openWorld()
      for (const index of [0, 1, 2]) world.screen({ callee: CALLEE + index })
      for (const end of order) world.screener.endCall(end)
      return rows(world, NOW + 30_000).outgoing
    })
    expect(counted[0]).toMatchObject({ unknown: { ended60: 3, answered60: 3, short60: 1, brief60: 2 } })
    expect(counted[1]).toEqual(counted[0])
  })

  it('that never comes leaves an attempt without an outcome', () => {
    const world = openWorld()
    world.screen({})
    expect(rows(world)).toMatchObject({
      outgoing: { unknown: { attempts60: 1, ended60: 0, answered60: 0, oneRing60: 0 } },
    })
  })

  it('makes contacts from a minute of talk on, of two numbers and of answered calls only', () => {
    const known = (fields: Partial<CallEnd>) => {
      const world = openWorld()
      world.screen({})
      const end = endOf({ talkMs: 60_000, ...fields })
      world.screener.endCall(end)
      return isKnownContact(world.behaviour.pairs, CALLER, CALLEE, NOW)
    }
    expect([known({}), known({ talkMs: 59_999 }), known({ answered: false })]).toEqual([true, false, false])
    expect([known({ callee: -1 }), known({ caller: -1 }), known({ caller: -5, callee: -5 })]).toEqual([
      false,
      false,
      false,
    ])
  })

  it.each([Number.POSITIVE_INFINITY, Number.NaN, -1, 86_400_001, 2 ** 53])(
    'with a talk of %s ms does no harm',
    (talkMs) => {
      const world = openWorld()
      world.screen({})
      world.screener.endCall(endOf({ talkMs }))
      const seconds = rows(world).outgoing.unknown?.talkSeconds60 ?? -1
      expect(seconds).toBeGreaterThanOrEqual(0)
      expect(seconds).toBeLessThanOrEqual(86_400)
      expect(world.screen({}).verdict).toBe('allow')
      expect(world.failures).toEqual([])
    },
  )
})

describe('somebody who calls himself', () => {
  it('is judged by what was before the call, like anybody else', () => {
    const world = openWorld()
    const self = { callee: CALLER }
    const before = world.explain(self).signals
    world.screen(self)
    expect(before.every(({ strength }) => strength === 0)).toBe(true)
    expect(describeBehaviour(CALLER, NOW, world.behaviour)).toMatchObject({
      outgoing: { unknown: { attempts60: 1 } },
      incoming: { attempts60: 1 },
    })
  })
})

describe('the call that is decided', () => {
  it('does not count against itself as a call that its own caller gets', () => {
    const world = openWorld()
    // A table that covers days, so that the caller is new.
    world.screen({ caller: CALLER + 5_000, nowMs: NOW - 3 * DAY_MS })
    for (let index = 0; index < 40; index++) {
      world.screen({ callee: CALLEE + 10 * index })
      world.screener.endCall(endOf({ callee: CALLEE + 10 * index, answered: false }))
    }
    const self = { callee: CALLER }
    const { score } = world.explain(self)
    expect(score).toBeGreaterThan(0)
    expect(world.screen(self).score).toBe(score)
  })
})

describe('explanations of withheld calls', () => {
  it('know nothing of the call that was explained before', () => {
    const world = openWorld()
    // A table that covers days, so that the caller is new.
    world.screen({ caller: CALLER + 5_000, nowMs: NOW - 3 * DAY_MS })
    for (let index = 0; index < 40; index++) {
      world.screen({ callee: CALLEE + 10 * index })
      world.screener.endCall(endOf({ callee: CALLEE + 10 * index, answered: false }))
    }
    expect(world.explain({}).signals.some(({ strength }) => strength > 0)).toBe(true)
    const { reasons } = world.explain({ caller: -1 })
    expect(reasons.map(({ code }) => code)).toEqual(['withheld'])
  })
})
