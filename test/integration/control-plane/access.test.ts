import { createHash } from 'node:crypto'
import { afterEach, describe, expect, it } from 'vitest'
import type { AccessKey } from '../../../src/transports/control-plane/access.ts'
import { type ControlFixture, fakeSharedRecord, HOST, openControlPlane } from './fixture.ts'

let control: ControlFixture
afterEach(() => control.close())

const key = (name: string, role: string): AccessKey => ({
  name,
  role,
  sha256: createHash('sha256').update(`${name}-key`).digest('hex'),
})
const KEYS = ['agent', 'analyst', 'metrics', 'admin', 'switch'].map((role) => key(role, role))
const REPORT = { number: '+79160000002', channel: 'hotline', scenario: 'bank', reporter: 'r' }

describe('with keys', () => {
  it.each([
    ['agent', 202, 403, 403, 403],
    ['analyst', 202, 200, 403, 403],
    ['metrics', 403, 403, 403, 200],
    ['admin', 202, 200, 200, 200],
    ['switch', 403, 403, 403, 403],
  ])('lets %s do what the role says', async (name, reports, lists, audit, metrics) => {
    control = await openControlPlane({ keys: KEYS, host: '0.0.0.0' })
    const headers = { authorization: `Bearer ${name}-key`, host: 'zaslon.example', 'x-forwarded-for': '203.0.113.9' }
    const status = async (method: 'GET' | 'POST', url: string, payload?: object) =>
      (await control.app.inject({ method, url, headers, ...(payload ? { payload } : {}) })).statusCode
    expect(await status('POST', '/v1/reports', REPORT)).toBe(reports)
    expect(await status('GET', '/v1/lists')).toBe(lists)
    expect(await status('GET', '/v1/audit')).toBe(audit)
    expect(await status('GET', '/metrics')).toBe(metrics)
  })

  it.each([
    ['agent', 403, 403],
    ['analyst', 200, 403],
    ['metrics', 200, 403],
    ['admin', 200, 200],
    ['switch', 403, 403],
  ])('lets %s look at the record (%i) and decide about it (%i)', async (name, look, decide) => {
    const record = fakeSharedRecord()
    control = await openControlPlane({ keys: KEYS, record })
    const headers = { authorization: `Bearer ${name}-key` }
    expect((await control.app.inject({ url: '/v1/record', headers })).statusCode).toBe(look)
    for (const word of ['accept', 'restore']) {
      const answer = await control.app.inject({ method: 'POST', url: `/v1/record/${word}`, headers })
      expect(answer.statusCode).toBe(decide)
    }
    expect(record.decided).toHaveLength(decide === 200 ? 2 : 0)
  })

  it.each([
    undefined,
    '',
    'Bearer',
    'Bearer wrong',
    'Basic YWRtaW46YQ==',
    `Bearer ${'x'.repeat(600)}`,
    'Bearer agent-key extra',
  ])('refuses %j', async (authorization) => {
    control = await openControlPlane({ keys: KEYS })
    const headers = authorization === undefined ? {} : { authorization }
    const answer = await control.app.inject({ method: 'POST', url: '/v1/reports', headers, payload: REPORT })
    expect(answer.json().code).toBe(authorization === 'Bearer wrong' ? 'KEY_REFUSED' : 'KEY_REQUIRED')
    if (answer.statusCode === 401) expect(answer.headers['www-authenticate']).toContain('Bearer')
  })

  it.each([
    ['agent-key', 202],
    ['wrong', 403],
    ['', 401],
  ])('takes X-Api-Key as the verdict port does: %j answers %i', async (apiKey, status) => {
    control = await openControlPlane({ keys: KEYS })
    const headers = { 'x-api-key': apiKey }
    const answer = await control.app.inject({ method: 'POST', url: '/v1/reports', headers, payload: REPORT })
    expect(answer.statusCode).toBe(status)
  })

  it.each([
    ['analyst', true],
    ['admin', false],
  ])('asks for a second person when the role is %s: %s', async (name, mustBeSecond) => {
    control = await openControlPlane({ keys: KEYS })
    await control.store.putList({ name: 'hotline', kind: 'deny', title: '' }, 'test')
    const send = (url: string, payload: string) => {
      const headers = { authorization: `Bearer ${name}-key`, 'content-type': 'text/csv' }
      return control.app.inject({ method: 'POST', url, headers, payload })
    }
    const begun = await send('/v1/lists/hotline/imports?dryRun=true', '+79160000002\n')
    const headers = { authorization: `Bearer ${name}-key` }
    await control.app.inject({ method: 'POST', url: `/v1/imports/${begun.json().importId}/activate`, headers })
    expect(control.store.audit(1)[0]).toMatchObject({ actor: name, detail: { mustBeSecond } })
  })

  it('names the key as the actor of a write', async () => {
    control = await openControlPlane({ keys: KEYS })
    const headers = { authorization: 'Bearer agent-key' }
    await control.app.inject({ method: 'POST', url: '/v1/reports', headers, payload: REPORT })
    expect(control.store.audit(1)[0]?.actor).toBe('agent')
  })

  it('lets anybody ask whether it is alive, and read the documentation', async () => {
    control = await openControlPlane({ keys: KEYS })
    for (const url of ['/health/live', '/health/ready', '/docs/json']) {
      expect((await control.app.inject({ url })).statusCode).toBe(200)
    }
  })
})

