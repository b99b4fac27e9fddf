import { describe, expect, it } from 'vitest'
import type { Behaviour } from '../../../src/domain/behaviour.ts'
import type { Call } from '../../../src/domain/call-event.ts'
import { SIGNAL_NAMES, type SignalName } from '../../../src/domain/policy.ts'
import { SCENARIOS } from '../../../src/domain/report.ts'
import { SIGNAL_FACTS } from '../../../src/domain/signal.ts'
import { compilePolicy } from '../../../src/engine/compiled-policy.ts'
import { LIST_KIND_CODE } from '../../../src/engine/compiled-state.ts'
import { CONTACT_NOT_ASKED, createEvidence, type Evidence, ODDITY } from '../../../src/engine/evidence.ts'
import { measureMitigation, measureSignals } from '../../../src/engine/signals/measure-signals.ts'
import { type ActivityView, createActivityView } from '../../../src/shm/activity.ts'
import { call, DEFAULT_POLICY, HOME } from '../../fixtures/screening-world.ts'

/** Limits of these tests' own: the default policy is fitted and may change. */
const BEHAVIOUR: Behaviour = {
  robocall: { callees1: 10, callees15: 40, callees60: 80, fruitless: 5 },
  oneRing: { callees: 8 },
  sequential: { calls: 8 },
  neighbour: { digits: 6 },
  strangers: { fromAbroad: 3, ownNumbers: 11, neighbours: 6 },
  rotation: { newcomers: 4, callers: 4, calls: 24 },
  simBox: { calls: 10, callees60: 8, slowCalls: 20, slowCallees60: 4, incomingPercent: 2 },
  trunks: { count: 5 },
  flood: { calls: 12 },
  pattern: {
    full: 1_000,
    'any-number': {
      bias: -2_000,
      weights: { 'callees-1': 1_000, 'sequential-60': 1_000, 'newcomers-60': 3_000, days: -500 },
    },
    'new-number': { bias: -3_000, weights: { 'callees-15': 1_000 } },
    'odd-number': { bias: -2_000, weights: { 'stranger-neighbours-15': 1_000 } },
  },
}
const INTERNATIONAL = 3

type Seen = Partial<Omit<Evidence, 'outgoing' | 'incoming' | 'block' | 'called'>> & {
  readonly [row in 'outgoing' | 'incoming' | 'block' | 'called']?: Partial<ActivityView>
}

function evidenceOf({ outgoing, incoming, block, called, ...rest }: Seen): Evidence {
  const row = (fields: Partial<ActivityView> = {}) => ({ ...createActivityView(), ...fields })
  const rows = { outgoing: row(outgoing), incoming: row(incoming), block: row(block), called: row(called) }
  return { ...createEvidence(), isPastKnown: true, ...rest, ...rows }
}

/** In thousandths, of a policy that enforces every signal. */
function strengthOf(signal: SignalName, seen: Seen, asked: Partial<Call> = {}): number {
  const rules = SIGNAL_NAMES.map((name) => ({ signal: name, mode: 'enforce', points: 50 }) as const)
  const policy = compilePolicy({ ...DEFAULT_POLICY, behaviour: BEHAVIOUR, rules }, 1, HOME)
  const strengths = new Uint16Array(SIGNAL_NAMES.length)
  const evidence = evidenceOf(seen)
  const context = { policy, plans: [], home: HOME }
  measureSignals(call(asked), evidence, context, strengths)
  measureMitigation(call(asked), evidence, context, strengths)
  return strengths[SIGNAL_NAMES.indexOf(signal)] ?? Number.NaN
}

/** Calls of the last hour by how they ended. */
function ended(counts: { unanswered?: number; short?: number; brief?: number; talks?: number }): Partial<ActivityView> {
  const { unanswered = 0, short = 0, brief = 0, talks = 0 } = counts
  const answered60 = short + brief + talks
  return { ended60: unanswered + answered60, answered60, short60: short, brief60: brief }
}

