import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type Behaviour,
  DEFAULT_BEHAVIOUR,
  HARM_FEATURES,
  PATTERN_FEATURES,
  type Scorecard,
} from '../../src/domain/behaviour.ts'
import type { PolicyDocument, SignalName } from '../../src/domain/policy.ts'
import { SIGNAL_NAMES } from '../../src/domain/policy.ts'
import { compilePolicy } from '../../src/engine/compiled-policy.ts'
import { compilePlans } from '../../src/engine/compiled-state.ts'
import { createEvidence, type Evidence, ODDITY } from '../../src/engine/evidence.ts'
import { measureEverySignal, measureMitigation, measureSignals } from '../../src/engine/signals/measure-signals.ts'
import type { ActivityView } from '../../src/shm/activity.ts'
import { createActivityView } from '../../src/shm/activity.ts'
import { buildIntervals } from '../../src/shm/intervals.ts'
import { call, DEFAULT_POLICY, HOME } from '../fixtures/screening-world.ts'

/** Laws of the signals made of behaviour, over any state of the activity table. */

const HARMFUL: readonly SignalName[] = [
  'calling-pattern',
  'robocall-burst',
  'one-ring',
  'sequential-dialling',
  'neighbour-spoofing',
  'pool-rotation',
  'sim-box',
  'many-trunks',
  'callee-flood',
]
/** A SIM box is known by its human pace: faster, it is another kind of fraud, and only that one law does not hold for it. */
const AT_ANY_PACE = HARMFUL.filter((name) => name !== 'sim-box')
const GOOD: readonly SignalName[] = ['known-contact', 'conversations']

/** Any weights a policy may have, with the signs it must have. */
const scorecard: fc.Arbitrary<Scorecard> = fc
  .tuple(fc.integer({ min: -9_000, max: 0 }), fc.tuple(...PATTERN_FEATURES.map(() => fc.nat(3_000))))
  .map(([bias, drawn]) => {
    const signed = drawn.map((weight, index) => (index < HARM_FEATURES.length ? weight : -weight))
    return { bias, weights: Object.fromEntries(PATTERN_FEATURES.map((feature, index) => [feature, signed[index]])) }
  })
const policy: fc.Arbitrary<PolicyDocument> = fc
  .record({
    full: fc.integer({ min: 1, max: 9_000 }),
    'any-number': scorecard,
    'new-number': scorecard,
    'odd-number': scorecard,
  })
  .map((pattern) => ({ ...DEFAULT_POLICY, behaviour: { ...DEFAULT_BEHAVIOUR, pattern } }))

const limit = (least: number) => fc.integer({ min: least, max: 12 })
/** Any limits a policy may have, the low ones. */
const anyLimits: fc.Arbitrary<Behaviour> = fc
  .record({
    robocall: fc.record({ callees1: limit(2), callees15: limit(2), callees60: limit(2), fruitless: limit(2) }),
    oneRing: fc.record({ callees: limit(2) }),
    sequential: fc.record({ calls: limit(2) }),
    rotation: fc.record({ newcomers: limit(2), callers: limit(2), calls: limit(2) }),
    simBox: fc.record({
      calls: limit(2),
      callees60: limit(2),
      slowCalls: limit(2),
      slowCallees60: limit(2),
      incomingPercent: fc.nat(100),
    }),
    trunks: fc.record({ count: limit(2) }),
    flood: fc.record({ calls: limit(2) }),
  })
  .map((limits) => ({ ...DEFAULT_BEHAVIOUR, ...limits }))
/** Covers all numbers and knows of none. */
const EMPTY_PLAN = {
  name: 'empty',
  asOfMs: 0,
  covered: buildIntervals(Float64Array.of(1), Float64Array.of(1e14), Uint32Array.of(0)),
  allocated: buildIntervals(new Float64Array(0), new Float64Array(0), new Uint32Array(0)),
}

/** A consistent state of about so many calls. */
function activityOf(calls: number): fc.Arbitrary<ActivityView> {
  const parts = fc.array(fc.tuple(fc.nat(5), fc.boolean(), fc.nat(3), fc.boolean()), { maxLength: calls })
  return fc.tuple(parts, fc.nat(4), fc.nat(20), fc.nat(3)).map(([attempts, days, earlier, totalLong]) => {
    const view = { ...createActivityView(), days, totalLong, totalAttempts: attempts.length + earlier }
    for (const [outcome, isOther, age, isNext] of attempts) {
      view.attempts60++
      if (isOther) view.others60++
      if (isOther && age < 3) view.others15++
      if (isOther && age < 2) view.others1++
      if (age < 3 && (outcome & 1) === 1) view.trunks15++
      if (isNext) view.sequential60++
      if (outcome > 0) view.ended60++
      if (outcome > 2) view.answered60++
      if (outcome === 2) view.oneRing60++
      if (outcome === 3) view.short60++
      if (outcome === 4) view.brief60++
    }
    return view
  })
}

