import { describe, expect, it } from 'vitest'
import { DEFAULT_BEHAVIOUR } from '../../../src/domain/behaviour.ts'
import { SIGNAL_NAMES } from '../../../src/domain/policy.ts'
import type { Change } from '../../../src/engine/counterfactuals.ts'
import {
  CALLEE,
  CALLER,
  DAY_MS,
  DEFAULT_POLICY,
  NOW,
  openWorld,
  reports,
  type World,
  type WorldEvent,
  withRules,
} from '../../fixtures/screening-world.ts'

/** Limits of these tests' own: those of the default policy are fitted and may change. */
const BEHAVIOUR = { ...DEFAULT_BEHAVIOUR, robocall: { callees1: 10, callees15: 40, callees60: 80, fruitless: 4 } }

const changesOf = (world: World, call: Parameters<ReturnType<typeof openWorld>['explain']>[0] = {}) =>
  openWorld(world).explain(call).changes
const only = (changes: readonly Change[], kind: Change['change']) => changes.filter(({ change }) => change === kind)

describe('explain', () => {
  it('shows every signal with its rule, and what it added', () => {
    const { signals } = openWorld({ reports: reports(3) }).explain({})
    expect(signals).toHaveLength(SIGNAL_NAMES.length)
    expect(signals.find(({ signal }) => signal === 'reported')).toEqual({
      signal: 'reported',
      strength: 0.625,
      mode: 'enforce',
      points: 90,
      contribution: 56.25,
      basis: 'analytics',
      contradicts: false,
      values: [{ name: 'reporters', value: 3, limit: 5 }],
    })
  })

  it('shows the lists that cover the caller, expired entries not', () => {
    const world = openWorld({
      lists: [
        { name: 'exact', kind: 'watch', layers: [{ numbers: [CALLER] }] },
        { name: 'gone', kind: 'deny', layers: [{ expires: { [CALLER]: NOW - 1 } }] },
        { name: 'around', kind: 'own', ranges: [{ from: CALLER - 1, to: CALLER + 1, expiresMs: NOW }] },
      ],
    })
    expect(world.explain({}).lists).toEqual([
      { listId: 1, list: 'exact', kind: 'watch', match: 'number', details: {} },
      { listId: 3, list: 'around', kind: 'own', match: 'range', details: { expiresMs: NOW } },
    ])
  })

  it('shows the reputation with the reporters that count for this ingress kind', () => {
    const world = openWorld({ reports: [...reports(2), ...reports(1, { ingress: 3, reporter: 'e'.repeat(32) })] })
    expect(world.explain({ ingress: 2 }).reputation).toMatchObject({ reports: 3, reporters: 3, reportersCounted: 2 })
    expect(world.explain({ caller: 79260000000 }).reputation).toBeUndefined()
  })

  it.each([
    ['trunk-not-screened', { trunk: 1 }],
    ['emergency-callee', { callee: 1112 }],
    ['service-callee', { callee: 1611 }],
    ['allow-listed', { caller: 79160000010 }],
    ['deny-listed', { caller: 79160000011 }],
    ['protected', { caller: 79160000012, originating: 0 }],
    ['score', {}],
  ] as const)('names the step that decided: %s', (step, call) => {
    const world = openWorld({
      lists: [
        { name: 'a', kind: 'allow', layers: [{ numbers: [79160000010] }] },
        { name: 'd', kind: 'deny', layers: [{ numbers: [79160000011] }] },
        { name: 'p', kind: 'protected', layers: [{ numbers: [79160000012] }] },
        { name: 'w', kind: 'watch', layers: [{ numbers: [79160000012] }] },
      ],
      trunks: [{ name: 'off', kind: 'national', screening: 'off', failMode: 'open' }],
      policy: withRules({ watched: { points: 90 } }),
    })
    expect(world.explain(call).step).toBe(step)
  })

  it('has no side effects', () => {
    const world = openWorld({ reports: reports(9), sampleOneIn: 1 })
    world.explain({})
    expect(world.drain()).toEqual([])
    expect(world.traffic(NOW).size).toBe(0)
    expect(world.counter('verdicts.block')).toBe(0)
  })

  it('says what a trunk in shadow mode hides', () => {
    const trunks = [{ name: 's', kind: 'national', screening: 'shadow', failMode: 'open' }] as const
    const explanation = openWorld({ trunks, reports: reports(5) }).explain({ trunk: 1 })
    expect(explanation).toMatchObject({ verdict: 'allow', unshadowed: 'block' })
  })
})

