import net from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ERROR_STATUS, type ErrorCode } from '../../../src/domain/errors.ts'
import { JSON_DEPTH_MAX } from '../../../src/transports/control-plane/parse-json-body.ts'
import { type ControlFixture, HOST, openControlPlane } from './fixture.ts'

let control: ControlFixture
let port = 0
beforeAll(async () => {
  control = await openControlPlane({ limits: { bodyBytesMax: 10_000 } })
  await control.app.listen({ host: '127.0.0.1', port: 0 })
  const address = control.app.server.address()
  port = typeof address === 'object' && address !== null ? address.port : 0
})
afterAll(() => control.close())

const REPORT = '{"number":"+79160000002","channel":"hotline","scenario":"bank","reporter":"r"'
const nested = (levels: number) => `${REPORT},"x":${'['.repeat(levels)}${']'.repeat(levels)}}`

type Case = {
  what: string
  code: ErrorCode
  method?: string
  url?: string
  type?: string
  body?: string | Buffer
  pointer?: string
}
const CASES: Case[] = [
  { what: 'malformed JSON', code: 'JSON_MALFORMED', body: '{"number":' },
  { what: 'an empty JSON body', code: 'BODY_INVALID', body: '' },
  { what: 'two JSON values', code: 'JSON_MALFORMED', body: `${REPORT}} {}` },
  {
    what: 'bytes that are not UTF-8',
    code: 'JSON_MALFORMED',
    body: Buffer.concat([Buffer.from(`${REPORT},"note":"`), Buffer.from([0xff, 0xfe]), Buffer.from('"}')]),
  },
  { what: 'a __proto__ key', code: 'JSON_MALFORMED', body: `${REPORT},"__proto__":{"channel":"x"}}` },
  { what: 'an escaped __proto__ key', code: 'JSON_MALFORMED', body: `${REPORT},"\\u005f_proto__":{"channel":"x"}}` },
  { what: 'a constructor.prototype key', code: 'JSON_MALFORMED', body: `${REPORT},"constructor":{"prototype":{}}}` },
  { what: 'nesting one beyond the limit', code: 'JSON_MALFORMED', body: nested(JSON_DEPTH_MAX) },
  { what: 'nesting at the limit', code: 'BODY_INVALID', body: nested(JSON_DEPTH_MAX - 1), pointer: '/x' },
  { what: 'an array for an object', code: 'BODY_INVALID', body: '[]', pointer: '' },
  { what: 'null', code: 'BODY_INVALID', body: 'null' },
  { what: 'a number for a string', code: 'BODY_INVALID', body: `${REPORT},"callId":7}`, pointer: '/callId' },
  { what: 'an unknown field', code: 'BODY_INVALID', body: `${REPORT},"extra":1}`, pointer: '/extra' },
  {
    what: 'a missing field',
    code: 'BODY_INVALID',
    body: '{"number":"+79160000002","channel":"hotline","scenario":"bank"}',
    pointer: '/reporter',
  },
  {
    what: 'an unknown channel',
    code: 'BODY_INVALID',
    body: REPORT.replace('hotline', 'fax').concat('}'),
    pointer: '/channel',
  },
  {
    what: 'an unknown field inside',
    code: 'BODY_INVALID',
    body: `${REPORT},"ingress":{"kind":"national","x":1}}`,
    pointer: '/ingress/x',
  },
  {
    what: 'a note that is too long',
    code: 'BODY_INVALID',
    body: `${REPORT},"note":"${'x'.repeat(2_001)}"}`,
    pointer: '/note',
  },
  { what: 'a body over the limit', code: 'BODY_TOO_LARGE', body: `${REPORT},"note":"${'x'.repeat(10_000)}"}` },
  { what: 'another content type', code: 'MEDIA_TYPE_UNSUPPORTED', type: 'text/plain', body: REPORT },
  { what: 'XML', code: 'MEDIA_TYPE_UNSUPPORTED', type: 'application/xml', body: '<a/>' },
  { what: 'a nonsense content type', code: 'MEDIA_TYPE_UNSUPPORTED', type: 'nonsense', body: REPORT },
  {
    what: 'another charset',
    code: 'MEDIA_TYPE_UNSUPPORTED',
    type: 'application/json; charset=utf-16',
    body: `${REPORT}}`,
  },
  { what: 'an unknown path', code: 'NOT_FOUND', method: 'GET', url: '/v1/nothing' },
  { what: 'another method', code: 'METHOD_NOT_ALLOWED', method: 'DELETE', url: '/v1/reports' },
  { what: 'a broken percent-encoding', code: 'QUERY_INVALID', method: 'GET', url: '/v1/lists/%zz' },
  {
    what: 'an unknown parameter',
    code: 'QUERY_INVALID',
    method: 'GET',
    url: '/v1/reviews?limits=5',
    pointer: '/limits',
  },
  {
    what: 'a repeated parameter',
    code: 'QUERY_INVALID',
    method: 'GET',
    url: '/v1/reviews?limit=5&limit=6',
    pointer: '/limit',
  },
  { what: 'a limit of 0', code: 'QUERY_INVALID', method: 'GET', url: '/v1/reviews?limit=0', pointer: '/limit' },
  { what: 'a limit of 1001', code: 'QUERY_INVALID', method: 'GET', url: '/v1/reviews?limit=1001', pointer: '/limit' },
  {
    what: 'a limit in another notation',
    code: 'QUERY_INVALID',
    method: 'GET',
    url: '/v1/reviews?limit=1e2',
    pointer: '/limit',
  },
  {
    what: 'a list name with capitals',
    code: 'LIST_NAME_INVALID',
    method: 'PUT',
    url: '/v1/lists/Banks',
    body: '{"kind":"deny"}',
  },
  {
    what: 'a list name of 65 letters',
    code: 'LIST_NAME_INVALID',
    method: 'PUT',
    url: `/v1/lists/${'a'.repeat(65)}`,
    body: '{"kind":"deny"}',
  },
  {
    what: 'a list called __proto__',
    code: 'LIST_NAME_INVALID',
    method: 'PUT',
    url: '/v1/lists/__proto__',
    body: '{"kind":"deny"}',
  },
  { what: 'a list that is not there', code: 'LIST_UNKNOWN', method: 'GET', url: '/v1/lists/nowhere' },
  { what: 'a number that is a word', code: 'NUMBER_INVALID', method: 'GET', url: '/v1/numbers/BANK' },
  { what: 'a path part that is too long', code: 'NOT_FOUND', method: 'GET', url: `/v1/numbers/${'7'.repeat(300)}` },
  {
    what: 'a review that is not there',
    code: 'REVIEW_UNKNOWN',
    method: 'POST',
    url: '/v1/reviews/x',
    body: '{"outcome":"confirmed"}',
  },
  {
    what: 'a period that ends before it begins',
    code: 'QUERY_INVALID',
    method: 'GET',
    url: '/v1/decisions?from=2026-03-02T00:00:00Z&to=2026-03-01T00:00:00Z',
    pointer: '/from',
  },
  {
    what: 'a policy with an unknown signal',
    code: 'POLICY_INVALID',
    method: 'PUT',
    url: '/v1/policy',
    body: '{"text":"rules: [{signal: gut-feeling}]"}',
  },
  {
    what: 'a policy that is not YAML',
    code: 'POLICY_INVALID',
    method: 'PUT',
    url: '/v1/policy',
    body: '{"text":"a: [b"}',
  },
  {
    what: 'a policy of more text than is read',
    code: 'BODY_TOO_LARGE',
    method: 'POST',
    url: '/v1/policy/rehearse',
    body: JSON.stringify({ text: `[${','.repeat(16_384)}` }),
  },
  {
    what: 'a version beyond all numbers',
    code: 'BODY_INVALID',
    method: 'POST',
    url: '/v1/lists/hotline/restore',
    body: '{"version":4294967296}',
  },
  {
    what: 'a policy given twice',
    code: 'BODY_INVALID',
    method: 'PUT',
    url: '/v1/policy',
    body: '{"text":"a: 1","policy":{}}',
  },
  {
    what: 'a decision about a record that is this node itself',
    code: 'RECORD_EMBEDDED',
    url: '/v1/record/accept',
  },
  {
    what: 'the other decision about it',
    code: 'RECORD_EMBEDDED',
    url: '/v1/record/restore',
  },
  { what: 'a decision that is none', code: 'NOT_FOUND', url: '/v1/record/forget' },
  { what: 'a decision by the wrong method', code: 'METHOD_NOT_ALLOWED', method: 'GET', url: '/v1/record/accept' },
  { what: 'half a JSON body of a decision', code: 'JSON_MALFORMED', url: '/v1/record/restore', body: '{"yes":' },
  {
    what: 'a cursor that is none',
    code: 'QUERY_INVALID',
    method: 'GET',
    url: '/v1/lists/x/entries?after=0',
    pointer: '/after',
  },
]