/** A consistent state: outcomes add up, windows lie inside each other. */
const activity: fc.Arbitrary<ActivityView> = fc
  .record({
    unanswered: fc.nat(60),
    short: fc.nat(20),
    brief: fc.nat(20),
    middle: fc.nat(20),
    long: fc.nat(20),
    open: fc.nat(9),
    others: fc.tuple(fc.nat(30), fc.nat(60), fc.nat(120)),
    oneRing: fc.nat(60),
    sequential: fc.nat(60),
    trunks15: fc.nat(6),
    days: fc.nat(9),
    earlier: fc.nat(300),
    earlierLong: fc.nat(100),
  })
  .map((drawn) => {
    const answered60 = drawn.short + drawn.brief + drawn.middle + drawn.long
    const ended60 = answered60 + drawn.unanswered
    const [one, fifteen, sixty] = drawn.others.toSorted((a, b) => a - b) as [number, number, number]
    const attempts60 = Math.max(ended60 + drawn.open, sixty)
    return {
      ...createActivityView(),
      attempts1: one,
      attempts15: Math.max(fifteen, one),
      attempts60,
      others1: one,
      others15: fifteen,
      others60: sixty,
      ended60,
      answered60,
      short60: drawn.short,
      brief60: drawn.brief,
      long60: drawn.long,
      oneRing60: Math.min(drawn.oneRing, drawn.unanswered),
      sequential60: drawn.sequential,
      trunks15: drawn.trunks15,
      days: drawn.days,
      totalAttempts: attempts60 + drawn.earlier,
      totalAnswered: answered60 + drawn.earlierLong,
      totalLong: drawn.long + drawn.earlierLong,
    }
  })

const ROWS = ['outgoing', 'incoming', 'block', 'called'] as const

const evidence: fc.Arbitrary<Evidence> = fc
  .record({
    outgoing: activity,
    incoming: activity,
    block: activity,
    called: activity,
    ingress: fc.nat(3),
    oddities: fc.nat(15),
    strangers15: fc.array(fc.nat(30), { minLength: 3, maxLength: 3 }).map((counts) => Int32Array.from(counts)),
    contact: fc.nat(1),
    isPastKnown: fc.boolean(),
  })
  .map((drawn) => ({ ...createEvidence(), ...drawn }))

/** One more of something bad. */
const HARMS: Readonly<Record<string, Partial<Record<keyof ActivityView, number>>>> = {
  'a callee more': {
    attempts1: 1,
    attempts15: 1,
    attempts60: 1,
    others1: 1,
    others15: 1,
    others60: 1,
    totalAttempts: 1,
  },
  'an unanswered call': { ended60: 1 },
  'a call of one ring': { ended60: 1, oneRing60: 1 },
  'a call hung up at once': { ended60: 1, answered60: 1, short60: 1, totalAnswered: 1 },
  'a callee next to the one before': { sequential60: 1 },
  'a trunk more': { trunks15: 1 },
}
/** One more of something good. */
const GOODS: Readonly<Record<string, Partial<Record<keyof ActivityView, number>>>> = {
  'a call that is listened to': { ended60: 1, answered60: 1, brief60: 1, totalAnswered: 1 },
  'a talk': { ended60: 1, answered60: 1, totalAnswered: 1 },
  'a long talk': { ended60: 1, answered60: 1, long60: 1, totalAnswered: 1, totalLong: 1 },
  'a day of calls': { days: 1 },
}

function strengthsOf(state: Evidence, document: PolicyDocument): Uint16Array {
  const strengths = new Uint16Array(SIGNAL_NAMES.length)
  const context = { policy: compilePolicy(document, 1, HOME), plans: [], home: HOME }
  measureSignals(call({ trunk: 1 }), state, context, strengths)
  measureMitigation(call({ trunk: 1 }), state, context, strengths)
  return strengths
}

function withMore(
  state: Evidence,
  row: (typeof ROWS)[number],
  more: Partial<Record<keyof ActivityView, number>>,
): Evidence {
  const changed = { ...state[row] }
  for (const [field, by] of Object.entries(more)) changed[field as keyof ActivityView] += by
  return { ...state, [row]: changed }
}

function expectNotBelow(before: Uint16Array, after: Uint16Array, names: readonly SignalName[], what: string): void {
  for (const name of names) {
    const index = SIGNAL_NAMES.indexOf(name)
    expect(after[index], `${what}: ${name}`).toBeGreaterThanOrEqual(before[index] ?? 0)
  }
}

