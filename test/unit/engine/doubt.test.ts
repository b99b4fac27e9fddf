import { describe, expect, it } from 'vitest'
import type { Call } from '../../../src/domain/call-event.ts'
import { DECISION_FLAG } from '../../../src/domain/decision-record.ts'
import type { ListKind } from '../../../src/domain/number-list.ts'
import type { PolicyDocument } from '../../../src/domain/policy.ts'
import type { Report } from '../../../src/domain/report.ts'
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
} from '../../fixtures/screening-world.ts'

const DENIED = 2
/** Only what these tests are about: the default policy is fitted and may change. */
const POINTS = { 'deny-listed': 97, 'originating-denied': 95, reported: 90, 'robocall-burst': 90, 'known-contact': 50 }
const policy: PolicyDocument = {
  ...DEFAULT_POLICY,
  thresholds: { flag: 50, block: 80 },
  rules: Object.entries(POINTS).map(([signal, points]) => ({
    signal: signal as keyof typeof POINTS,
    mode: 'enforce',
    points,
  })),
}

/** Both twins, which must agree: the fast one's verdict, score, reasons and wish for a review, the slow one's step. */
function judged(world: World, call: Partial<Call> = {}) {
  const opened = openWorld({ policy, ...world })
  const slow = opened.explain(call)
  const fast = opened.screen(call)
  const reasons = fast.reasons.map(({ code, points }) => ({ code, points }))
  const reviewWanted = (fast.flags & DECISION_FLAG.reviewWanted) !== 0
  expect(slow).toMatchObject({ verdict: fast.verdict, score: fast.score, reviewWanted })
  expect(slow.reasons.map(({ code, points }) => ({ code, points }))).toEqual(reasons)
  return {
    verdict: fast.verdict,
    score: fast.score,
    step: slow.step,
    reviewWanted,
    codes: reasons.map(({ code }) => code),
  }
}

const on = (kind: ListKind) => ({ lists: [{ name: kind, kind, layers: [{ numbers: [CALLER] }] }] })
const burst = (more: Partial<Report> = {}) => ({ reports: reports(8, more) })
/** Twenty calls in this minute that nobody takes: twice any limit of a robocall burst. */
const rush: WorldEvent[] = Array.from({ length: 20 }, (_, index): WorldEvent[] => {
  const callee = CALLEE + 1_000 + 10 * index
  return [
    { type: 'call', call: { callee, nowMs: NOW } },
    { type: 'end', end: { callee, answered: false, ringMs: 20_000, nowMs: NOW } },
  ]
}).flat()

/** Long talks on so many days, all of them with others than the callee. */
function talks(days: number, perDay: number): WorldEvent[] {
  return Array.from({ length: days * perDay }, (_, index): WorldEvent[] => {
    const nowMs = NOW - (days - Math.floor(index / perDay)) * DAY_MS
    const callee = CALLEE + 1_000 + 10 * (index % perDay)
    return [
      { type: 'call', call: { callee, nowMs } },
      { type: 'end', end: { callee, answered: true, ringMs: 5_000, talkMs: 90_000, nowMs: nowMs + 95_000 } },
    ]
  }).flat()
}

describe('a suspicious burst of reports', () => {
  it('flags and asks for a review instead of a block, and leaves the score what it is', () => {
    const answer = judged(burst())
    expect(answer).toEqual({
      verdict: 'flag',
      score: 90,
      step: 'report-burst',
      reviewWanted: true,
      codes: ['reported', 'report-burst'],
    })
  })

  it('begins with the eighth report: seven block', () => {
    expect(judged({ reports: reports(7) })).toMatchObject({
      verdict: 'block',
      score: 90,
      step: 'score',
      reviewWanted: false,
    })
  })

  it('is none when the network saw the reporters being called', () => {
    expect(judged(burst({ callMatch: 'yes' }))).toMatchObject({ verdict: 'block', step: 'score', reviewWanted: false })
  })

  it('is forgotten where five more report over time', () => {
    const later = reports(5, { receivedMs: NOW - DAY_MS }).map((report) => ({
      ...report,
      reporter: report.reporter.replace('a', '9'),
    }))
    expect(judged({ reports: [...later, ...reports(8)] })).toMatchObject({ verdict: 'block', step: 'score' })
  })

  it('spares nobody whose behaviour alone blocks', () => {
    expect(judged({ ...burst(), history: rush })).toMatchObject({
      verdict: 'block',
      step: 'score',
      reviewWanted: false,
    })
    // Three calls in vain are not enough.
    expect(judged({ ...burst(), history: rush.slice(0, 6) })).toMatchObject({
      verdict: 'flag',
      step: 'report-burst',
      reviewWanted: true,
    })
  })

  it('spares nobody whose number is contradicted', () => {
    expect(judged(burst(), { originating: DENIED })).toMatchObject({
      verdict: 'block',
      step: 'score',
      reviewWanted: false,
    })
  })

  it('spares nobody on a deny list', () => {
    expect(judged({ ...burst(), ...on('deny') })).toMatchObject({
      verdict: 'block',
      step: 'deny-listed',
      reviewWanted: false,
    })
  })

  it('is not what spares a protected caller', () => {
    const answer = judged({ ...burst(), ...on('protected') })
    expect(answer).toMatchObject({ verdict: 'flag', step: 'protected', reviewWanted: true })
    expect(answer.codes).not.toContain('report-burst')
  })

  it('says nothing where the score does not block', () => {
    const flagged: PolicyDocument = { ...policy, thresholds: { flag: 50, block: 91 } }
    const answer = judged({
      policy: { ...flagged, rules: [{ signal: 'reported', mode: 'enforce', points: 90 }] },
      ...burst(),
    })
    expect(answer).toMatchObject({ verdict: 'flag', step: 'score', reviewWanted: false, codes: ['reported'] })
  })

  it('is capped like any flag by what the callee asked for', () => {
    expect(judged(burst(), { treatment: 1 })).toMatchObject({
      verdict: 'allow',
      step: 'report-burst',
      reviewWanted: true,
    })
  })
})

