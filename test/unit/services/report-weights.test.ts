import { beforeEach, describe, expect, it } from 'vitest'
import { diallingRules, parsePhoneNumber } from '../../../src/domain/parse-phone-number.ts'
import type { PhoneNumber } from '../../../src/domain/phone-number.ts'
import type { CallMatch, NumberStanding } from '../../../src/domain/report.ts'
import { countReporters, decayedGood, harmLowerBound } from '../../../src/domain/reputation.ts'
import { createReportIntake, REPORT_INTAKE_DEFAULTS, type ReportIntake } from '../../../src/services/accept-report.ts'
import { createGoodCalls, GOOD_CALLS_DEFAULTS } from '../../../src/services/note-good-calls.ts'
import { createPseudonyms } from '../../../src/services/pseudonym.ts'
import { createReviewDesk } from '../../../src/services/review-number.ts'
import { createMemoryStore, type MemoryStore } from '../../../src/stores/memory/memory-store.ts'
import { POLICY } from '../../support/sample-policy.ts'

const HOME = diallingRules('RU')
const parse = (text: string) => parsePhoneNumber(text, HOME, 'call')
const pseudonyms = createPseudonyms({ key: new Uint8Array(32) }, { parse })
const DAY_MS = 86_400_000
const START = Date.parse('2026-03-01T12:00:00Z')
const NUMBER = '+79160000002'
const PER_DAY = REPORT_INTAKE_DEFAULTS.reporterNumbersPerDay

type Body = Parameters<ReportIntake['accept']>[0]
let store: MemoryStore
let intake: ReportIntake
let nowMs: number
let match: CallMatch
let standing: NumberStanding

beforeEach(async () => {
  nowMs = START
  match = 'unknown'
  standing = 'unknown'
  const now = () => nowMs
  store = createMemoryStore({}, { now })
  await store.putPolicy({ text: '', document: POLICY }, {}, 'test')
  intake = createReportIntake(REPORT_INTAKE_DEFAULTS, {
    store,
    pseudonyms,
    membership: { of: () => [] },
    parse,
    callMatch: async () => match,
    standingOf: async () => standing,
    notify: async () => {},
    now,
    metrics: { accepted: () => {} },
  })
})

const number = (index: number) => `+7916${String(1_000_000 + index).padStart(7, '0')}`
const report = (reporter: string, fields: Partial<Body> = {}) =>
  intake.accept({ number: NUMBER, channel: 'hotline', scenario: 'bank', reporter, ...fields }, 'agent')
const reporters = (text = NUMBER) => {
  const record = store.reputationOf(parse(text) as PhoneNumber)
  return record === undefined ? 0 : countReporters(record, 0, nowMs, 10, 0.3, 32)
}

async function decide(text: string, outcome: 'confirmed' | 'innocent'): Promise<void> {
  const request = { number: parse(text) as PhoneNumber, cause: 'reported', score: 50, atMs: nowMs } as const
  const { review } = await store.openReview(request, 'system')
  const desk = createReviewDesk({
    store,
    membership: { of: () => [] },
    addEntries: async () => {},
    notify: async () => {},
    now: () => nowMs,
  })
  await desk.close(review.reviewId, { outcome }, 'anna')
}