describe('signals made of behaviour', () => {
  it.each(Object.entries(HARMS))('never weaken with %s', (what, harm) => {
    fc.assert(
      fc.property(evidence, policy, fc.constantFrom('outgoing' as const, 'block' as const), (state, document, row) => {
        const before = strengthsOf(state, document)
        const after = strengthsOf(withMore(state, row, harm), document)
        expectNotBelow(before, after, what === 'a callee more' ? AT_ANY_PACE : HARMFUL, what)
        expectNotBelow(after, before, GOOD, what)
      }),
      { numRuns: 500 },
    )
  })

  it.each(Object.entries(GOODS))('never grow with %s', (what, good) => {
    fc.assert(
      fc.property(evidence, policy, fc.constantFrom('outgoing' as const, 'block' as const), (state, document, row) => {
        const before = strengthsOf(state, document)
        const after = strengthsOf(withMore(state, row, good), document)
        expectNotBelow(after, before, HARMFUL, what)
        expectNotBelow(before, after, GOOD, what)
      }),
      { numRuns: 500 },
    )
  })

  it('never grow with a call that the caller gets', () => {
    fc.assert(
      fc.property(evidence, policy, (state, document) => {
        const after = strengthsOf(withMore(state, 'incoming', { totalAttempts: 1 }), document)
        expectNotBelow(after, strengthsOf(state, document), HARMFUL, 'an incoming call')
      }),
      { numRuns: 500 },
    )
  })

  it.each(Object.entries(ODDITY))('never weaken with an oddity: %s', (what, bit) => {
    fc.assert(
      fc.property(evidence, policy, (state, document) => {
        const without = { ...state, oddities: state.oddities & ~bit }
        const after = strengthsOf({ ...without, oddities: without.oddities | bit }, document)
        expectNotBelow(strengthsOf(without, document), after, HARMFUL, what)
      }),
      { numRuns: 500 },
    )
  })

  it('never weaken with a stranger more on the trunk, or a newcomer more in the block', () => {
    fc.assert(
      fc.property(evidence, policy, fc.nat(2), (state, document, bit) => {
        const more = { ...state, strangers15: state.strangers15.map((count, at) => (at === bit ? count + 1 : count)) }
        const before = strengthsOf(state, document)
        expectNotBelow(before, strengthsOf(more, document), HARMFUL, 'a stranger more')
        const newcomer = { ...state, newcomers60: state.newcomers60 + 1 }
        expectNotBelow(before, strengthsOf(newcomer, document), HARMFUL, 'a newcomer more')
      }),
      { numRuns: 500 },
    )
  })

  it('are found by measuring only those that may be there', () => {
    // Small numbers on both sides, so that counts lie at the limits and beside them.
    const few = fc.record({
      outgoing: activityOf(8),
      incoming: activityOf(2),
      block: activityOf(6),
      called: activityOf(6),
      newcomers60: fc.nat(3),
      oddities: fc.nat(15),
      ingress: fc.nat(3),
      reporters: fc.nat(1),
      harmShare: fc.nat(1),
      scenario: fc.nat(3),
      blockHarm: fc.nat(1),
      listByKind: fc.array(fc.nat(1), { minLength: 7, maxLength: 7 }).map((ids) => Uint16Array.from(ids)),
      isPastKnown: fc.boolean(),
    })
    const asked = fc
      .record({
        caller: fc.constantFrom(-1, -2, 79_161_112_233),
        ingress: fc.nat(3),
        attestation: fc.nat(3),
        verstat: fc.nat(3),
        originating: fc.nat(2),
        roaming: fc.nat(2),
      })
      .map((fields) => call({ trunk: 1, ...fields }))
    const plans = fc.constantFrom([], compilePlans([EMPTY_PLAN]))
    fc.assert(
      fc.property(few, anyLimits, asked, plans, (drawn, behaviour, asking, compiled) => {
        const state = { ...createEvidence(), ...drawn }
        const policy = compilePolicy({ ...DEFAULT_POLICY, behaviour }, 1, HOME)
        const context = { policy, plans: compiled, home: HOME }
        const fast = new Uint16Array(SIGNAL_NAMES.length)
        const slow = new Uint16Array(SIGNAL_NAMES.length)
        const seen = measureSignals(asking, state, context, fast)
        expect(measureEverySignal(asking, state, context, slow)).toBe(seen)
        expect(fast).toEqual(slow)
      }),
      { numRuns: 6_000 },
    )
  })

  it('are nothing where nothing is known', () => {
    fc.assert(
      fc.property(policy, (document) => {
        const strengths = strengthsOf(createEvidence(), document)
        for (const name of HARMFUL) expect(strengths[SIGNAL_NAMES.indexOf(name)], name).toBe(0)
      }),
    )
  })
})
