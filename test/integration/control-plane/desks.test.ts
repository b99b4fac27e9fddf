import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { PhoneNumber } from '../../../src/domain/phone-number.ts'
import { countBehaviour, createCallEnd, noteCallEnd } from '../../../src/engine/behaviour.ts'
import { createBehaviourRegions, openBehaviour } from '../../../src/engine/behaviour-memory.ts'
import { describeBehaviour } from '../../../src/engine/number-behaviour.ts'
import { createActivityView } from '../../../src/shm/activity.ts'
import { type ControlFixture, HOST, NOW_MS, openControlPlane, putEntries } from './fixture.ts'
import { decision, NUMBER } from './recorded-decision.ts'

const POLICY = readFileSync('data/policy.yaml', 'utf8')

let control: ControlFixture
beforeEach(async () => {
  control = await openControlPlane()
})
afterEach(() => control.close())

type Method = 'GET' | 'PUT' | 'POST'
function ask(method: Method, url: string, payload?: object | string, headers: Record<string, string> = {}) {
  return control.app.inject({ method, url, headers: { ...HOST, ...headers }, ...(payload ? { payload } : {}) })
}

describe('reviews', () => {
  async function openReview(): Promise<string> {
    const request = { number: NUMBER, cause: 'protected-suspicious', score: 70, atMs: NOW_MS } as const
    return (await control.store.openReview(request, 'system')).review.reviewId
  }

  it('puts a confirmed number on the deny list, in force before the answer', async () => {
    const reviewId = await openReview()
    const answer = await ask('POST', `/v1/reviews/${reviewId}`, { outcome: 'confirmed', note: 'three victims' })
    expect(answer.json()).toMatchObject({ state: 'closed', outcome: 'confirmed', closedBy: 'local', effect: 'blocked' })
    const list = control.store.list('analyst-confirmed')
    expect(list).toMatchObject({ kind: 'deny', active: { entryCount: 1 } })
    expect(control.store.contents.entry(list?.active.layers[0]?.layerId ?? -1, NUMBER)?.details.source).toBe(
      `review:${reviewId}`,
    )
    expect(control.notified.length).toBeGreaterThan(0)
    const explained = await ask('POST', '/v1/explain', { caller: `+${NUMBER}`, callee: '+79161112233' })
    expect(explained.json()).toMatchObject({ decision: 'block', step: 'deny-listed' })
  })

  it('closes an innocent number without an effect, and the same again', async () => {
    const reviewId = await openReview()
    for (let times = 0; times < 2; times++) {
      const answer = await ask('POST', `/v1/reviews/${reviewId}`, { outcome: 'innocent' })
      expect(answer.json()).toMatchObject({ state: 'closed', effect: 'none' })
    }
    const other = await ask('POST', `/v1/reviews/${reviewId}`, { outcome: 'confirmed' })
    expect([other.statusCode, other.json().code]).toEqual([409, 'REVIEW_CLOSED'])
    expect(control.store.list('analyst-confirmed')).toBeUndefined()
  })

  it('refuses a note that cannot be the reason of an entry', async () => {
    const answer = await ask('POST', `/v1/reviews/${await openReview()}`, { outcome: 'confirmed', note: 'a\u0000b' })
    expect(answer.json()).toMatchObject({ code: 'BODY_INVALID', errors: [{ pointer: '/note' }] })
    expect(control.store.list('analyst-confirmed')).toBeUndefined()
  })

  it('says so when an allow list outranks the confirmation', async () => {
    await control.store.putList({ name: 'partners', kind: 'allow', title: '' }, 'test')
    await putEntries(control.store, 'partners', [{ from: NUMBER, to: NUMBER, details: {} }])
    const answer = await ask('POST', `/v1/reviews/${await openReview()}`, { outcome: 'confirmed' })
    expect(answer.json().effect).toBe('allow-listed')
  })

  it('lists open ones and shows one', async () => {
    const reviewId = await openReview()
    expect((await ask('GET', '/v1/reviews')).json().reviews).toMatchObject([
      { reviewId, number: `+${NUMBER}`, score: 70 },
    ])
    expect((await ask('GET', '/v1/reviews?state=closed')).json().reviews).toEqual([])
    expect((await ask('GET', `/v1/reviews/${reviewId}`)).json().openedAt).toBe('2026-03-10T12:00:00.000Z')
  })
})

