import * as Value from 'typebox/value'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type ControlFixture, HOST, openControlPlane } from './fixture.ts'

const NUMBER = '+79160000002'
const REPORTER = '+79161234567'
const SECRET = 'agent-secret-key-000'

let control: ControlFixture
beforeEach(async () => {
  control = await openControlPlane()
})
afterEach(() => control.close())

type Request = {
  method?: 'GET' | 'POST' | 'PUT' | 'DELETE'
  url: string
  payload?: object | string
  headers?: Record<string, string>
}
/** Every route with a number wherever one fits, well formed and not. */
const REQUESTS: Request[] = [
  {
    method: 'POST',
    url: '/v1/reports',
    payload: { number: NUMBER, channel: 'hotline', scenario: 'bank', reporter: REPORTER, note: NUMBER },
  },
  {
    method: 'POST',
    url: '/v1/reports',
    payload: { number: `${NUMBER}999999`, channel: 'hotline', scenario: 'bank', reporter: REPORTER },
  },
  { method: 'POST', url: '/v1/reports', payload: { number: NUMBER, [NUMBER]: REPORTER } },
  {
    method: 'POST',
    url: '/v1/reports',
    payload: `{"number": ${NUMBER}, broken`,
    headers: { 'content-type': 'application/json' },
  },
  { method: 'PUT', url: '/v1/lists/hotline', payload: { kind: 'deny', title: NUMBER } },
  { method: 'PUT', url: `/v1/lists/${encodeURIComponent(NUMBER)}`, payload: { kind: 'deny' } },
  { method: 'POST', url: '/v1/lists/hotline/entries', payload: { entries: [{ number: NUMBER, reason: REPORTER }] } },
  { method: 'POST', url: '/v1/lists/hotline/entries', payload: { entries: [{ number: `${NUMBER}-${REPORTER}1` }] } },
  { method: 'DELETE', url: '/v1/lists/hotline/entries', payload: { entries: [{ number: NUMBER }] } },
  { method: 'POST', url: '/v1/lists/hotline/imports', payload: `${NUMBER}\n`, headers: { 'content-type': 'text/csv' } },
  {
    method: 'POST',
    url: '/v1/lists/hotline/imports?country=79160000002',
    payload: `${NUMBER}\n`,
    headers: { 'content-type': 'text/csv' },
  },
  { url: '/v1/imports' },
  { url: '/v1/imports/import-1' },
  { method: 'POST', url: '/v1/imports/import-1/activate' },
  { method: 'POST', url: '/v1/imports/import-1/cancel' },
  { url: `/v1/imports/${NUMBER}/rejected.csv` },
  { url: '/v1/lists' },
  { url: '/v1/lists/hotline' },
  { url: '/v1/lists/hotline/versions' },
  { url: '/v1/lists/hotline/entries' },
  { url: '/v1/lists/hotline/entries?format=csv' },
  { method: 'POST', url: '/v1/lists/hotline/restore', payload: { version: 1 } },
  { url: `/v1/numbers/${NUMBER}` },
  { url: `/v1/numbers/${NUMBER}${NUMBER}` },
  { url: `/v1/nothing/${NUMBER}?number=${NUMBER}` },
  { url: '/v1/reviews' },
  { url: `/v1/reviews/${NUMBER}` },
  { method: 'POST', url: `/v1/reviews/${NUMBER}`, payload: { outcome: 'confirmed', note: NUMBER } },
  { method: 'POST', url: '/v1/explain', payload: { caller: NUMBER, callee: REPORTER } },
  { url: `/v1/decisions?caller=${encodeURIComponent(NUMBER)}` },
  { url: `/v1/decisions?from=${NUMBER}` },
  { url: '/v1/policy' },
  { url: '/v1/policy/versions' },
  { method: 'PUT', url: '/v1/policy', payload: { text: `name: "${NUMBER}"` } },
  { method: 'POST', url: '/v1/policy/rehearse', payload: { text: NUMBER } },
  {
    method: 'POST',
    url: '/v1/policy/rehearse',
    payload: { lists: [{ kind: 'deny', entries: [NUMBER, `${NUMBER}x1`] }] },
  },
  {
    method: 'POST',
    url: '/v1/policy/rehearse',
    payload: `{"type":"candidate","lists":[{"kind":"deny","entries":["${NUMBER}"]}]}\n{"type":"call","caller":"${NUMBER}","at":"${NUMBER}"}`,
    headers: { 'content-type': 'application/x-ndjson' },
  },
  {
    method: 'POST',
    url: '/v1/policy/rehearse',
    payload: `{"type":"candidate","text":"${NUMBER}`,
    headers: { 'content-type': 'application/x-ndjson' },
  },
  { url: '/v1/numbering' },
  { method: 'POST', url: '/v1/numbering/ru/imports', payload: '1\n', headers: { 'content-type': 'text/csv' } },
  { url: '/v1/audit' },
  { url: '/metrics' },
  { url: '/health/live' },
  { url: '/health/ready' },
  { method: 'POST', url: '/v1/reports', headers: { authorization: `Bearer ${SECRET}`, 'idempotency-key': NUMBER } },
]

