import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { createAccessCheck } from '../../../src/transports/data-plane/access.ts'
import { createRequestHead } from '../../../src/transports/data-plane/request-head.ts'
import type { VerdictResponse } from '../../../src/transports/data-plane/verdict-server.ts'
import { screenedWorld } from '../../contract/verdict-server/screened-world.ts'

const digestOf = (key: string) => createHash('sha256').update(key).digest('hex')
const request = (fields: Record<string, unknown> = {}, path = '/v1/verdict') => ({
  ...createRequestHead('GET', path, 'caller=112'),
  host: '127.0.0.1:8090',
  ...fields,
})
const codeOf = (response: VerdictResponse | undefined) => response && JSON.parse(String(response.body)).code

describe('with API keys', () => {
  const check = createAccessCheck({ apiKeyDigests: [digestOf('one'), digestOf('two')], allowedHosts: [] })

  it('lets every configured key in, the first time and again, in either header', () => {
    for (let round = 0; round < 2; round++) {
      expect(check(request({ authorization: 'Bearer one' }))).toBeUndefined()
      expect(check(request({ authorization: 'bearer  two' }))).toBeUndefined()
      expect(check(request({ apiKey: 'two' }))).toBeUndefined()
    }
  })

  it.each([
    {},
    { authorization: 'Bearer' },
    { authorization: 'Bearer three' },
    { authorization: 'Basic one' },
    { apiKey: 'ONE' },
    { apiKey: digestOf('one') },
    { apiKey: 'three', authorization: 'Bearer one' },
  ])('refuses %j with 401', (fields) => {
    const refusal = check(request(fields))
    expect(refusal?.status).toBe(401)
    expect(refusal?.headers).toContainEqual(['www-authenticate', 'Bearer'])
    expect(refusal?.body).not.toContain('three')
  })

  it('asks no foreign-host questions of whoever shows a key', () => {
    expect(check(request({ apiKey: 'one', host: 'zaslon.example', isForwarded: true }))).toBeUndefined()
  })

  it('goes on after more different credentials than it remembers', () => {
    const keys = Array.from({ length: 65 }, (_, i) => `key-${i}`)
    const many = createAccessCheck({ apiKeyDigests: keys.map(digestOf), allowedHosts: [] })
    for (const apiKey of [...keys, ...keys]) expect(many(request({ apiKey }))).toBeUndefined()
    expect(many(request({ apiKey: 'key-65' }))?.status).toBe(401)
  })

  it('guards every path but health', () => {
    const { handler } = screenedWorld({ apiKeyDigests: [digestOf('one')] })
    for (const [path, status] of [
      ['/v1/verdict', 401],
      ['/v1/calls', 401],
      ['/health/live', 200],
      ['/health/ready', 200],
    ] as const) {
      expect(handler.refuse(request({}, path))?.status ?? 200).toBe(status)
    }
    expect(handler.refuse(request({ apiKey: 'one' }))).toBeUndefined()
  })
})

describe('without API keys', () => {
  const check = createAccessCheck({ apiKeyDigests: [], allowedHosts: ['127.0.0.1', 'localhost', '[::1]'] })

  it.each(['127.0.0.1', '127.0.0.1:8090', 'LOCALHOST:1', '[::1]:8090', 'localhost:'])('answers Host %s', (host) => {
    expect(check(request({ host }))).toBeUndefined()
  })

  it.each(['evil.example', '127.0.0.1.evil.example', 'localhost:80@evil.example', '', '::1', '[::2]:8090'])(
    'refuses Host "%s"',
    (host) => {
      expect(codeOf(check(request({ host })))).toBe('ORIGIN_REFUSED')
      expect(check(request())).toBeUndefined()
      expect(codeOf(check(request({ host })))).toBe('ORIGIN_REFUSED')
    },
  )

  it('refuses foreign origins and proxies', () => {
    expect(check(request({ origin: 'http://127.0.0.1:8090' }))).toBeUndefined()
    for (const origin of ['http://evil.example', 'null', 'http://127.0.0.1:3000', 'file://']) {
      expect(codeOf(check(request({ origin })))).toBe('ORIGIN_REFUSED')
    }
    expect(codeOf(check(request({ isForwarded: true })))).toBe('ORIGIN_REFUSED')
  })
})