describe('the smallest changes that would flip a verdict', () => {
  it('of five reporters: one fewer', () => {
    expect(only(changesOf({ reports: reports(5) }), 'reporters')).toEqual([
      { change: 'reporters', from: 5, to: 4, verdict: 'flag', score: 75 },
    ])
  })

  it('of four reporters: two fewer, or one more', () => {
    expect(only(changesOf({ reports: reports(4) }), 'reporters')).toMatchObject([
      { from: 4, to: 2, verdict: 'allow' },
      { from: 4, to: 5, verdict: 'block' },
    ])
  })

  it('of a score: the nearest thresholds', () => {
    const lists = [{ name: 'w', kind: 'watch', layers: [{ numbers: [CALLER] }] }] as const
    expect(only(changesOf({ lists, policy: withRules({ watched: { points: 60 } }) }), 'threshold')).toEqual([
      { change: 'threshold', threshold: 'flag', from: 50, to: 61, verdict: 'allow', score: 60 },
      { change: 'threshold', threshold: 'block', from: 80, to: 60, verdict: 'block', score: 60 },
    ])
  })

  it('of a flag by what may never block: no lower block threshold, under which its score would be capped', () => {
    const plans = [{ covers: [[CALLER, CALLER]], allocated: [], asOfMs: NOW - 36 * DAY_MS }] as const
    const world = { plans, policy: withRules({ 'impossible-number': { points: 100 } }) }
    expect(openWorld(world).explain({})).toMatchObject({ verdict: 'flag', score: 60 })
    expect(only(changesOf(world), 'threshold')).toEqual([
      { change: 'threshold', threshold: 'flag', from: 50, to: 61, verdict: 'allow', score: 60 },
    ])
  })

  it('of a deny list: taking the number off, the rule, an allow list, the treatment, and no threshold', () => {
    const lists = [{ name: 'd', kind: 'deny', layers: [{ numbers: [CALLER] }] }] as const
    const changes = changesOf({ lists })
    expect(only(changes, 'threshold')).toEqual([])
    expect(only(changes, 'list-removed')).toEqual([
      { change: 'list-removed', list: 'd', kind: 'deny', verdict: 'allow', score: 0 },
    ])
    expect(only(changes, 'list-added')).toEqual([{ change: 'list-added', kind: 'allow', verdict: 'allow', score: 0 }])
    expect(only(changes, 'rule-off')).toEqual([
      { change: 'rule-off', signal: 'deny-listed', verdict: 'allow', score: 0 },
    ])
    expect(only(changes, 'call').filter((change) => 'field' in change && change.field === 'treatment')).toHaveLength(2)
  })

  it('of two deny lists: none of them alone', () => {
    const listed = (name: string) => ({ name, kind: 'deny', layers: [{ numbers: [CALLER] }] }) as const
    expect(only(changesOf({ lists: [listed('a'), listed('b')] }), 'list-removed')).toEqual([])
  })

  it('of denied roaming: that it is confirmed', () => {
    const changes = changesOf({}, { ingress: 3, roaming: 2 })
    expect(only(changes, 'call')).toContainEqual({
      change: 'call',
      field: 'callerStatus.roaming',
      to: 'confirmed',
      verdict: 'allow',
      score: 0,
    })
  })

  it('of an emergency call: none', () => {
    expect(changesOf({ reports: reports(9) }, { callee: 1112 })).toEqual([])
  })

  it('of a call without a number: none that need one', () => {
    const changes = changesOf({}, { caller: -1 })
    expect([...only(changes, 'list-added'), ...only(changes, 'reporters')]).toEqual([])
  })

  describe('in what the caller does', () => {
    const rules = [
      { signal: 'robocall-burst', mode: 'enforce', points: 90 },
      { signal: 'reported', mode: 'enforce', points: 90 },
      { signal: 'known-contact', mode: 'enforce', points: 50 },
    ] as const
    const policy = { ...DEFAULT_POLICY, thresholds: { flag: 50, block: 80 }, behaviour: BEHAVIOUR, rules }
    const called = (count: number): WorldEvent[] =>
      Array.from({ length: count }, (_, index): WorldEvent[] => {
        const callee = CALLEE + 10 * (index + 1)
        return [
          // Somebody calls back: no slow robocaller.
          ...(index === 0 ? [{ type: 'call' as const, call: { caller: callee, callee: CALLER } }] : []),
          { type: 'call', call: { callee } },
          { type: 'end', end: { callee, answered: false, ringMs: 20_000 } },
        ]
      }).flat()
    const talked: WorldEvent[] = [
      { type: 'call', call: {} },
      { type: 'end', end: { answered: true, ringMs: 1_000, talkMs: 60_000 } },
    ]

    it('of a burst of calls: so many fewer, to the twentieth', () => {
      // Full at 10 callees. A block needs 0.889 of it, 9.4 callees; 9 have 0.8.
      expect(only(changesOf({ policy, history: called(20) }), 'calls-last-hour')).toEqual([
        { change: 'calls-last-hour', from: 20, to: 9, verdict: 'flag', score: 72 },
      ])
    })

    it('of a burst of calls: that the two know each other', () => {
      expect(only(changesOf({ policy, history: called(20) }), 'known-contact')).toEqual([
        { change: 'known-contact', to: true, verdict: 'allow', score: 45 },
      ])
    })

    it('of a known contact who is reported: that they do not know each other', () => {
      expect(only(changesOf({ policy, reports: reports(5), history: talked }), 'known-contact')).toEqual([
        { change: 'known-contact', to: false, verdict: 'block', score: 90 },
      ])
    })

    it('of reports alone: no number of calls', () => {
      expect(only(changesOf({ policy, reports: reports(5), history: called(3) }), 'calls-last-hour')).toEqual([])
    })

    it('of a caller who has not called: no fewer calls', () => {
      expect(only(changesOf({ policy, reports: reports(5) }), 'calls-last-hour')).toEqual([])
    })

    it('of nothing: neither calls nor contacts', () => {
      const changes = changesOf({ policy, history: called(3) })
      expect([...only(changes, 'calls-last-hour'), ...only(changes, 'known-contact')]).toEqual([])
    })

    it('shows what was counted, and the limits it is held against', () => {
      const { signals } = openWorld({ policy, history: called(20) }).explain({})
      expect(signals.find(({ signal }) => signal === 'robocall-burst')?.values).toEqual([
        { name: 'callees1', value: 20, limit: 10 },
        { name: 'callees15', value: 20, limit: 40 },
        { name: 'callees60', value: 20, limit: 80 },
        { name: 'days', value: 1 },
        { name: 'incoming', value: 1 },
        { name: 'surplusInVain60', value: 20, limit: 4 },
        { name: 'fruitless60', value: 20 },
        { name: 'listened60', value: 0 },
      ])
      expect(signals.find(({ signal }) => signal === 'watched')?.values).toEqual([])
    })
  })
})