const ESTABLISHED: Seen = { incoming: { totalAttempts: 50 } }

describe('robocall-burst', () => {
  it.each([
    ['others1', 10],
    ['others15', 40],
    ['others60', 80],
  ] as const)('is nothing at half of the limit of %s, and full at it', (field, limit) => {
    const at = (others: number) =>
      strengthOf('robocall-burst', { ...ESTABLISHED, outgoing: { [field]: others, ...ended({ unanswered: 9 }) } })
    expect(at(limit / 2)).toBe(0)
    expect(at(limit / 2 + 1)).toBe(Math.floor(2_000 / limit))
    expect(at(limit - 1)).toBe(Math.floor((1_000 * (limit / 2 - 1)) / (limit / 2)))
    expect(at(limit)).toBe(1_000)
  })

  it('needs calls in vain: the rate alone is no crime', () => {
    const at = (unanswered: number) =>
      strengthOf('robocall-burst', { ...ESTABLISHED, outgoing: { others1: 99, ...ended({ unanswered }) } })
    expect([0, 1, 2, 4, 5].map(at)).toEqual([0, 0, 250, 750, 1_000])
  })

  it('counts a call that is listened to against two in vain', () => {
    const at = (brief: number, unanswered: number) =>
      strengthOf('robocall-burst', { ...ESTABLISHED, outgoing: { others1: 99, ...ended({ brief, unanswered }) } })
    expect([at(5, 15), at(5, 14), at(5, 11)]).toEqual([1_000, 750, 0])
  })

  it('counts a call hung up at once twice', () => {
    const at = (short: number, unanswered: number) =>
      strengthOf('robocall-burst', { ...ESTABLISHED, outgoing: { others1: 99, ...ended({ short, unanswered }) } })
    expect([at(0, 4), at(1, 3), at(2, 1)]).toEqual([750, 1_000, 1_000])
  })

  it('is halved from the third day on', () => {
    const at = (days: number) =>
      strengthOf('robocall-burst', { ...ESTABLISHED, outgoing: { others1: 99, days, ...ended({ unanswered: 9 }) } })
    expect([at(2), at(3)]).toEqual([1_000, 500])
  })

  it('of a rate alone is a flag at ten times the callees, and nothing at five; three are explained by each that was heard', () => {
    const at = (others60: number, brief = 0, days = 0) =>
      strengthOf('robocall-burst', { outgoing: { others60, days, ...ended({ brief }) } })
    expect([at(400), at(401), at(800), at(9_999)]).toEqual([0, 1, 600, 600])
    expect([at(800, 133), at(800, 134), at(800, 0, 3)]).toEqual([1, 0, 300])
  })

  it('sees a slow one, whom nobody calls, by calls in vain less twice those that were heard', () => {
    const at = (others60: number, unanswered: number, brief: number, totalAttempts = 0) =>
      strengthOf('robocall-burst', {
        incoming: { totalAttempts },
        outgoing: { others60, ...ended({ unanswered, brief }) },
      })
    expect([at(5, 8, 0), at(4, 8, 0), at(5, 10, 1), at(5, 8, 1), at(5, 3, 0), at(5, 8, 0, 1)]).toEqual([
      1_000, 0, 1_000, 800, 200, 0,
    ])
  })
})

describe('one-ring', () => {
  it('begins above a quarter of the callees, and is full at all of them', () => {
    const at = (rung: number) => strengthOf('one-ring', { outgoing: { oneRing60: rung, others60: 99 } })
    expect([2, 3, 7, 8].map(at)).toEqual([0, 166, 833, 1_000])
  })

  it('needs as many callees as rings: friends signal each other like this', () => {
    expect(strengthOf('one-ring', { outgoing: { oneRing60: 99, others60: 2 } })).toBe(0)
  })

  it('is outweighed by talks, and not by calls hung up within half a minute', () => {
    const at = (end: Parameters<typeof ended>[0]) =>
      strengthOf('one-ring', { outgoing: { oneRing60: 8, others60: 99, ...ended(end) } })
    expect([at({ brief: 3 }), at({ talks: 1 }), at({ talks: 3 })]).toEqual([1_000, 666, 0])
  })
})