describe('bad input', () => {
  it.each(CASES)(
    'answers $what with $code and changes nothing',
    async ({ code, method = 'POST', url = '/v1/reports', type, body, pointer }) => {
      const before = control.store.lastSequence()
      const headers = { ...HOST, ...(body === undefined ? {} : { 'content-type': type ?? 'application/json' }) }
      const answer = await control.app.inject({
        method: method as 'POST',
        url,
        headers,
        ...(body === undefined ? {} : { payload: body }),
      })
      const problem = answer.json()
      expect(problem.code).toBe(code)
      expect(answer.statusCode).toBe(ERROR_STATUS[code])
      expect(answer.headers['content-type']).toBe('application/problem+json; charset=utf-8')
      expect(problem).toMatchObject({ status: ERROR_STATUS[code], type: `docs/errors.md#${code.toLowerCase()}` })
      expect(problem.title.toLowerCase()).toBe(code.toLowerCase().replaceAll('_', ' '))
      expect(problem.detail.length * problem.hint.length).toBeGreaterThan(0)
      if (pointer !== undefined)
        expect(problem.errors.map((error: { pointer: string }) => error.pointer)).toContain(pointer)
      expect(control.store.lastSequence()).toBe(before)
    },
  )

  it('names the allowed methods', async () => {
    const answer = await control.app.inject({ method: 'PATCH', url: '/v1/lists/x/entries', headers: HOST })
    expect(answer.headers.allow).toBe('DELETE, GET, HEAD, POST')
  })

  it('bounds the number of field errors', async () => {
    const fields = Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`x${index}`, 1]))
    const answer = await control.app.inject({ method: 'POST', url: '/v1/reports', headers: HOST, payload: fields })
    expect(answer.json().errors).toHaveLength(20)
  })
})

