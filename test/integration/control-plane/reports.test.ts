import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { PhoneNumber } from '../../../src/domain/phone-number.ts'
import { type ControlFixture, HOST, NOW_MS, openControlPlane, putEntries } from './fixture.ts'

const NUMBER = '+79160000002'
const REPORT = { number: NUMBER, channel: 'hotline', scenario: 'bank', reporter: '+79161234567' }

let control: ControlFixture
beforeEach(async () => {
  control = await openControlPlane()
})
afterEach(() => control.close())

function report(body: object, headers: Record<string, string> = {}) {
  return control.app.inject({ method: 'POST', url: '/v1/reports', headers: { ...HOST, ...headers }, payload: body })
}

describe('POST /v1/reports', () => {
  it('accepts a report and answers with what is now known', async () => {
    const answer = await report({ ...REPORT, ingress: { kind: 'international' } })
    expect(answer.statusCode).toBe(202)
    const body = answer.json()
    expect(body).toMatchObject({
      accepted: true,
      duplicate: false,
      state: 'recorded',
      reputation: { reporters: 1, reports: 1 },
    })
    expect(body.reputation.lastReportAt).toBe(new Date(NOW_MS).toISOString())
    expect(control.store.report(body.reportId)).toMatchObject({
      number: 79160000002,
      ingress: 3,
      weight: 1,
      receivedMs: NOW_MS,
    })
  })

  it('says how much it counts, and why not', async () => {
    expect((await report(REPORT)).json()).toMatchObject({ weight: 1, callMatch: 'unknown' })
    const at = new Date(NOW_MS - 31 * 86_400_000).toISOString()
    const old = (await report({ ...REPORT, number: '+79160000003', at })).json()
    expect(old).toMatchObject({ accepted: true, weight: 0, notCounted: 'long-ago' })
  })

  it('takes "not spam" without a scenario, and harm only with one', async () => {
    const { scenario: _, ...body } = REPORT
    const answer = await report({ ...body, opinion: 'not-spam' })
    expect(answer.json()).toMatchObject({ weight: 0.25, reputation: { reporters: 0, good: 0.25 } })
    const refused = await report(body)
    expect(refused.statusCode).toBe(400)
    expect(refused.json()).toMatchObject({ code: 'BODY_INVALID', errors: [{ pointer: '/scenario' }] })
  })

  it('counts a household once and keeps its name to itself', async () => {
    for (const reporter of ['a', 'b', 'c']) await report({ ...REPORT, reporter, household: 'flat 12' })
    const answer = await control.app.inject({ method: 'GET', url: '/v1/numbers/79160000002', headers: HOST })
    expect(answer.json()).toMatchObject({ reputation: { reporters: 1, standing: 'unknown' } })
    const reports = answer.json().reports as { household: string; callMatch: string }[]
    expect(new Set(reports.map(({ household }) => household)).size).toBe(1)
    expect(reports[0]).toMatchObject({ household: expect.stringMatching(/^[0-9a-f]{32}$/), callMatch: 'unknown' })
    expect(answer.body).not.toContain('flat')
  })

  it('takes no report from the network, however it is sent', async () => {
    expect((await report({ ...REPORT, channel: 'network' })).statusCode).toBe(400)
    expect((await report({ ...REPORT, clears: true })).statusCode).toBe(400)
    expect((await report({ ...REPORT, weight: 1 })).statusCode).toBe(400)
  })

  it('attaches what was known to the review of a burst', async () => {
    for (let index = 0; index < 8; index++) await report({ ...REPORT, reporter: `new-${index}` })
    const answer = await control.app.inject({ method: 'GET', url: '/v1/reviews', headers: HOST })
    expect(answer.json().reviews).toMatchObject([
      {
        causes: ['suspicious-burst'],
        evidence: { reporters: 8, corroborated: 0, standing: 'unknown', scenario: 'bank' },
      },
    ])
    expect(answer.json().reviews[0]).not.toHaveProperty('judgesAfterMs')
  })

  it('tells the verdict processes before it answers', async () => {
    await report(REPORT)
    expect(control.notified).toEqual([control.store.lastSequence()])
  })

  it('counts a repeated report id once and says so', async () => {
    expect((await report({ ...REPORT, reportId: 'r-1' })).json().duplicate).toBe(false)
    expect((await report({ ...REPORT, reportId: 'r-1' })).json()).toMatchObject({
      duplicate: true,
      reputation: { reports: 1 },
    })
  })

  it('refuses the same report id with another number', async () => {
    await report({ ...REPORT, reportId: 'r-1' })
    const answer = await report({ ...REPORT, reportId: 'r-1', number: '+79160000003' })
    expect(answer.statusCode).toBe(409)
    expect(answer.json().code).toBe('REPORT_CONFLICT')
  })

  it.each(['+79161234567', '89161234567', '8 (916) 123-45-67', 'tel:+7-916-123-45-67', 'sip:+79161234567@example.org'])(
    'knows the reporter again however the number is written: %s',
    async (reporter) => {
      await report(REPORT)
      expect((await report({ ...REPORT, reporter })).json()).toMatchObject({
        duplicate: true,
        reputation: { reporters: 1 },
      })
    },
  )

  it('keeps reporters as pseudonyms', async () => {
    const { reportId } = (await report(REPORT)).json()
    expect(control.store.report(reportId)?.reporter).toMatch(/^[0-9a-f]{32}$/)
  })

  it('records a report on a protected number and opens a review', async () => {
    await control.store.putList({ name: 'banks', kind: 'protected', title: 'Banks' }, 'test')
    const number = 79160000002 as PhoneNumber
    await putEntries(control.store, 'banks', [{ from: number, to: number, details: {} }])
    const body = (await report(REPORT)).json()
    expect(body.state).toBe('recorded')
    expect(control.store.review(body.reviewId)).toMatchObject({ number, causes: ['reported'], state: 'open' })
    expect(control.store.reportsOf(number, 10)).toHaveLength(1)
    expect((await report({ ...REPORT, reporter: 'somebody else' })).json().reviewId).toBe(body.reviewId)
  })

  it('does not queue for an entry whose time is over', async () => {
    await control.store.putList({ name: 'partners', kind: 'allow', title: '' }, 'test')
    const number = 79160000002 as PhoneNumber
    await putEntries(control.store, 'partners', [{ from: number, to: number, details: { expiresMs: NOW_MS - 1 } }])
    expect((await report(REPORT)).json().state).toBe('recorded')
  })

  it.each([
    ['in the future', '2026-03-10T12:05:00.001Z'],
    ['a day that does not exist', '2026-02-30T12:00:00Z'],
    ['without a zone', '2026-03-10T12:00:00'],
    ['words', 'yesterday'],
  ])('refuses a time %s', async (_what, at) => {
    const answer = await report({ ...REPORT, at })
    expect(answer.statusCode).toBe(400)
    expect(answer.json()).toMatchObject({ code: 'BODY_INVALID', errors: [{ pointer: '/at' }] })
    expect(control.store.lastSequence()).toBe(1)
  })

  it('takes a clock that is five minutes ahead as now', async () => {
    const { reportId } = (await report({ ...REPORT, at: '2026-03-10T12:05:00Z' })).json()
    expect(control.store.report(reportId)?.atMs).toBe(NOW_MS)
  })

  it('keeps a story of long ago without letting it count', async () => {
    const { reportId, reputation } = (await report({ ...REPORT, at: '2026-01-01T00:00:00+03:00' })).json()
    expect(control.store.report(reportId)).toMatchObject({ weight: 0, atMs: Date.parse('2025-12-31T21:00:00Z') })
    expect(reputation.reporters).toBe(0)
  })

  it.each(['BANK', 'anonymous', '1', '+99912345678', '+', '79'.repeat(20)])(
    'refuses %s as the reported number',
    async (number) => {
      const answer = await report({ ...REPORT, number })
      expect(answer.statusCode).toBe(422)
      expect(answer.json()).toMatchObject({ code: 'NUMBER_INVALID', errors: [{ pointer: '/number' }] })
      expect(control.store.lastSequence()).toBe(1)
    },
  )
})

