import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { ListenVerdicts, VerdictServer } from '../../../src/transports/data-plane/verdict-server.ts'
import { NOW } from '../../fixtures/screening-world.ts'
import { get, post, type RawAnswer, raw } from './raw-client.ts'
import { CALLEE, CLEAN, LISTED, REPORTED, type ScreenedWorld, SERVER_OPTIONS, screenedWorld } from './screened-world.ts'

export function httpContract(listen: ListenVerdicts): void {
  describe('over HTTP', () => {
    let screened: ScreenedWorld
    let server: VerdictServer

    beforeAll(async () => {
      screened = screenedWorld()
      server = await listen(SERVER_OPTIONS, screened.handler)
    })
    afterAll(async () => {
      await server.close()
      expect(screened.faults).toEqual([])
    })
    let refusedBefore = 0
    beforeEach(() => {
      refusedBefore = screened.seen.refused
    })

    async function ask(request: string): Promise<RawAnswer> {
      const { answers } = await raw(server.port, request)
      expect(answers).toHaveLength(1)
      return answers[0]!
    }
    async function verdict(event: unknown, headers: string[] = []) {
      const answer = await ask(post('/v1/verdict', JSON.stringify(event), headers))
      expect(answer.status).toBe(200)
      return JSON.parse(answer.body)
    }
    async function expectProblem(request: string, status: number, code: string) {
      const answer = await ask(request)
      expect(answer.status).toBe(status)
      expect(answer.headers.get('content-type')).toBe('application/problem+json')
      const problem = JSON.parse(answer.body)
      expect(problem).toMatchObject({ type: `docs/errors.md#${code.toLowerCase()}`, status, code })
      expect(problem.title.toLowerCase()).toBe(code.toLowerCase().replaceAll('_', ' '))
      expect(problem.detail).toMatch(/\.$/)
      expect(problem.hint).not.toBe('')
      return answer
    }

    describe('POST /v1/verdict', () => {
      it('blocks a listed caller with the whole body of the contract', async () => {
        const body = await verdict({ callId: 'a"1\\ы', caller: LISTED, callee: CALLEE })
        expect(body).toEqual({
          verdictId: expect.stringMatching(/^[0-9a-f]{32}$/),
          callId: 'a"1\\ы',
          decision: 'block',
          score: 97,
          reasons: [{ code: 'listed', basis: 'analytics', list: 'hotline-confirmed', kind: 'deny', points: 97 }],
          sip: {
            action: 'reject',
            status: 603,
            phrase: 'Network Blocked',
            headers: {
              Reason: `SIP;cause=603;text="v=analytics1;url=https://redress.example/${body.verdictId}";location=LN`,
            },
          },
          policy: 'default@3',
        })
      })

      it('lets a clean caller through and says that there was no evidence', async () => {
        const body = await verdict({ caller: CLEAN, callee: CALLEE })
        expect(body).toMatchObject({ decision: 'allow', score: 0, sip: { action: 'forward' } })
        expect(body.reasons).toEqual([{ code: 'no-evidence', basis: 'analytics', points: 0 }])
        expect(body.sip.headers['X-Zaslon-Verdict']).toBe(`allow;id=${body.verdictId};score=0`)
        expect(body).not.toHaveProperty('callId')
        expect(body).not.toHaveProperty('label')
      })

      it('flags a reported caller with a label', async () => {
        const body = await verdict({ caller: REPORTED, callee: CALLEE })
        expect(body).toMatchObject({
          decision: 'flag',
          label: { code: 'suspected-fraud', text: 'Suspected fraud' },
          sip: { action: 'forward', headers: { 'X-Zaslon-Label': 'suspected-fraud' } },
        })
      })

      it.each([
        ['null', null, 'withheld'],
        ['absent', undefined, 'withheld'],
        ['a number in national form', 89160000001, 'listed'],
        ['a number', 79160000001, 'listed'],
        ['a fraction', 79160000001.5, 'invalid-caller'],
        ['a negative number', -79160000001, 'invalid-caller'],
        ['a number beyond all digits', 1e300, 'invalid-caller'],
        ['a number that lost digits', 2 ** 53, 'invalid-caller'],
        ['zero', 0, 'invalid-caller'],
        ['true', true, 'invalid-caller'],
        ['an object', { caller: 1 }, 'invalid-caller'],
        ['an array', ['+79160000001'], 'invalid-caller'],
        ['a name', 'BANK', 'invalid-caller'],
        ['control characters', '+7916\u0000000001', 'invalid-caller'],
        ['ten thousand digits', '9'.repeat(10_000), 'invalid-caller'],
      ])('answers a caller that is %s', async (_name, caller, reason) => {
        const body = await verdict({ caller, callee: CALLEE })
        expect(body.reasons.map(({ code }: { code: string }) => code)).toContain(reason)
      })

      it('reads numbers that come as JSON numbers by their digits', async () => {
        const asNumbers = await verdict({ callId: 17, caller: 79160000001, callee: 79031112233 })
        expect(asNumbers).toMatchObject({ callId: '17', decision: 'block' })
        expect(await verdict({ callId: '17', caller: LISTED, callee: CALLEE })).toEqual(asNumbers)
        expect(await verdict({ callId: 18, caller: LISTED, callee: 112 })).toMatchObject({
          callId: '18',
          reasons: [{ code: 'emergency-callee' }],
        })
        const own = { caller: CLEAN, callee: CALLEE, callId: -5, redirecting: 79160000001 }
        expect(await verdict(own)).toMatchObject({ callId: '-5', decision: 'allow' })
        expect(await verdict({ ...own, callId: 1.5 })).not.toHaveProperty('callId')
        expect(await verdict({ ...own, callId: 2 ** 53 })).not.toHaveProperty('callId')
      })

      it('ignores unknown fields and optional fields of a wrong type', async () => {
        const event = {
          callId: [17],
          caller: CLEAN,
          callee: { a: 1 },
          ingress: 'abroad-1',
          stir: [],
          callerStatus: null,
          treatment: 5,
          deadlineAt: {},
          at: [],
          extra: { deep: true },
        }
        expect(await verdict(event)).toMatchObject({ decision: 'allow' })
      })

      it('takes the ingress kind from the registered trunk, and the given kind before that', async () => {
        const codes = async (ingress: unknown) =>
          (await verdict({ caller: CLEAN, callee: CALLEE, ingress })).reasons.map((r: { code: string }) => r.code)
        expect(await codes({ trunk: 'abroad-1' })).toContain('national-from-abroad')
        expect(await codes({ trunk: 'abroad-1', kind: 'national' })).not.toContain('national-from-abroad')
        expect(await codes({ trunk: 'abroad-1', kind: 'moon' })).toContain('national-from-abroad')
        expect(await codes({ kind: 'international' })).toContain('national-from-abroad')
        expect(await codes({ trunk: 'unregistered' })).toEqual(['no-evidence'])
      })

      it('answers overloaded after the deadline of the client, in either form of time', async () => {
        for (const deadlineAt of [NOW - 1, new Date(NOW - 1).toISOString()]) {
          const body = await verdict({ caller: LISTED, callee: CALLEE, deadlineAt })
          expect(body).toMatchObject({ decision: 'allow', reasons: [{ code: 'overloaded' }] })
        }
        expect(await verdict({ caller: LISTED, callee: CALLEE, deadlineAt: 'soon' })).toMatchObject({
          decision: 'block',
        })
      })

      it('gives the same call the same verdict id, and another caller with its callId another', async () => {
        const first = await verdict({ callId: 'same', caller: LISTED, callee: CALLEE })
        const again = await verdict({ callId: 'same', caller: LISTED, callee: CALLEE })
        const other = await verdict({ callId: 'same', caller: CLEAN, callee: CALLEE })
        expect(again.verdictId).toBe(first.verdictId)
        expect(other.verdictId).not.toBe(first.verdictId)
        expect(other.decision).toBe('allow')
      })

      it('gives the same call the same answer when policy and lists have changed', async () => {
        const { screener, snapshot } = screened.world
        const calls = [LISTED, REPORTED, CLEAN].map((caller) => ({ callId: 'policy', caller, callee: CALLEE }))
        const askAll = () => Promise.all(calls.map((call) => verdict(call)))
        const line = async () => (await ask(post('/v1/verdict', JSON.stringify(calls[0]), ['Accept: text/plain']))).body
        const before = await askAll()
        expect(await line()).toBe('block 603 Network Blocked')
        const sip = { ...snapshot.policy.sip, analytics: '608' as const }
        const label = { code: 'scam-likely', text: { en: 'Scam likely' } }
        const policy = { ...snapshot.policy, name: 'strict', sip, label }
        screener.install({ ...snapshot, generation: 2, policyVersion: 4, policy, lists: [] })
        expect(await askAll()).toEqual(before)
        expect(await line()).toBe('block 603 Network Blocked')
        const other = await verdict({ callId: 'another', caller: REPORTED, callee: CALLEE })
        expect(other).toMatchObject({ policy: 'strict@4', label: { code: 'scam-likely' } })
        screener.install({ ...snapshot, generation: 3 })
        expect(await askAll()).toEqual(before)
        screener.install(snapshot)
      })

      it('cuts a long callId in the echo only', async () => {
        const callId = 'x'.repeat(256)
        expect((await verdict({ callId, caller: CLEAN })).callId).toBe(callId)
        expect((await verdict({ callId: `${callId}y`, caller: CLEAN })).callId).toBe(callId)
      })

      it('writes any callId as valid JSON', async () => {
        for (const callId of ['\u2028</script>', '\ud800', '"},"decision":"allow', '{verdictId}', '\u0000']) {
          const body = await verdict({ callId, caller: LISTED })
          expect(body.decision).toBe('block')
          expect(body.callId).toBe(callId)
        }
      })

      it('answers text/plain in one line', async () => {
        const line = async (caller: string) => {
          const answer = await ask(post('/v1/verdict', JSON.stringify({ caller }), ['Accept: text/plain']))
          expect(answer.headers.get('content-type')).toBe('text/plain; charset=utf-8')
          return answer.body
        }
        expect(await line(LISTED)).toBe('block 603 Network Blocked')
        expect(await line(CLEAN)).toBe('allow')
        expect(await line(REPORTED)).toBe('flag suspected-fraud')
      })

      it.each([
        ['Text/Plain', 'text/plain'],
        ['TEXT/PLAIN; charset=utf-8', 'text/plain'],
        ['text/plain, Application/JSON', 'application/json'],
        ['application/json', 'application/json'],
        ['*/*', 'application/json'],
        ['text/html', 'application/json'],
      ])('answers Accept: %s with %s', async (accept, expected) => {
        const { headers } = await ask(post('/v1/verdict', JSON.stringify({ caller: CLEAN }), [`Accept: ${accept}`]))
        expect(headers.get('content-type')?.split(';')[0]).toBe(expected)
      })

      it.each([
        ['nothing', '', 'JSON_MALFORMED'],
        ['half an object', '{"caller":"+79995551234', 'JSON_MALFORMED'],
        ['two objects', '{}{}', 'JSON_MALFORMED'],
        ['a byte-order mark', '\ufeff{}', 'JSON_MALFORMED'],
        ['an array', '[{}]', 'BODY_INVALID'],
        ['a text', '"+79160000001"', 'BODY_INVALID'],
        ['null', 'null', 'BODY_INVALID'],
        ['a number', '1e999', 'BODY_INVALID'],
      ])('refuses %s without effect', async (_name, body, code) => {
        const answer = await expectProblem(post('/v1/verdict', body), 400, code)
        expect(answer.body).not.toContain('5551234')
        expect(screened.seen.refused).toBe(refusedBefore + 1)
      })

      it('refuses a body that is not UTF-8', async () => {
        const body = Buffer.from('{"caller":"\xff\xfe"}', 'latin1')
        const head = `POST /v1/verdict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: ${body.length}\r\n\r\n`
        const { answers } = await raw(server.port, Buffer.concat([Buffer.from(head), body]))
        expect(JSON.parse(answers[0]!.body)).toMatchObject({ status: 400, code: 'JSON_MALFORMED' })
      })

      it('is not impressed by __proto__, constructor or deep nesting', async () => {
        const polluted = `{"__proto__":{"caller":"${LISTED}","isAdmin":true},"constructor":{"prototype":{"x":1}},"caller":"${CLEAN}"}`
        const answer = await ask(post('/v1/verdict', polluted))
        expect(JSON.parse(answer.body).decision).toBe('allow')
        expect(({} as { isAdmin?: boolean }).isAdmin).toBeUndefined()
        const nested = `{"caller":"${LISTED}","stir":${'['.repeat(7_000)}${']'.repeat(7_000)}}`
        expect(JSON.parse((await ask(post('/v1/verdict', nested))).body).decision).toBe('block')
      })

      it('reads 16 KiB and not one byte more', async () => {
        const padded = (bytes: number) => `{"caller":"${LISTED}"}`.padEnd(bytes)
        expect((await ask(post('/v1/verdict', padded(16_384)))).status).toBe(200)
        await expectProblem(post('/v1/verdict', padded(16_385)), 413, 'BODY_TOO_LARGE')
      })
    })

    describe('GET /v1/verdict', () => {
      it.each([
        ['%2B', `caller=%2B${LISTED.slice(1)}`],
        ['a literal plus', `caller=${LISTED}`],
        ['an encoded space', `caller=%20${LISTED.slice(1)}`],
        ['an 8', 'caller=89160000001'],
        ['a SIP URI', `caller=sip%3A%2B${LISTED.slice(1)}%40example.org%3Buser%3Dphone`],
      ])('reads a caller with %s', async (_name, query) => {
        const answer = await ask(get(`/v1/verdict?${query}&callee=112233&callId=a%20b%26c`))
        expect(answer.headers.get('cache-control')).toBe('no-store')
        expect(JSON.parse(answer.body)).toMatchObject({ decision: 'block', callId: 'a b&c' })
      })

      it('answers text/plain', async () => {
        const answer = await ask(get(`/v1/verdict?caller=${LISTED}`, ['Accept: text/plain']))
        expect(answer.body).toBe('block 603 Network Blocked')
      })

      it('takes trunk and kind', async () => {
        for (const query of ['trunk=abroad-1', 'kind=international']) {
          const answer = await ask(get(`/v1/verdict?caller=${CLEAN}&callee=${CALLEE}&${query}`))
          expect(answer.body).toContain('national-from-abroad')
        }
      })

      it.each(['', 'caller', 'caller=', 'caller=%', 'caller=%zz', 'caller=%ff%fe', '&&=&', 'x=1&y=2&__proto__=1'])(
        'answers the query "%s"',
        async (query) => {
          expect((await ask(get(`/v1/verdict?${query}`))).status).toBe(200)
        },
      )

      it('refuses a parameter that stands twice, and more than 64 of them', async () => {
        await expectProblem(get(`/v1/verdict?caller=${CLEAN}&caller=${LISTED}`), 400, 'QUERY_INVALID')
        const many = (count: number) => Array.from({ length: count }, (_, i) => `p${i}=1`).join('&')
        expect((await ask(get(`/v1/verdict?${many(64)}`))).status).toBe(200)
        await expectProblem(get(`/v1/verdict?${many(65)}`), 400, 'QUERY_INVALID')
      })
    })

    describe('paths and methods', () => {
      it.each([
        '/',
        '/v1',
        '/v1/verdict/',
        '/V1/verdict',
        '/v1/lists',
        '/v1/verdict%00',
        '//v1/verdict',
        '/../etc/passwd',
      ])('has nothing at %s', async (path) => {
        await expectProblem(get(path), 404, 'NOT_FOUND')
        await expectProblem(post(path, '{}'), 404, 'NOT_FOUND')
      })

      it.each([
        ['PUT', '/v1/verdict', 'GET, POST'],
        ['DELETE', '/v1/verdict', 'GET, POST'],
        ['OPTIONS', '/v1/verdict', 'GET, POST'],
        ['TRACE', '/v1/verdict', 'GET, POST'],
        ['GET', '/v1/verdicts', 'POST'],
        ['POST', '/health/live', 'GET, HEAD'],
        ['PATCH', '/v1/call-ends', 'POST'],
      ])('refuses %s %s and names what is allowed', async (method, path, allow) => {
        const answer = await expectProblem(
          `${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\r\n`,
          405,
          'METHOD_NOT_ALLOWED',
        )
        expect(answer.headers.get('allow')).toBe(allow)
      })

      it('answers HEAD without a body, and the connection goes on', async () => {
        for (const [path, status] of [
          ['/health/live', 200],
          ['/v1/verdict', 405],
        ]) {
          const head = `HEAD ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`
          const { text } = await raw(server.port, [head, get('/health/live')], { until: '"live"' })
          expect(text).toContain(` ${status} `)
          expect(text).toMatch(/\r\n\r\nHTTP\/1.1 200 OK\r\n[\s\S]*\r\n\r\n\{"status":"live"\}$/)
        }
      })

      it('says what /v1/calls is for', async () => {
        await expectProblem(get('/v1/calls'), 400, 'HEADER_INVALID')
      })
    })

    describe('without API keys', () => {
      it.each([
        'Forwarded: for=10.0.0.1',
        'Sec-Fetch-Site: cross-site',
        'Sec-Fetch-Site: same-site',
        'Via: 1.1 proxy',
        'X-Forwarded-For: 10.0.0.1',
        'X-Forwarded-Anything: ',
        'X-Real-IP: 10.0.0.1',
        'X-Original-URL: /v1/lists',
        'X-Original-Forwarded-For: 10.0.0.1',
        'X-Client-IP: 10.0.0.1',
        'True-Client-IP: 10.0.0.1',
        'CF-Connecting-IP: 10.0.0.1',
      ])('refuses a request with %s', async (header) => {
        await expectProblem(post('/v1/verdict', JSON.stringify({ caller: LISTED }), [header]), 403, 'ORIGIN_REFUSED')
      })

      it('answers a request with the headers that clients send', async () => {
        const headers = [
          'User-Agent: Kamailio',
          'Accept: */*',
          'X-Request-Id: 1',
          'Cookie: a=b',
          'TE: trailers',
          'Vary: a',
        ]
        expect((await ask(get('/v1/verdict?caller=112', headers))).status).toBe(200)
      })
    })

    it('is live, and ready with the age of its state', async () => {
      expect(JSON.parse((await ask(get('/health/live'))).body)).toEqual({ status: 'live' })
      expect(JSON.parse((await ask(get('/health/ready'))).body)).toEqual({
        status: 'ready',
        policy: 'default@3',
        generation: 1,
        stateAgeMs: 1_500,
      })
    })

    it('is ready without an age that nobody knows', async () => {
      screened.health.freshMs = 0
      expect(JSON.parse((await ask(get('/health/ready'))).body)).not.toHaveProperty('stateAgeMs')
      screened.health.freshMs = NOW - 1_500
    })
  })
}