describe('the weight of a report', () => {
  it.each([
    ['unknown', 1],
    ['yes', 1],
    ['no', 0.2],
  ] as const)('follows the call match %s', async (given, weight) => {
    match = given
    const accepted = await report('anna')
    expect(accepted).toMatchObject({ weight, callMatch: given })
    expect(store.report(accepted.reportId)).toMatchObject({ weight, callMatch: given })
  })

  it('lets five strangers of the hotline block, and four of them not', async () => {
    for (const who of ['a', 'b', 'c', 'd']) await report(who)
    expect(reporters()).toBe(4)
    await report('e')
    expect(reporters()).toBe(5)
  })

  it('is nothing for a call of long ago', async () => {
    const at = new Date(START - 30 * DAY_MS - 1).toISOString()
    expect(await report('anna', { at })).toMatchObject({ weight: 0, notCounted: 'long-ago' })
    expect(await report('boris', { at: new Date(START - 30 * DAY_MS).toISOString() })).toMatchObject({ weight: 0.2 })
  })

  it('is little for a call dated before those that are remembered, unless the call is known', async () => {
    const dated = (ms: number) => ({ at: new Date(START - 7 * DAY_MS - ms).toISOString() })
    expect(await report('anna', dated(0))).toMatchObject({ weight: 1 })
    expect(await report('boris', dated(1))).toMatchObject({ weight: 0.2, callMatch: 'unknown' })
    match = 'yes'
    expect(await report('vera', dated(1))).toMatchObject({ weight: 1 })
  })

  it('survives one mistake and not three lies, on the channel that weighs most', async () => {
    for (let lie = 0; lie < 3; lie++) {
      await report('liar', { number: number(lie) })
      await decide(number(lie), 'innocent')
      nowMs += 1
      const { weight } = await report('liar', { number: number(100 + lie) })
      expect(weight >= 0.3).toBe(lie < 2)
    }
  })

  it('does not grow beyond one voice by being right', async () => {
    for (let index = 0; index < 5; index++) {
      await report('anna', { number: number(index) })
      await decide(number(index), 'confirmed')
    }
    const { reportId, weight } = await report('anna')
    expect(weight).toBe(1)
    expect(store.report(reportId)?.isProven).toBe(true)
  })

  it('is that of the first acceptance when a report is sent again', async () => {
    await report('anna', { reportId: 'r1' })
    match = 'no'
    expect(await report('anna', { reportId: 'r1' })).toMatchObject({ duplicate: true, weight: 1, callMatch: 'unknown' })
  })
})

describe('one reporter', () => {
  it('counts for so many numbers a day and not one more, whichever channel he uses', async () => {
    for (let index = 0; index < PER_DAY; index++) {
      const channel = index % 2 === 0 ? 'hotline' : 'app'
      expect((await report('+79161234567', { number: number(index), channel })).weight).toBeGreaterThan(0)
    }
    const beyond = await report('8 916 123-45-67', { number: number(PER_DAY) })
    expect(beyond).toMatchObject({ accepted: true, weight: 0, notCounted: 'reporter-daily-limit' })
    expect(reporters(number(PER_DAY))).toBe(0)
    expect(store.report(beyond.reportId)?.notCounted).toBe('reporter-daily-limit')
    // A number he has reported today is none more, and tomorrow is another day.
    expect((await report('+79161234567', { number: number(0) })).notCounted).toBeUndefined()
    nowMs += DAY_MS
    expect((await report('+79161234567', { number: number(PER_DAY + 1) })).weight).toBe(1)
  })

  it('gets no more through by sending everything at once', async () => {
    const all = Array.from({ length: PER_DAY + 5 }, (_, index) => report('anna', { number: number(index) }))
    const counted = (await Promise.all(all)).filter(({ weight }) => weight > 0)
    expect(counted).toHaveLength(PER_DAY)
  })

  it('counts once through two channels', async () => {
    await report('+79161234567')
    const again = await report('8 (916) 123-45-67', { channel: 'app' })
    expect(again.duplicate).toBe(true)
    expect(reporters()).toBe(1)
  })
})

describe('a household', () => {
  it('counts as one reporter on a number, and keeps its name to itself', async () => {
    for (const who of ['a', 'b', 'c', 'd', 'e']) await report(who, { household: 'flat 12' })
    expect(reporters()).toBe(1)
    await report('f', { household: 'flat 13' })
    await report('g')
    expect(reporters()).toBe(3)
    expect(JSON.stringify(store.reportsOf(parse(NUMBER) as PhoneNumber, 10))).not.toContain('flat')
  })

  it('is never taken for a reporter of the same name', () => {
    expect(pseudonyms.household('anna')).not.toBe(pseudonyms.reporter('anna'))
  })
})