describe('without keys', () => {
  it.each([
    ['another Host', { host: 'evil.example' }],
    ['a Host that begins like ours', { host: '127.0.0.1.evil.example' }],
    ['another Origin', { ...HOST, origin: 'https://evil.example' }],
    ['an Origin on another port', { ...HOST, origin: 'http://127.0.0.1:3000' }],
    ['an opaque Origin', { ...HOST, origin: 'null' }],
    ['a cross-site page', { ...HOST, 'sec-fetch-site': 'cross-site' }],
    ['X-Forwarded-For', { ...HOST, 'x-forwarded-for': '203.0.113.9' }],
    ['Forwarded', { ...HOST, forwarded: 'for=203.0.113.9' }],
    ['Via', { ...HOST, via: '1.1 proxy' }],
    ['X-Forwarded-Server', { ...HOST, 'x-forwarded-server': 'proxy' }],
    ['X-Original-URL', { ...HOST, 'x-original-url': '/v1/lists' }],
    ['CF-Connecting-IP', { ...HOST, 'cf-connecting-ip': '203.0.113.9' }],
    ['X-Real-IP', { ...HOST, 'x-real-ip': '203.0.113.9' }],
  ])('refuses %s', async (_what, headers) => {
    control = await openControlPlane()
    for (const url of ['/v1/lists', '/health/live', '/v1/nothing']) {
      const answer = await control.app.inject({ url, headers })
      expect(answer.json().code).toBe('ORIGIN_REFUSED')
      expect(answer.statusCode).toBe(403)
    }
  })

  it('refuses other machines', async () => {
    control = await openControlPlane()
    const answer = await control.app.inject({ url: '/v1/lists', headers: HOST, remoteAddress: '192.0.2.1' })
    expect(answer.json().code).toBe('ORIGIN_REFUSED')
  })

  it.each(['127.0.0.1:8080', 'localhost:8080', 'localhost', '[::1]:8080', '127.0.0.1'])(
    'serves this machine as %s',
    async (host) => {
      control = await openControlPlane()
      expect(
        (await control.app.inject({ url: '/v1/lists', headers: { host, origin: `http://${host}` } })).statusCode,
      ).toBe(200)
    },
  )

  it('calls the actor local', async () => {
    control = await openControlPlane()
    await control.app.inject({ method: 'POST', url: '/v1/reports', headers: HOST, payload: REPORT })
    expect(control.store.audit(1)[0]?.actor).toBe('local')
  })
})

describe('the rate limit', () => {
  it('refuses the write after the burst and lets the next one pass a second later', async () => {
    control = await openControlPlane({ limits: { writesPerSecond: 1, writesBurst: 2 } })
    const write = () => control.app.inject({ method: 'POST', url: '/v1/reports', headers: HOST, payload: REPORT })
    expect([(await write()).statusCode, (await write()).statusCode]).toEqual([202, 202])
    const refused = await write()
    expect(refused.statusCode).toBe(429)
    expect(refused.headers['retry-after']).toBe('1')
    expect((await control.app.inject({ url: '/v1/lists', headers: HOST })).statusCode).toBe(200)
    control.nowMs += 1_000
    expect((await write()).statusCode).toBe(202)
  })
})