describe('sequential-dialling', () => {
  it('begins above a quarter of the calls, is full at all of them, and is outweighed by talks', () => {
    const at = (sequential60: number, talks = 0) =>
      strengthOf('sequential-dialling', { outgoing: { sequential60, ...ended({ talks }) } })
    expect([2, 3, 7, 8].map((calls) => at(calls))).toEqual([0, 166, 833, 1_000])
    expect([at(8, 1), at(8, 3)]).toEqual([666, 0])
  })
})

describe('neighbour-spoofing', () => {
  const at = (others: number, oddities: number = ODDITY.neighbour) =>
    strengthOf('neighbour-spoofing', { oddities, strangers15: Int32Array.of(0, others, 0) })
  it('is weak for one stranger, and full at the limit of strangers on the trunk', () => {
    expect([0, 1, 2, 3, 5, 6].map((others) => at(others))).toEqual([200, 200, 200, 400, 800, 1_000])
  })
  it('says nothing of a number that does not look like the callee’s', () => {
    expect(at(99, ODDITY.homeFromAbroad | ODDITY.ownFromOutside | ODDITY.newcomer)).toBe(0)
  })
})

describe('national-from-abroad, among strangers', () => {
  const at = (others: number, oddities: number, roaming = 0) =>
    strengthOf(
      'national-from-abroad',
      { ingress: INTERNATIONAL, oddities, strangers15: Int32Array.of(others, 0, 0) },
      { roaming },
    )
  it('grows from half with the strangers on the trunk, and never becomes a fact', () => {
    expect([0, 1, 2, 3, 999].map((others) => at(others, ODDITY.homeFromAbroad))).toEqual([500, 500, 725, 950, 950])
  })
  it('does not grow for a caller with a past here', () => {
    expect(at(999, 0)).toBe(500)
  })
  it('asks the roaming answer first', () => {
    expect([at(999, ODDITY.homeFromAbroad, 1), at(0, ODDITY.homeFromAbroad, 2)]).toEqual([0, 1_000])
  })
})

describe('own-number-from-outside, among strangers', () => {
  const at = (others: number, oddities: number) => {
    const { listByKind } = createEvidence()
    listByKind[LIST_KIND_CODE.own] = 1
    const strangers15 = Int32Array.of(0, 0, others)
    return strengthOf('own-number-from-outside', { ingress: INTERNATIONAL, listByKind, oddities, strangers15 })
  }
  it('grows from 0.7 to full with the strangers on the trunk', () => {
    expect([0, 1, 2, 10, 11].map((others) => at(others, ODDITY.ownFromOutside))).toEqual([700, 700, 730, 970, 1_000])
  })
  it('does not grow for a caller with a past here', () => {
    expect(at(999, 0)).toBe(700)
  })
})

describe('pool-rotation', () => {
  it('begins above a quarter of the newcomers, and is full at all of them when the block calls in vain', () => {
    const at = (newcomers60: number) => strengthOf('pool-rotation', { newcomers60, block: ended({ unanswered: 4 }) })
    expect([1, 2, 3, 4].map(at)).toEqual([0, 333, 666, 1_000])
  })

  it('of newcomers whose calls are not in vain blocks nobody: a company may be new', () => {
    const at = (end: Parameters<typeof ended>[0]) => strengthOf('pool-rotation', { newcomers60: 99, block: ended(end) })
    expect([at({}), at({ brief: 9 }), at({ unanswered: 3 }), at({ unanswered: 4, brief: 2 })]).toEqual([
      650, 650, 912, 650,
    ])
  })

  it('looks at calls that come to nothing from so many callers on, this one counted', () => {
    const at = (others60: number, unanswered: number, more: Partial<ActivityView> = {}) =>
      strengthOf('pool-rotation', { block: { others60, ...ended({ unanswered }), ...more } })
    expect([at(2, 99), at(3, 99)]).toEqual([0, 1_000])
    expect([at(3, 6), at(3, 7), at(3, 23), at(3, 24)]).toEqual([0, 55, 944, 1_000])
  })

  it('is outweighed by calls that are listened to, and by long talks of days before', () => {
    const at = (block: Partial<ActivityView>) => strengthOf('pool-rotation', { block: { others60: 9, ...block } })
    expect(at(ended({ unanswered: 24, brief: 9 }))).toBe(0)
    expect(at({ ...ended({ unanswered: 24 }), days: 1, totalLong: 18 })).toBe(1_000)
    expect(at({ ...ended({ unanswered: 24 }), days: 2, totalLong: 18 })).toBe(0)
  })
})

