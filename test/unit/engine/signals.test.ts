import { describe, expect, it } from 'vitest'
import type { Call } from '../../../src/domain/call-event.ts'
import type { SignalName } from '../../../src/domain/policy.ts'
import {
  CALLER,
  DAY_MS,
  DEFAULT_POLICY,
  FOREIGNER,
  NOW,
  openWorld,
  reports,
  type World,
} from '../../fixtures/screening-world.ts'

const SUBSCRIBER = 1
const NATIONAL = 2
const INTERNATIONAL = 3
const CONFIRMED = 1
const DENIED = 2
const PASSED = 1
const FAILED = 2
const NOT_VALIDATED = 3

function strengthOf(signal: SignalName, world: World, call: Partial<Call> = {}): number {
  const found = openWorld(world)
    .explain(call)
    .signals.find((judged) => judged.signal === signal)
  return found?.strength ?? Number.NaN
}

describe('national-from-abroad', () => {
  it.each([
    ['roaming denied', { ingress: INTERNATIONAL, roaming: DENIED }, 1],
    ['roaming unknown', { ingress: INTERNATIONAL }, 0.5],
    ['roaming confirmed', { ingress: INTERNATIONAL, roaming: CONFIRMED }, 0],
    ['from a national network', { ingress: NATIONAL, roaming: DENIED }, 0],
    ['from a subscriber', { ingress: SUBSCRIBER, roaming: DENIED }, 0],
    ['nobody knows from where', { roaming: DENIED }, 0],
    ['a foreign number', { ingress: INTERNATIONAL, roaming: DENIED, caller: FOREIGNER }, 0],
    ['a Kazakh number under the same calling code', { ingress: INTERNATIONAL, caller: 77012345678 }, 0],
    ['no number', { ingress: INTERNATIONAL, roaming: DENIED, caller: -1 }, 0],
  ])('%s', (_name, call, expected) => {
    expect(strengthOf('national-from-abroad', {}, call)).toBe(expected)
  })

  it('takes the ingress of the registered trunk when the switch does not say', () => {
    const trunks = [{ name: 'abroad', kind: 'international', screening: 'enforce', failMode: 'open' }] as const
    expect(strengthOf('national-from-abroad', { trunks }, { trunk: 1 })).toBe(0.5)
    expect(strengthOf('national-from-abroad', { trunks }, { trunk: 1, ingress: NATIONAL })).toBe(0)
  })
})

describe('own-number-from-outside', () => {
  const own: World = {
    lists: [{ name: 'ours', kind: 'own', ranges: [{ from: 79160000000, to: 79169999999 }] }],
  }
  it.each([
    ['from a national network', { ingress: NATIONAL }, 0.7],
    ['from abroad', { ingress: INTERNATIONAL }, 0.7],
    ['from abroad, roaming denied', { ingress: INTERNATIONAL, roaming: DENIED }, 0.7],
    ['from abroad, roaming', { ingress: INTERNATIONAL, roaming: CONFIRMED }, 0],
    ['redirected', { ingress: NATIONAL, redirecting: 79031112234 }, 0],
    ['redirected by garbage', { ingress: NATIONAL, redirecting: -5 }, 0.7],
    ['from a subscriber', { ingress: SUBSCRIBER }, 0],
    ['nobody knows from where', {}, 0],
    ['first number of the range', { ingress: NATIONAL, caller: 79160000000 }, 0.7],
    ['one before the range', { ingress: NATIONAL, caller: 79159999999 }, 0],
    ['last number of the range', { ingress: NATIONAL, caller: 79169999999 }, 0.7],
    ['one after the range', { ingress: NATIONAL, caller: 79170000000 }, 0],
  ])('%s', (_name, call, expected) => {
    expect(strengthOf('own-number-from-outside', own, call)).toBe(expected)
  })
})