describe('GET /v1/numbers/{e164}', () => {
  it.each(['+79160000002', '%2B79160000002', '79160000002', '89160000002', '8-916-000-00-02'])(
    'knows everything about %s',
    async (text) => {
      await control.store.putList({ name: 'hotline', kind: 'deny', title: '' }, 'test')
      await putEntries(control.store, 'hotline', [
        { from: NUMBER, to: NUMBER, details: { reason: 'fraud', expiresMs: NOW_MS - 1 } },
        { from: 79160000000 as PhoneNumber, to: 79160009999 as PhoneNumber, details: { source: 'regulator' } },
      ])
      control.decisions.push(decision({}), decision({ caller: '+79160000003' }))
      await ask('POST', '/v1/reports', {
        number: `+${NUMBER}`,
        channel: 'bot',
        scenario: 'bank',
        reporter: '+79161234567',
        note: 'hm',
      })
      const body = (await ask('GET', `/v1/numbers/${text}`)).json()
      expect(body.number).toBe('+79160000002')
      expect(body.lists).toEqual([
        {
          list: 'hotline',
          kind: 'deny',
          match: 'number',
          expired: true,
          number: '+79160000002',
          reason: 'fraud',
          expires: expect.any(String),
        },
        {
          list: 'hotline',
          kind: 'deny',
          match: 'range',
          expired: false,
          number: '+79160000000-+79160009999',
          source: 'regulator',
        },
      ])
      expect(body.reputation).toMatchObject({ reporters: 1 })
      expect(body.reports).toMatchObject([
        { channel: 'bot', note: 'hm', ingress: 'unknown', reporter: expect.stringMatching(/^[0-9a-f]{32}$/) },
      ])
      expect(body.decisions).toHaveLength(1)
      expect(JSON.stringify(body)).not.toContain('79161234567')
    },
  )

  it('tells what the number has been doing, and what is reported around it', async () => {
    const memory = openBehaviour(
      createBehaviourRegions(
        { activeNumbers: 64, pairsPerDay: 64, blocks: 64, recentEnds: 64 },
        Uint32Array.of(1, 2),
        NOW_MS,
      ),
    )
    const called = { caller: NUMBER, callee: 79161112233, trunk: 1, nowMs: NOW_MS }
    const whole = { ...called, redirecting: -1, ingress: 2, attestation: 0, verstat: 0, originating: 0, roaming: 0 }
    countBehaviour({ ...whole, treatment: 0, callHashLow: 0, callHashHigh: 0, deadlineMs: NOW_MS }, 2, memory)
    noteCallEnd({ ...createCallEnd(), ...called, answered: true, ringMs: 4_000, talkMs: 75_500 }, memory)
    control.behaviour.set(NUMBER, { ...describeBehaviour(NUMBER, NOW_MS, memory), blockHarm: { national: 250 } })

    const { activity, numberBlock } = (await ask('GET', `/v1/numbers/${NUMBER}`)).json()
    const once = { attempts1: 1, attempts60: 1, others60: 1, answered60: 1, long60: 1, talkSeconds60: 75, days: 1 }
    const at = '2026-03-10T12:00:00.000Z'
    expect(activity).toEqual({
      outgoing: { national: expect.objectContaining({ ...once, trunks15: 1, firstSeenAt: at, lastSeenAt: at }) },
      block: expect.objectContaining(once),
    })
    expect(Object.keys(activity.outgoing.national)).toHaveLength(Object.keys(createActivityView()).length)
    expect(numberBlock).toEqual({ national: 0.25 })
  })

  it('answers for a number nobody knows', async () => {
    expect((await ask('GET', '/v1/numbers/112')).json()).toEqual({
      number: '112',
      lists: [],
      reports: [],
      decisions: [],
    })
  })
})

describe('POST /v1/explain', () => {
  it.each([
    ['spb-new', 'national', true],
    ['sbp-new', 'unknown', false],
    ['', 'unknown', false],
  ])('says whether the trunk %j is registered', async (name, ingress, registered) => {
    const answer = await ask('POST', '/v1/explain', { caller: '+79160000002', ingress: { trunk: name } })
    expect(answer.json()).toMatchObject({ ingress, trunk: { name, registered } })
  })

  it('says nothing of a trunk when none is named', async () => {
    expect((await ask('POST', '/v1/explain', { caller: '+79160000002' })).json()).not.toHaveProperty('trunk')
  })

  it.each([null, '', 'anonymous', '+7 916 000-00-02', 42, { a: 1 }])('explains a call from %j', async (caller) => {
    const answer = await ask('POST', '/v1/explain', { caller, callee: '+79161112233', anything: 'else' })
    const isText = caller === null || typeof caller === 'string'
    expect(answer.statusCode).toBe(isText ? 200 : 400)
    if (isText) expect(answer.json()).toMatchObject({ decision: 'allow', policy: 'default@1' })
  })

  it('has no effect', async () => {
    const before = [control.store.lastSequence(), control.store.audit(10).length]
    await ask('POST', '/v1/explain', { caller: '+79160000002' })
    expect([control.store.lastSequence(), control.store.audit(10).length]).toEqual(before)
  })
})