function send({ method = 'GET', url, payload, headers }: Request) {
  return control.app.inject({
    method,
    url,
    headers: { ...HOST, ...headers },
    ...(payload === undefined ? {} : { payload }),
  })
}

describe('the log', () => {
  it('names no number and no key, whatever is asked', async () => {
    for (const request of REQUESTS) await send(request)
    expect(control.logged.length).toBeGreaterThan(REQUESTS.length)
    const text = control.logged.join('')
    for (const secret of ['79160000002', '9160000002', '79161234567', '9161234567', SECRET])
      expect(text).not.toContain(secret)
    expect(text).toContain('/v1/numbers/:e164')
  })

  it('tells an error of ours with its cause, without the numbers in it', async () => {
    control.store.lists = () => {
      throw new Error(`cannot read ${NUMBER}`)
    }
    const answer = await send({ url: '/v1/lists' })
    expect(answer.json()).toMatchObject({ code: 'INTERNAL', instance: expect.stringMatching(/^urn:uuid:/) })
    expect(answer.body).not.toContain('79160000002')
    const line = control.logged.find((one) => one.includes('request failed')) ?? ''
    expect(line).toContain('cannot read [number]')
    const requestId = answer.json().instance.slice('urn:uuid:'.length)
    expect(JSON.parse(line)).toMatchObject({ level: 'error', code: 'INTERNAL', route: '/v1/lists', requestId })
  })
})

describe('metrics', () => {
  it('name no number', async () => {
    for (const request of REQUESTS) await send(request)
    expect((await send({ url: '/metrics' })).body).not.toMatch(/7?9160000002|9161234567/)
  })
})

describe('answers', () => {
  it('are what the OpenAPI document says', async () => {
    const document = (await send({ url: '/docs/json' })).json()
    for (const request of REQUESTS) {
      const { method = 'GET', url } = request
      const answer = await send(request)
      const type = String(answer.headers['content-type']).split(';', 1)[0] ?? ''
      const path = (url.split('?', 1)[0] ?? '').split('/')
      const pattern = Object.keys(document.paths).find((candidate) => {
        const parts = candidate.split('/')
        return (
          parts.length === path.length && parts.every((part, index) => part === path[index] || part.startsWith('{'))
        )
      })
      if (pattern === undefined) continue
      const where = `${method} ${url} ${answer.statusCode}`
      const response = document.paths[pattern][method.toLowerCase()].responses[String(answer.statusCode)]
      expect(response, where).toBeDefined()
      const schema = response.content[type]?.schema
      expect(schema, `${where} ${type}`).toBeDefined()
      if (!type.endsWith('json')) continue
      const resolved = schema.$ref === undefined ? schema : document.components.schemas.Problem
      const errors = Value.Errors(resolved, answer.json()).map(
        ({ instancePath, message }) => `${instancePath} ${message}`,
      )
      expect(errors, where).toEqual([])
    }
  })
})