describe('sim-box', () => {
  const BUSY = { days: 1, totalAttempts: 10, attempts60: 8, others60: 8 }
  const at = (outgoing: Partial<ActivityView>, incoming: Partial<ActivityView> = {}) =>
    strengthOf('sim-box', { outgoing: { ...BUSY, ...outgoing }, incoming })
  it('needs calls and callees: nothing at half of either, full at both', () => {
    expect(at({})).toBe(1_000)
    expect([at({ totalAttempts: 5 }), at({ totalAttempts: 6 }), at({ totalAttempts: 9 })]).toEqual([0, 200, 800])
    expect([at({ others60: 4, attempts60: 4 }), at({ others60: 7, attempts60: 7 })]).toEqual([0, 750])
  })
  it('may be slow: fewer callees an hour, more calls in all', () => {
    const slow = (totalAttempts: number, others60 = 4) => at({ totalAttempts, others60, attempts60: others60 })
    expect([slow(10), slow(15), slow(20), slow(99, 2), slow(99, 3)]).toEqual([0, 500, 1_000, 0, 500])
  })
  it('has the pace of people', () => {
    expect([at({ others1: 2 }), at({ others1: 3 }), at({ others15: 10 }), at({ others15: 11 })]).toEqual([
      1_000, 0, 1_000, 0,
    ])
    const hour = (others60: number) => at({ others60, attempts60: others60, totalAttempts: 99 })
    expect([hour(60), hour(61)]).toEqual([1_000, 0])
  })
  it('is a matter of new numbers', () => {
    expect([at({ days: 4 }), at({ days: 5 })]).toEqual([1_000, 0])
  })
  it('is outweighed by calls it gets', () => {
    const outgoing = { totalAttempts: 100 }
    expect([at(outgoing, { totalAttempts: 2 }), at(outgoing, { totalAttempts: 3 })]).toEqual([1_000, 0])
  })
  it('is outweighed by every eighth callee called again', () => {
    expect([at({ attempts60: 9 }), at({ attempts60: 10 })]).toEqual([1_000, 0])
  })
})

describe('many-trunks', () => {
  const at = (trunks15: number, outcomes: Parameters<typeof ended>[0]) =>
    strengthOf('many-trunks', { outgoing: { trunks15, ...ended(outcomes) } })
  it('begins with the second trunk and is full at the limit', () => {
    expect([0, 1, 2, 4, 5].map((trunks) => at(trunks, { unanswered: 9 }))).toEqual([0, 0, 250, 750, 1_000])
  })
  it('needs calls that come to nothing: a carrier may share the load among its trunks', () => {
    expect([0, 1, 2].map((unanswered) => at(5, { unanswered }))).toEqual([0, 500, 1_000])
    expect([
      at(5, { unanswered: 4, brief: 1 }),
      at(5, { unanswered: 3, brief: 1 }),
      at(5, { unanswered: 4, brief: 2 }),
    ]).toEqual([1_000, 500, 0])
  })
  it('expects another way for every eighth call that is heard', () => {
    expect([7, 8, 16].map((brief) => at(5, { brief, unanswered: 99 }))).toEqual([1_000, 750, 500])
  })
})