describe('policy', () => {
  it('shows the policy in force, as JSON and as the YAML that was written', async () => {
    const answer = await ask('GET', '/v1/policy')
    expect(answer.headers.etag).toBe('"1"')
    expect(answer.json()).toMatchObject({
      version: 1,
      name: 'default',
      text: POLICY,
      policy: { thresholds: { flag: 50, block: 80 } },
    })
    const yaml = await ask('GET', '/v1/policy', undefined, { accept: 'application/yaml' })
    expect([yaml.headers['content-type'], yaml.body]).toEqual(['application/yaml; charset=utf-8', POLICY])
  })

  it.each([
    ['YAML', POLICY.replace('block: 80', 'block: 90'), 'application/yaml'],
    ['JSON with text', { text: POLICY.replace('block: 80', 'block: 90') }, 'application/json'],
  ])('takes %s', async (_what, payload, type) => {
    const answer = await ask('PUT', '/v1/policy', payload, { 'content-type': type, 'if-match': '"1"' })
    expect(answer.json()).toMatchObject({ version: 2, actor: 'local', policy: { thresholds: { block: 90 } } })
    expect(control.notified).toEqual([control.store.lastSequence()])
    expect(
      (await ask('GET', '/v1/policy/versions')).json().versions.map((one: { version: number }) => one.version),
    ).toEqual([2, 1])
  })

  it('takes the document as JSON', async () => {
    const { policy } = (await ask('GET', '/v1/policy')).json()
    policy.thresholds.flag = 40
    expect((await ask('PUT', '/v1/policy', { policy })).json()).toMatchObject({
      version: 2,
      policy: { thresholds: { flag: 40 } },
    })
  })

  it.each([
    ['If-Match', { policy: undefined, text: POLICY }, { 'if-match': '"7"' }],
    ['expectedVersion', { text: POLICY, expectedVersion: 7 }, {}],
  ])('refuses a change made to another version (%s)', async (_what, payload, headers) => {
    const answer = await ask('PUT', '/v1/policy', payload, headers as Record<string, string>)
    expect([answer.statusCode, answer.json().code]).toEqual([409, 'POLICY_CHANGED'])
  })

  it('names every mistake at once', async () => {
    const text = POLICY.replace('block: 80', 'block: 101').replace('reviewAt: 50', 'reviewAt: x')
    const { code, errors } = (await ask('PUT', '/v1/policy', { text })).json()
    expect(code).toBe('POLICY_INVALID')
    expect(errors.map((error: { pointer: string }) => error.pointer)).toEqual(
      expect.arrayContaining(['/thresholds/block', '/reviewAt']),
    )
  })
})

describe('GET /v1/decisions', () => {
  it('searches by caller, decision, id and time', async () => {
    control.decisions.push(decision({}), decision({ caller: 'withheld', verdict: 'block', verdictId: 'ab'.repeat(16) }))
    const found = async (query: string) => (await ask('GET', `/v1/decisions${query}`)).json().decisions.length
    expect(await found('')).toBe(2)
    expect(await found('?limit=1')).toBe(1)
    expect(await found('?caller=89160000002')).toBe(1)
    expect(await found('?decision=block')).toBe(1)
    expect(await found(`?verdictId=${'AB'.repeat(16)}`)).toBe(1)
    expect(await found('?from=2026-03-10T11:59:30Z')).toBe(0)
    expect(await found(`?from=${NOW_MS - 120_000}&to=${NOW_MS}`)).toBe(2)
  })
})

describe('GET /v1/audit', () => {
  it('says who did what, page by page', async () => {
    await ask('PUT', '/v1/lists/a', { kind: 'deny' })
    await ask('PUT', '/v1/lists/b', { kind: 'deny' })
    const first = (await ask('GET', '/v1/audit?limit=1')).json().entries
    expect(first).toMatchObject([{ actor: 'local', subject: 'b', at: '2026-03-10T12:00:00.000Z' }])
    const second = (await ask('GET', `/v1/audit?limit=1&before=${first[0].sequence}`)).json().entries
    expect(second).toMatchObject([{ subject: 'a' }])
  })
})