describe('impossible-number', () => {
  const plan = { covers: [[79000000000, 79999999999]], allocated: [[79160000000, 79160000999]] } as const
  const at = (caller: number) => strengthOf('impossible-number', { plans: [plan] }, { caller })
  it('knows numbers that were given to somebody', () => {
    expect([79160000000, 79160000999].map(at)).toEqual([0, 0])
  })
  it('sees the numbers beside them', () => {
    expect([79159999999, 79160001000].map(at)).toEqual([1, 1])
  })
  it('says nothing outside what the plan covers', () => {
    expect([78999999999, 80000000000, FOREIGNER, 1112, -1].map(at)).toEqual([0, 0, 0, 0, 0])
  })
  it('believes any plan that knows the number', () => {
    const other = { covers: [[79000000000, 79999999999]], allocated: [[79170000000, 79170000000]] } as const
    expect(strengthOf('impossible-number', { plans: [plan, other] }, { caller: 79170000000 })).toBe(0)
  })
  it('is weaker from a plan older than 35 days', () => {
    const aged = (ms: number) =>
      strengthOf('impossible-number', { plans: [{ ...plan, asOfMs: NOW - ms }] }, { caller: 79170000000 })
    expect(aged(35 * DAY_MS)).toBe(1)
    expect(aged(35 * DAY_MS + 1)).toBe(0.6)
  })
  it('blocks by a fresh plan, and only flags by a stale one, whatever else is a little suspicious', () => {
    const answer = (asOfMs: number, call: Partial<Call> = {}) =>
      openWorld({ plans: [{ ...plan, asOfMs }] }).screen({ caller: 79170000000, ...call })
    expect(answer(NOW)).toMatchObject({ verdict: 'block', basis: 'deterministic', score: 95 })
    expect(answer(NOW - 36 * DAY_MS)).toMatchObject({ verdict: 'flag', basis: 'analytics', score: 57 })
    expect(answer(NOW - 36 * DAY_MS, { ingress: INTERNATIONAL, attestation: 3 })).toMatchObject({
      verdict: 'flag',
      score: 78,
    })
  })
})

describe('STIR', () => {
  it.each([
    ['nothing at all', {}, [0, 0, 0]],
    ['A, verified', { attestation: 1, verstat: PASSED }, [0, 0, 1]],
    ['A, nothing verified', { attestation: 1 }, [0, 0, 0]],
    ['A, failed', { attestation: 1, verstat: FAILED }, [1, 0, 0]],
    ['B, verified', { attestation: 2, verstat: PASSED }, [0, 0, 0]],
    ['C, verified', { attestation: 3, verstat: PASSED }, [0, 1, 0]],
    ['C', { attestation: 3 }, [0, 1, 0]],
    ['not validated', { verstat: NOT_VALIDATED }, [0, 0.5, 0]],
  ])('%s', (_name, call, expected) => {
    const names = ['verification-failed', 'attestation-weak', 'attested'] as const
    expect(names.map((signal) => strengthOf(signal, {}, call))).toEqual(expected)
  })
})

describe('callers without a usable number', () => {
  it.each([
    [-1, 1, 0],
    [-2, 0, 1],
    [-3, 0, 1],
    [-4, 0, 1],
    [-5, 0, 1],
    [CALLER, 0, 0],
    [1112, 0, 0],
  ])('caller %i', (caller, withheld, invalid) => {
    expect(strengthOf('withheld', {}, { caller })).toBe(withheld)
    expect(strengthOf('invalid-caller', {}, { caller })).toBe(invalid)
  })

  it('are allowed with the reason by the default policy', () => {
    expect(openWorld().screen({ caller: -1 })).toMatchObject({ verdict: 'allow', reasons: [{ code: 'withheld' }] })
    expect(openWorld().screen({ caller: -5 })).toMatchObject({
      verdict: 'allow',
      reasons: [{ code: 'invalid-caller' }],
    })
  })
})