describe('bytes that are not HTTP', () => {
  const head = `Host: 127.0.0.1:8080\r\nContent-Type: application/json\r\n`
  it.each([
    ['no request line', 'HELLO\r\n\r\n', 400, 'HEADER_INVALID'],
    [
      'two different Content-Length',
      `POST /v1/reports HTTP/1.1\r\n${head}Content-Length: 5\r\nContent-Length: 3\r\n\r\n{}   `,
      400,
      'HEADER_INVALID',
    ],
    [
      'Content-Length and Transfer-Encoding',
      `POST /v1/reports HTTP/1.1\r\n${head}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      400,
      'HEADER_INVALID',
    ],
    ['an empty Content-Length', `POST /v1/reports HTTP/1.1\r\n${head}Content-Length: \r\n\r\n`, 400, 'HEADER_INVALID'],
    [
      'an unknown Transfer-Encoding',
      `POST /v1/reports HTTP/1.1\r\n${head}Transfer-Encoding: xchunked\r\n\r\n{}`,
      400,
      'HEADER_INVALID',
    ],
    ['headers over the limit', `GET / HTTP/1.1\r\n${head}X: ${'x'.repeat(20_000)}\r\n\r\n`, 431, 'HEADERS_TOO_LARGE'],
  ])('answers %s with a problem document and closes', async (_what, bytes, status, code) => {
    const text = await exchange(port, bytes)
    expect(text.split('\r\n')[0]).toContain(` ${status} `)
    expect(JSON.parse(text.slice(text.indexOf('\r\n\r\n') + 4))).toMatchObject({ status, code })
  })

  it('goes on serving after all of it', async () => {
    expect((await control.app.inject({ url: '/health/live', headers: HOST })).statusCode).toBe(200)
  })
})

function exchange(to: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(to, '127.0.0.1')
    let text = ''
    socket.on('connect', () => socket.write(bytes))
    socket.on('data', (chunk) => {
      text += chunk.toString()
    })
    socket.on('close', () => resolve(text))
    socket.on('error', reject)
  })
}