describe('Idempotency-Key', () => {
  it('answers a repeated request with the first answer', async () => {
    const first = await report(REPORT, { 'idempotency-key': 'k1' })
    const second = await report(REPORT, { 'idempotency-key': '"k1"' })
    expect(second.statusCode).toBe(202)
    expect(second.body).toBe(first.body)
    expect(second.headers['idempotency-replayed']).toBe('true')
    expect(control.store.reportsOf(79160000002 as PhoneNumber, 10)).toHaveLength(1)
  })

  it('refuses the key on another request', async () => {
    await report(REPORT, { 'idempotency-key': 'k1' })
    const answer = await report({ ...REPORT, scenario: 'spam' }, { 'idempotency-key': 'k1' })
    expect(answer.statusCode).toBe(422)
    expect(answer.json().code).toBe('IDEMPOTENCY_CONFLICT')
  })

  it('lets a refused request be corrected under the same key', async () => {
    await report({ ...REPORT, number: 'BANK' }, { 'idempotency-key': 'k1' })
    expect((await report(REPORT, { 'idempotency-key': 'k1' })).statusCode).toBe(202)
  })

  it('gives concurrent twins one effect', async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => report(REPORT, { 'idempotency-key': 'k1' })))
    const statuses = answers.map((answer) => answer.statusCode)
    expect(statuses.every((status) => status === 202 || status === 409)).toBe(true)
    expect(statuses).toContain(202)
    expect(control.store.reportsOf(79160000002 as PhoneNumber, 10)).toHaveLength(1)
  })

  it('forgets a key after a day', async () => {
    await report(REPORT, { 'idempotency-key': 'k1' })
    control.nowMs += 24 * 3_600_000 + 1
    expect((await report({ ...REPORT, scenario: 'spam' }, { 'idempotency-key': 'k2' })).statusCode).toBe(202)
    expect((await report(REPORT, { 'idempotency-key': 'k1' })).headers['idempotency-replayed']).toBeUndefined()
  })

  it.each(['', 'x'.repeat(256), 'with space', 'naïve'])('refuses %j as a key', async (key) => {
    const answer = await report(REPORT, { 'idempotency-key': key })
    expect(answer.json().code).toBe('HEADER_INVALID')
    expect(answer.statusCode).toBe(400)
  })
})