describe('reported', () => {
  it.each([
    [0, 'allow'],
    [1, 'allow'],
    [2, 'allow'],
    [3, 'flag'],
    [4, 'flag'],
    [5, 'block'],
    [6, 'block'],
    [7, 'block'],
    // From eight strangers in ten minutes on, it may be a concerted lie (report-doubts.ts).
    [8, 'flag'],
    [40, 'flag'],
  ])('%i reporters at the same moment: %s', (count, verdict) => {
    expect(openWorld({ reports: reports(count) }).screen({}).verdict).toBe(verdict)
  })

  it.each([
    [2, 'allow'],
    [3, 'flag'],
    [4, 'flag'],
    [5, 'block'],
  ])('%i reporters of an attested caller: %s', (count, verdict) => {
    expect(openWorld({ reports: reports(count) }).screen({ attestation: 1, verstat: PASSED }).verdict).toBe(verdict)
  })

  it('forgets reporters after ten days', () => {
    const world = openWorld({ reports: reports(5) })
    expect(world.screen({ nowMs: NOW + 10 * DAY_MS }).verdict).toBe('block')
    expect(world.screen({ nowMs: NOW + 10 * DAY_MS + 1000 }).verdict).toBe('allow')
  })

  it('does not count reporters nobody believes', () => {
    const { weightMin } = DEFAULT_POLICY.reports
    expect(openWorld({ reports: reports(5, { weight: weightMin }) }).screen({}).verdict).toBe('block')
    expect(openWorld({ reports: reports(5, { weight: weightMin - 0.0001 }) }).screen({}).verdict).toBe('allow')
  })

  it('judges a call by reports of its own ingress kind', () => {
    const world = openWorld({ reports: reports(5, { ingress: INTERNATIONAL }) })
    expect(world.screen({ ingress: SUBSCRIBER }).verdict).toBe('allow')
    expect(world.screen({ ingress: INTERNATIONAL, roaming: CONFIRMED }).verdict).toBe('block')
    expect(world.screen({}).verdict).toBe('block')
  })

  it('reaches its thresholds whatever they are, when it has the points', () => {
    for (const [flag, block] of [
      [1, 1],
      [33, 67],
      [50, 80],
      [59, 61],
      [100, 100],
    ] as const) {
      const policy = {
        ...DEFAULT_POLICY,
        thresholds: { flag, block },
        rules: [{ signal: 'reported', mode: 'enforce', points: block }] as const,
      }
      const verdict = (count: number) => openWorld({ policy, reports: reports(count) }).screen({}).verdict
      expect([verdict(2), verdict(5)]).toEqual(['allow', 'block'])
      expect(verdict(3)).toBe(flag === block ? 'block' : 'flag')
    }
  })

  it('grows with every reporter', () => {
    const strengths = [0, 1, 2, 3, 4, 5, 6].map((count) => strengthOf('reported', { reports: reports(count) }))
    expect(strengths).toEqual([0, 0.208, 0.416, 0.625, 0.812, 1, 1])
  })
})

describe('reported-share', () => {
  it('is the lower bound of decayed evidence, and remembers longer than the window', () => {
    expect(strengthOf('reported-share', { reports: reports(3) })).toBe(0.525)
    expect(strengthOf('reported-share', { reports: reports(3) }, { nowMs: NOW + 30 * DAY_MS })).toBe(0.356)
  })

  it('alone never moves a number across a step of the window rule', () => {
    const old = reports(32, { receivedMs: NOW - 10 * DAY_MS - 1 })
    const fresh = (count: number) =>
      reports(count, { receivedMs: NOW }).map((report) => ({ ...report, reporter: report.reporter.replace('a', 'b') }))
    const verdict = (count: number) => openWorld({ reports: [...old, ...fresh(count)] }).screen({}).verdict
    expect([0, 2, 3, 4, 5].map(verdict)).toEqual(['allow', 'allow', 'flag', 'flag', 'block'])
  })
})

describe('originating-denied', () => {
  it('is the word of the owner alone', () => {
    expect([0, CONFIRMED, DENIED].map((originating) => strengthOf('originating-denied', {}, { originating }))).toEqual([
      0, 0, 1,
    ])
  })
})