describe('contested reports', () => {
  it('of an established number: five that nobody saw being called flag, and are looked at', () => {
    const answer = judged({ reports: reports(5, { standing: 'established' }) })
    expect(answer).toEqual({
      verdict: 'flag',
      score: 90,
      step: 'reports-contested',
      reviewWanted: true,
      codes: ['reported', 'reports-contested'],
    })
  })

  it('of an established number: five whom the network saw being called block', () => {
    expect(judged({ reports: reports(5, { standing: 'established', callMatch: 'yes' }) })).toMatchObject({
      verdict: 'block',
      step: 'score',
    })
  })

  it('of a number of high volume: never block, whoever reports', () => {
    expect(judged({ reports: reports(20, { standing: 'high-volume', callMatch: 'yes' }) })).toMatchObject({
      verdict: 'flag',
      step: 'reports-contested',
      reviewWanted: true,
    })
  })

  it('of a number whose calls of fourteen days are of high volume, though no report said so', () => {
    const seen = (days: number) => judged({ reports: reports(5, { callMatch: 'yes' }), history: talks(days, 20) })
    expect(seen(14)).toMatchObject({ verdict: 'flag', step: 'reports-contested', reviewWanted: true })
    expect(seen(13)).toMatchObject({ verdict: 'block', step: 'score', reviewWanted: false })
  })

  it('spare nobody whose behaviour alone blocks', () => {
    expect(judged({ reports: reports(5, { standing: 'high-volume' }), history: rush })).toMatchObject({
      verdict: 'block',
      step: 'score',
    })
  })
})

describe('somebody the callee has talked with', () => {
  const talked = (talkMs: number, more: Partial<Call> = {}): WorldEvent[] => [
    { type: 'call', call: { nowMs: NOW - 120_000, ...more } },
    { type: 'end', end: { answered: true, ringMs: 5_000, talkMs, nowMs: NOW - 20_000, ...more } },
  ]

  it('is judged more mildly from a minute of talk on', () => {
    expect(judged({ reports: reports(5), history: talked(59_999) })).toMatchObject({ verdict: 'block', score: 90 })
    const known = judged({ reports: reports(5), history: talked(60_000) })
    expect(known).toMatchObject({ verdict: 'allow', score: 45, codes: ['reported', 'known-contact'] })
  })

  it('is known whoever called, and not to anybody else', () => {
    const back = talked(60_000, { caller: CALLEE, callee: CALLER })
    expect(judged({ reports: reports(5), history: back })).toMatchObject({ verdict: 'allow' })
    expect(judged({ reports: reports(5), history: talked(60_000) }, { callee: CALLEE + 1 })).toMatchObject({
      verdict: 'block',
    })
  })

  it('is no reason where nothing stands against the caller', () => {
    expect(judged({ history: talked(60_000) })).toMatchObject({ verdict: 'allow', score: 0, codes: ['no-evidence'] })
  })

  it('gets through no deny list, and no contradicted number', () => {
    const history = talked(60_000)
    expect(judged({ history, ...on('deny') })).toMatchObject({ verdict: 'block', step: 'deny-listed' })
    const contradicted = judged({ history }, { originating: DENIED })
    expect(contradicted).toMatchObject({ verdict: 'block', score: 95, codes: ['originating-denied'] })
  })

  it('is no reason beside a rule that only watches', () => {
    const rules = policy.rules.map((rule) => (rule.signal === 'reported' ? { ...rule, mode: 'shadow' as const } : rule))
    const answer = judged({ policy: { ...policy, rules }, reports: reports(5), history: talked(60_000) })
    expect(answer).toMatchObject({ verdict: 'allow', score: 0, codes: ['no-evidence'] })
  })
})

describe('an emergency or operator service as the caller', () => {
  const own: PolicyDocument = { ...policy, callees: { emergency: ['112'], service: ['0611'] } }
  it.each([
    ['112', 1_112],
    ['0611', 10_611],
  ])('is spared like a protected caller: %s', (_, caller) => {
    const told = reports(6).map((report) => ({ ...report, number: caller as Report['number'] }))
    expect(judged({ policy: own, reports: told }, { caller })).toMatchObject({
      verdict: 'flag',
      score: 90,
      step: 'protected',
      reviewWanted: true,
      codes: ['reported', 'protected'],
    })
  })
  it('is one of the policy: another short number is blocked', () => {
    const told = reports(6).map((report) => ({ ...report, number: 1_555 as Report['number'] }))
    expect(judged({ policy: own, reports: told }, { caller: 1_555 })).toMatchObject({ verdict: 'block', step: 'score' })
  })
  it('is blocked where it is contradicted: whoever borrows it gets no favour', () => {
    expect(judged({ policy: own }, { caller: 1_112, originating: DENIED })).toMatchObject({ verdict: 'block' })
  })
})