describe('callee-flood', () => {
  const at = (others15: number, more: Partial<ActivityView> = {}) =>
    strengthOf('callee-flood', { called: { others15, ...ended({ unanswered: others15 }), ...more } })
  it('begins above half the callers and is full at all of them', () => {
    expect([6, 7, 11, 12].map((callers) => at(callers))).toEqual([0, 166, 833, 1_000])
  })
  it('counts callers, not the calls of one phone that redials', () => {
    expect(at(1, { attempts15: 99, ...ended({ unanswered: 99 }) })).toBe(0)
  })
  it('counts calls that came to nothing only', () => {
    expect(at(99, ended({ unanswered: 6 }))).toBe(0)
    expect(at(99, ended({ unanswered: 12, brief: 3 }))).toBe(0)
  })
  it('knows a callee that always gets many calls', () => {
    expect([at(12, { days: 1, totalAttempts: 99 }), at(12, { days: 2, totalAttempts: 96 })]).toEqual([1_000, 0])
  })
})

describe('number-block', () => {
  it('is what is reported around the number', () => {
    expect([0, 1, 1_000].map((blockHarm) => strengthOf('number-block', { blockHarm }))).toEqual([0, 1, 1_000])
  })
})

describe('impersonation', () => {
  it('is what reporters were told in the name of a bank, the operator or the state', () => {
    const told = SCENARIOS.filter((_, index) => strengthOf('impersonation', { scenario: index + 1 }) === 1_000)
    expect(told).toEqual(['state-services', 'operator-code', 'bank'])
    expect(strengthOf('impersonation', { scenario: 0 })).toBe(0)
  })
})