describe('reporters who always agree', () => {
  const clique = ['a', 'b', 'c', 'd', 'e', 'f']

  async function agreeOn(count: number): Promise<void> {
    for (let index = 0; index < count; index++) {
      for (const who of clique) await report(who, { number: number(index) })
      nowMs += 60_000
    }
  }

  it('count as one from the ninth number on', async () => {
    await agreeOn(8)
    expect(reporters(number(7))).toBe(6)
    for (const who of clique) await report(who)
    expect(reporters()).toBe(1)
    await report('somebody else')
    expect(reporters()).toBe(2)
  })

  it('are six after seven numbers', async () => {
    await agreeOn(7)
    for (const who of clique) await report(who)
    expect(reporters()).toBe(6)
  })

  it('are found out when they all come at once', async () => {
    await agreeOn(8)
    await Promise.all(clique.map((who) => report(who)))
    expect(reporters()).toBe(1)
  })
})

describe('the opinion that a number is no spam', () => {
  const good = (who: string, fields: Partial<Body> = {}) =>
    intake.accept({ number: NUMBER, channel: 'hotline', reporter: who, opinion: 'not-spam', ...fields }, 'agent')
  const evidence = () => decayedGood(store.reputationOf(parse(NUMBER) as PhoneNumber)!, 0, nowMs)

  it('weighs a quarter of a report and needs no scenario', async () => {
    expect(await good('anna')).toMatchObject({ weight: 0.25 })
    expect(evidence()).toBe(0.25)
    expect(reporters()).toBe(0)
  })

  it('is counted up to half a report a day', async () => {
    expect((await good('a')).weight).toBe(0.25)
    expect((await good('b')).weight).toBe(0.25)
    expect(await good('c')).toMatchObject({ weight: 0, notCounted: 'number-daily-limit' })
    nowMs += DAY_MS
    expect((await good('d')).weight).toBe(0.25)
  })

  it('is counted no further when accomplices all say so at once', async () => {
    const all = await Promise.all(Array.from({ length: 200 }, (_, index) => good(`friend-${index}`)))
    expect(all.filter(({ weight }) => weight > 0)).toHaveLength(2)
    expect(evidence()).toBe(0.5)
    expect((await good('late')).notCounted).toBe('number-daily-limit')
  })

  it('is counted once a month for each reporter', async () => {
    await good('anna')
    nowMs += 30 * DAY_MS - 1
    expect(await good('anna')).toMatchObject({ weight: 0, notCounted: 'opinion-known' })
    nowMs += 1 + 30 * DAY_MS
    expect((await good('anna')).weight).toBe(0.25)
  })

  it('of a thousand people never outweighs five who were cheated', async () => {
    for (const who of ['a', 'b', 'c', 'd', 'e']) await report(who)
    const before = harmLowerBound(store.reputationOf(parse(NUMBER) as PhoneNumber)!, 0, nowMs)
    for (let index = 0; index < 1_000; index++) await good(`friend-${index}`)
    expect(reporters()).toBe(5)
    const after = harmLowerBound(store.reputationOf(parse(NUMBER) as PhoneNumber)!, 0, nowMs)
    expect(after).toBeLessThan(before)
    expect(after).toBeGreaterThan(before * 0.8)
  })

  it('is worth little from somebody whose opinions were refuted', async () => {
    for (let lie = 0; lie < 3; lie++) {
      await good('shill', { number: number(lie) })
      await decide(number(lie), 'confirmed')
    }
    expect((await good('shill')).weight).toBeCloseTo(0.25 * 0.25, 6)
  })

  it('is refused without a scenario when it is harm', async () => {
    const body = { number: NUMBER, channel: 'hotline', reporter: 'anna' } as const
    await expect(intake.accept(body, 'agent')).rejects.toMatchObject({
      code: 'BODY_INVALID',
      details: { errors: [{ pointer: '/scenario' }] },
    })
  })
})

describe('reviews of reports', () => {
  const review = () => store.reviewOf(parse(NUMBER) as PhoneNumber)

  it('are opened for a suspicious burst, not for seven', async () => {
    const answers = []
    for (let index = 0; index < 8; index++) answers.push(await report(`new-${index}`))
    expect(answers.slice(0, 7).every(({ reviewId }) => reviewId === undefined)).toBe(true)
    expect(answers[7]?.reviewId).toBe(review()?.reviewId)
    expect(review()).toMatchObject({
      causes: ['suspicious-burst'],
      evidence: { reporters: 8, corroborated: 0, standing: 'unknown', scenario: 'bank' },
    })
  })

  it.each(['established', 'high-volume'] as const)(
    'are opened for the third report of a number that is %s',
    async (given) => {
      standing = given
      await report('a')
      await report('b')
      expect(review()).toBeUndefined()
      await report('c')
      expect(review()).toMatchObject({ causes: ['contested'], evidence: { reporters: 3, standing: given } })
    },
  )

  it('are not opened for an established number that five called people report', async () => {
    standing = 'established'
    match = 'yes'
    for (const who of ['a', 'b', 'c', 'd', 'e']) await report(who)
    const { reviewId } = review()!
    await store.closeReview(reviewId, { outcome: 'dismissed', atMs: nowMs }, 'anna')
    expect((await report('f')).reviewId).toBeUndefined()
  })

  it('take the weight from the reports of a number found innocent', async () => {
    for (const who of ['a', 'b', 'c', 'd', 'e']) await report(who)
    await decide(NUMBER, 'innocent')
    expect(reporters()).toBe(0)
    expect(store.reportsOf(parse(NUMBER) as PhoneNumber, 1)).toMatchObject([{ clears: true, channel: 'network' }])
  })
})

describe('long answered calls', () => {
  const desk = () =>
    createGoodCalls(GOOD_CALLS_DEFAULTS, { store, pseudonyms, notify: async () => {}, now: () => nowMs })
  const HOUR_MS = 3_600_000
  const caller = parse(NUMBER) as PhoneNumber
  const evidence = () => decayedGood(store.reputationOf(caller)!, 2, nowMs)

  it('count for a number that was reported, up to a bound a day', async () => {
    expect(await desk().note(caller, 2, 5, nowMs)).toBe(false)
    await report('anna')
    expect(await desk().note(caller, 2, 5, nowMs)).toBe(true)
    expect(evidence()).toBeCloseTo(0.25, 6)
    nowMs += HOUR_MS
    expect(await desk().note(caller, 2, 1_000, nowMs)).toBe(true)
    expect(evidence()).toBeCloseTo(0.5, 2)
    nowMs += HOUR_MS
    expect(await desk().note(caller, 2, 1, nowMs)).toBe(false)
    nowMs += DAY_MS
    expect(await desk().note(caller, 2, 1, nowMs)).toBe(true)
  })

  it('count once an hour, and not at all without callees', async () => {
    await report('anna')
    expect(await desk().note(caller, 2, 0, nowMs)).toBe(false)
    expect(await desk().note(caller, 2, 1, nowMs)).toBe(true)
    expect(await desk().note(caller, 2, 1, nowMs)).toBe(false)
  })

  it('make so many facts a minute and not one more', async () => {
    const one = desk()
    const most = GOOD_CALLS_DEFAULTS.notesPerMinute
    for (let index = 0; index <= most; index++) await report('anna', { number: number(index) })
    const noted = []
    for (let index = 0; index <= most; index++)
      noted.push(await one.note(parse(number(index)) as PhoneNumber, 0, 1, nowMs))
    expect(noted.filter(Boolean)).toHaveLength(most)
    nowMs += 60_000
    expect(await one.note(parse(number(most)) as PhoneNumber, 0, 1, nowMs)).toBe(true)
  })

  it('say nothing of people', async () => {
    await report('anna')
    await desk().note(caller, 2, 5, nowMs)
    await decide(NUMBER, 'confirmed')
    const [note] = store.reportsOf(caller, 10).filter(({ channel }) => channel === 'network')
    expect(store.reporter(note!.reporter)?.outcomes).toBeUndefined()
  })
})