describe('calling-pattern', () => {
  const unanswered = (count: number) => ended({ unanswered: count })
  const KNOWN = { incoming: { totalAttempts: 1 } }

  it('adds weights by doublings of 1 + count to the bias: nothing at 0, full at the limit', () => {
    const at = (others1: number) => strengthOf('calling-pattern', { outgoing: { others1, ...unanswered(9) } })
    // -2,000 + 1,000 x log2(1 + count): 0 at 3, 1,000 at 7.
    expect([0, 3, 7, 8].map(at)).toEqual([0, 0, 1_000, 1_000])
    expect(at(5)).toBeGreaterThan(500)
    expect(at(5)).toBeLessThan(700)
  })
  it('counts callees as far as calls in vain account for them, less twice those that were heard, beside the first', () => {
    const at = (others1: number, count: number, brief = 0) =>
      strengthOf('calling-pattern', { outgoing: { others1, ...ended({ unanswered: count, brief }) } })
    expect([at(99, 2), at(99, 3), at(99, 6), at(7, 9)]).toEqual([0, at(4, 9), 1_000, 1_000])
    expect([at(99, 5, 1), at(99, 8, 1), at(99, 99, 49)]).toEqual([at(4, 9), 1_000, at(3, 9)])
  })
  it('counts newcomers as far as the calls of their block are in vain, and never the first', () => {
    const at = (newcomers60: number, block: Partial<ActivityView>) =>
      strengthOf('calling-pattern', { newcomers60, block, outgoing: { days: 9 }, ...KNOWN })
    expect([at(8, unanswered(4)), at(1, unanswered(4)), at(8, {}), at(8, ended({ unanswered: 4, brief: 2 }))]).toEqual([
      1_000, 0, 0, 0,
    ])
  })
  it('of a rate alone is less than a block: nobody knows yet how the calls end', () => {
    const at = (count: number) =>
      strengthOf('calling-pattern', { outgoing: { days: 9, sequential60: 99, ...unanswered(count) }, ...KNOWN })
    expect([at(0), at(1), at(2)]).toEqual([900, 900, 1_000])
  })
  it('is backed by calls in vain of other numbers of the block too', () => {
    const at = (count: number) =>
      strengthOf('calling-pattern', { outgoing: { sequential60: 99 }, block: unanswered(count) })
    expect([at(1), at(2)]).toEqual([900, 1_000])
  })
  it('is backed by another stranger of the same kind on the trunk, not by being odd alone', () => {
    const at = (oddities: number, others: number) =>
      strengthOf('calling-pattern', {
        oddities,
        strangers15: Int32Array.of(9, others, 9),
        outgoing: { sequential60: 99 },
      })
    expect([at(ODDITY.newcomer, 9), at(ODDITY.neighbour, 0), at(ODDITY.neighbour, 1)]).toEqual([900, 900, 1_000])
  })
  it('is outweighed by good evidence', () => {
    // 1,000 x log2(8) - 500 x log2(4) - 2,000 = 0
    const at = (days: number) => strengthOf('calling-pattern', { outgoing: { others1: 7, days, ...unanswered(9) } })
    expect([at(3), at(1)]).toEqual([0, 500])
  })
  it('has a scorecard for numbers that nobody calls, of their first two days', () => {
    const at = (days: number, incoming: Partial<ActivityView> = {}) =>
      strengthOf('calling-pattern', { outgoing: { others15: 15, days, ...unanswered(14) }, incoming })
    expect([at(2), at(3), at(2, { totalAttempts: 1 })]).toEqual([1_000, 0, 0])
  })
  it('has a scorecard for numbers that do not fit, and a newcomer is none', () => {
    const at = (oddities: number) =>
      strengthOf('calling-pattern', { ...KNOWN, oddities, strangers15: Int32Array.of(0, 7, 0) })
    expect([at(0), at(ODDITY.newcomer), at(ODDITY.neighbour)]).toEqual([0, 0, 1_000])
  })
  it('is the worst of those that are about the caller', () => {
    const at = (others1: number, others15: number) =>
      strengthOf('calling-pattern', { outgoing: { others1, others15, ...unanswered(14) } })
    expect([at(5, 5), at(5, 15), at(7, 7)]).toEqual([at(5, 0), 1_000, 1_000])
  })
  it('counts a stranger among the strangers on his trunk, and nobody else', () => {
    const at = (others: number, oddities: number) =>
      strengthOf('calling-pattern', { ...KNOWN, oddities, strangers15: Int32Array.of(0, others, 0) })
    expect([at(3, ODDITY.neighbour), at(7, ODDITY.neighbour), at(7, 0)]).toEqual([0, 1_000, 0])
  })
})

describe('good evidence', () => {
  it('known-contact: they have talked, as far as was asked', () => {
    const at = (contact: number) => strengthOf('known-contact', { contact })
    expect([CONTACT_NOT_ASKED, 0, 1].map(at)).toEqual([0, 0, 1_000])
  })

  it('conversations: a number with a past, from 6 long talks to 40', () => {
    const at = (totalLong: number, days = 3, calls = 20) =>
      strengthOf('conversations', {
        outgoing: { days, totalAttempts: 20 * calls, totalLong },
        incoming: { totalAttempts: calls },
      })
    expect([5, 6, 39, 40].map((long) => at(long))).toEqual([0, 28, 971, 1_000])
    expect(at(40, 2)).toBe(0)
  })

  it('conversations: not of a number that nobody calls back', () => {
    const at = (totalAttempts: number) =>
      strengthOf('conversations', {
        outgoing: { days: 3, totalAttempts: 100, totalLong: 40 },
        incoming: { totalAttempts },
      })
    expect([at(4), at(5)]).toEqual([0, 1_000])
  })

  it('is measured after all harm: the last of the signals', () => {
    const mitigating = SIGNAL_NAMES.map((name) => SIGNAL_FACTS[name].mitigates)
    expect(mitigating.lastIndexOf(false)).toBeLessThan(mitigating.indexOf(true))
    expect(SIGNAL_NAMES.length).toBeLessThanOrEqual(31)
  })
})
