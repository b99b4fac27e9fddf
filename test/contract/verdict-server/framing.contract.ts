import net from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { ListenVerdicts, VerdictServer } from '../../../src/transports/data-plane/verdict-server.ts'
import { get, pause, post, raw } from './raw-client.ts'
import { CALLEE, CLEAN, LISTED, type ScreenedWorld, SERVER_OPTIONS, screenedWorld } from './screened-world.ts'
import { rawFrame } from './socket-client.ts'

const EVENT = JSON.stringify({ caller: LISTED, callee: CALLEE })
const HEAD = 'POST /v1/verdict HTTP/1.1\r\nHost: 127.0.0.1\r\n'
const SMUGGLED = get('/health/live')
const H2C = ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAAP__']

const WEB_SOCKET = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Protocol: zaslon.json.v1',
]
const chunk = (bytes: number) => `${bytes.toString(16)}\r\n${EVENT.padEnd(bytes)}\r\n`
const CALL_FRAME = rawFrame(0x81, Buffer.from(JSON.stringify({ type: 'call', caller: LISTED })), true).toString(
  'latin1',
)

/** Headers of a request about whose end two readers could disagree, or that one must not believe. */
const DOUBTFUL = [
  ['two equal Content-Lengths', `Content-Length: ${EVENT.length}\r\nContent-Length: ${EVENT.length}`],
  ['two different Content-Lengths', `Content-Length: ${EVENT.length}\r\nContent-Length: 2`],
  ['an empty Content-Length', 'Content-Length:'],
  ['a blank Content-Length', 'Content-Length:   '],
  ['a signed Content-Length', `Content-Length: +${EVENT.length}`],
  ['a hexadecimal Content-Length', 'Content-Length: 0x10'],
  ['a list as Content-Length', `Content-Length: ${EVENT.length}, ${EVENT.length}`],
  ['a negative Content-Length', 'Content-Length: -1'],
  ['an overflowing Content-Length', 'Content-Length: 99999999999999999999'],
  ['Content-Length with Transfer-Encoding', `Content-Length: ${EVENT.length}\r\nTransfer-Encoding: chunked`],
  ['Transfer-Encoding: xchunked', 'Transfer-Encoding: xchunked'],
  ['Transfer-Encoding: gzip, chunked', 'Transfer-Encoding: gzip, chunked'],
  ['Transfer-Encoding: chunked, identity', 'Transfer-Encoding: chunked, identity'],
  ['Transfer-Encoding twice', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked'],
  ['a folded header', `X-A: a\r\n b\r\nContent-Length: ${EVENT.length}`],
  ['a space before the colon', `Content-Length : ${EVENT.length}`],
  ['a header without a colon', `nonsense\r\nContent-Length: ${EVENT.length}`],
  ['a NUL in a header', `X-A: a\0b\r\nContent-Length: ${EVENT.length}`],
  ['two Host headers', `Host: other\r\nContent-Length: ${EVENT.length}`],
  ['two Authorization headers', `Authorization: a\r\nAuthorization: b\r\nContent-Length: ${EVENT.length}`],
] as const

export function framingContract(listen: ListenVerdicts): void {
  describe('as bytes on a socket', () => {
    let screened: ScreenedWorld
    let server: VerdictServer

    beforeAll(async () => {
      screened = screenedWorld()
      server = await listen(SERVER_OPTIONS, screened.handler)
    })
    afterEach(async () => {
      const { answers } = await raw(server.port, post('/v1/verdict', EVENT))
      expect(answers.map(({ status }) => status)).toEqual([200])
    })
    afterAll(async () => {
      await server.close()
      expect(screened.faults).toEqual([])
    })

    it('reads a request that comes byte by byte', async () => {
      const { answers } = await raw(server.port, post('/v1/verdict', EVENT).split(''))
      expect(JSON.parse(answers[0]!.body).decision).toBe('block')
    })

    it('reads a body that comes in pieces, whatever they cut', async () => {
      const body = Buffer.from(JSON.stringify({ callId: 'ыы', caller: LISTED }))
      const head = Buffer.from(`${HEAD}Content-Length: ${body.length}\r\n\r\n`)
      const cut = body.indexOf('ы') + 1
      const { answers } = await raw(server.port, [head, body.subarray(0, cut), body.subarray(cut)])
      expect(JSON.parse(answers[0]!.body)).toMatchObject({ callId: 'ыы' })
    })

    it('answers pipelined requests in order', async () => {
      const callIds = Array.from({ length: 50 }, (_, i) => `call-${i}`)
      const requests = callIds.map((callId) => post('/v1/verdict', JSON.stringify({ callId, caller: CLEAN }))).join('')
      const { answers } = await raw(server.port, requests, { answers: 50 })
      expect(answers.map(({ body }) => JSON.parse(body).callId)).toEqual(callIds)
    })

    it('keeps the connection after a 4xx that leaves no doubt about the next request', async () => {
      const requests = [
        post('/v1/verdict', 'no json'),
        post('/nowhere', EVENT),
        post('/v1/verdict', ' '.repeat(16_385)),
        'PUT /v1/verdict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 2\r\n\r\n{}',
        post('/v1/verdict', EVENT),
      ]
      const { answers, isClosed } = await raw(server.port, requests, { answers: 5 })
      expect(answers.map(({ status }) => status)).toEqual([400, 404, 413, 405, 200])
      expect(isClosed).toBe(false)
    })

    it('gives every chunked call its own answer, however many wait to be sent', async () => {
      const ids = Array.from({ length: 50 }, (_, i) => `chunked-${i}${'x'.repeat(i)}`)
      const outcomes = await Promise.all(
        ids.map((callId) => {
          const event = JSON.stringify({ callId, caller: LISTED })
          const body = `${event.length.toString(16)}\r\n${event}\r\n0\r\n\r\n`
          return raw(server.port, `${HEAD}Transfer-Encoding: chunked\r\n\r\n${body}`)
        }),
      )
      expect(outcomes.map(({ answers }) => JSON.parse(answers[0]?.body ?? '{}').callId)).toEqual(ids)
    })

    it('reads a chunked body', async () => {
      const chunks = [...EVENT].map((character) => `1\r\n${character}\r\n`).join('')
      const { answers } = await raw(server.port, `${HEAD}Transfer-Encoding: chunked\r\n\r\n${chunks}0\r\n\r\n`)
      expect(JSON.parse(answers[0]!.body).decision).toBe('block')
    })

    it.each([
      [
        'the trailers of a chunked body',
        `Transfer-Encoding: chunked\r\n\r\n${EVENT.length.toString(16)}\r\n${EVENT}\r\n0\r\nX: /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`,
      ],
      [
        'a body whose length stands behind a header without a name',
        `: x\r\nContent-Length: 60\r\n\r\n${get('/v1/verdict?caller=%2B79160000001')}`,
      ],
      [
        'a chunked body that is announced behind a header without a name',
        `: x\r\nTransfer-Encoding: chunked\r\n\r\n${get('/v1/verdict?caller=%2B79160000001')}`,
      ],
    ])('serves nothing that hides in %s', async (_what, rest) => {
      const { answers, isClosed } = await raw(
        server.port,
        `POST /v1/verdict HTTP/1.1\r\nHost: 127.0.0.1\r\n${rest}`,
        {},
      )
      // A connection that was cut before its answer is as good: what hides has no second one.
      expect(answers.length).toBeLessThan(2)
      expect(isClosed || answers.length === 1).toBe(true)
    })

    it('refuses a chunked body one byte over the limit', async () => {
      const chunked = (bytes: number) =>
        `${HEAD}Transfer-Encoding: chunked\r\n\r\n${bytes.toString(16)}\r\n${EVENT.padEnd(bytes)}\r\n0\r\n\r\n`
      expect((await raw(server.port, chunked(16_384))).answers.map(({ status }) => status)).toEqual([200])
      expect((await raw(server.port, chunked(16_385))).answers.map(({ status }) => status)).toEqual([413])
    })

    it.each(DOUBTFUL)('refuses %s, closes, and serves nothing that hides behind it', async (_name, headers) => {
      for (const hidden of [SMUGGLED, get('/health/live', H2C)]) {
        const { answers, isClosed, text } = await raw(server.port, `${HEAD}${headers}\r\n\r\n${EVENT}${hidden}`, {
          untilClosed: true,
        })
        expect(isClosed).toBe(true)
        expect(answers.length).toBeLessThanOrEqual(1)
        for (const { status } of answers) expect(status).toBe(400)
        expect(text).not.toContain('"live"')
        expect(text).not.toContain('verdictId')
      }
    })

    it.each(DOUBTFUL)(
      'refuses a WebSocket with %s, closes, and serves nothing that hides behind it',
      async (_name, headers) => {
        const upgrade = get('/v1/calls', [...WEB_SOCKET, headers])
        for (const behind of [EVENT, CALL_FRAME, '']) {
          const { answers, isClosed, text } = await raw(server.port, `${upgrade}${behind}${SMUGGLED}`, {
            untilClosed: true,
          })
          expect(isClosed).toBe(true)
          expect(answers.length).toBeLessThanOrEqual(1)
          // uWebSockets.js has a 505 of its own for bytes that are no request.
          for (const { status } of answers) expect(status).toBeOneOf([400, 505])
          expect(text).not.toContain('"live"')
          expect(text).not.toContain('verdict')
        }
      },
    )

    it.each(['HEAD', 'PUT', 'DELETE', 'OPTIONS'])('closes after a %s of doubtful length, too', async (method) => {
      const request = `${method} /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\n`
      for (const headers of ['Content-Length: 2\r\nContent-Length: 3', 'Authorization: a\r\nAuthorization: b']) {
        const alone = await raw(server.port, `${request}${headers}\r\n\r\n`, { untilClosed: true })
        expect(alone.isClosed).toBe(true)
        expect(alone.text.startsWith('HTTP/1.1 400 ')).toBe(true)
        const { text } = await raw(server.port, `${request}${headers}\r\n\r\n${SMUGGLED}`, { untilClosed: true })
        expect(text).not.toContain('"live"')
      }
    })

    it.each([
      ['no Upgrade header', WEB_SOCKET.filter((line) => !line.startsWith('Upgrade:'))],
      ['an Upgrade to something else', WEB_SOCKET.map((line) => line.replace('Upgrade: websocket', 'Upgrade: h2c'))],
      ['no Connection header', WEB_SOCKET.filter((line) => !line.startsWith('Connection:'))],
      ['a body by length', [...WEB_SOCKET, `Content-Length: ${CALL_FRAME.length}`]],
      ['a chunked body', [...WEB_SOCKET, 'Transfer-Encoding: chunked']],
    ])('takes no frames after a WebSocket upgrade with %s', async (_name, headers) => {
      const alone = await raw(server.port, get('/v1/calls', headers))
      expect(alone.answers[0]?.status).toBe(400)
      const { isClosed, text } = await raw(server.port, get('/v1/calls', headers) + CALL_FRAME + SMUGGLED, {
        untilClosed: true,
      })
      expect(isClosed).toBe(true)
      expect(text).not.toContain(' 101 ')
      expect(text).not.toContain('"verdict"')
      expect(text).not.toContain('"live"')
    })

    it.each([
      ['a doubtful length', [`${HEAD}Content-Length: 2\r\nContent-Length:3\r\n\r\n`]],
      ['two Authorization headers', [get('/health/live', ['Authorization: a', 'Authorization: b'])]],
      ['a body too large', [post('/v1/verdict', ' '.repeat(16_385))]],
      ['a body far too large', [`${HEAD}Content-Length: 1000000000\r\n\r\n`]],
      ['a body too large in chunks', [`${HEAD}Transfer-Encoding: chunked\r\n\r\n`, chunk(16_385), '0\r\n\r\n']],
      ['a handshake without a version', [get('/v1/calls', WEB_SOCKET.slice(0, 3))]],
      ['a handshake from elsewhere', [get('/v1/calls', [...WEB_SOCKET, 'Origin: https://evil.example'])]],
      ['no subprotocol', [get('/v1/calls', WEB_SOCKET.slice(0, 4))]],
      ['a foreign host', ['GET /v1/verdict HTTP/1.1\r\nHost: evil.example\r\n\r\n']],
    ])('counts a request that is refused for %s, once', async (_name, pieces) => {
      const before = screened.seen.refused
      const { answers } = await raw(server.port, pieces)
      expect(answers[0]?.status).toBeOneOf([400, 403, 413])
      expect(screened.seen.refused).toBe(before + 1)
    })

    it('says why when nothing hides behind a doubtful length', async () => {
      for (const headers of [
        'Content-Length: 2\r\nContent-Length: 3',
        'Content-Length:',
        'Transfer-Encoding: xchunked',
      ]) {
        const { answers, isClosed } = await raw(server.port, `${HEAD}${headers}\r\n\r\n`, { untilClosed: true })
        expect(isClosed).toBe(true)
        expect(answers.map(({ status }) => status)).toEqual([400])
      }
    })

    it.each([
      ['no Host', 'GET /health/live HTTP/1.1\r\n\r\n'],
      ['HTTP/1.0', 'GET /health/live HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n'],
      ['HTTP/9.9', 'GET /health/live HTTP/9.9\r\nHost: 127.0.0.1\r\n\r\n'],
      ['bare line feeds', 'GET /health/live HTTP/1.1\nHost: 127.0.0.1\n\n'],
      ['a TLS hello', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'.padEnd(600, '\0')],
      ['a NUL in the path', 'GET /health\0/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'],
      ['a target with a scheme', 'GET http://127.0.0.1:8090/health/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'],
      ['a target without a slash', 'OPTIONS * HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'],
      ['a CONNECT', 'CONNECT example.org:25 HTTP/1.1\r\nHost: example.org:25\r\n\r\n'],
      ['a 20 KB path', `GET /${'a'.repeat(20_000)} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`],
      ['a 20 KB header', get('/health/live', [`X-A: ${'a'.repeat(20_000)}`])],
      [
        'a thousand headers',
        get(
          '/health/live',
          Array.from({ length: 1_000 }, (_, i) => `X-${i}: 1`),
        ),
      ],
    ])('does not serve %s', async (_name, request) => {
      const { answers, isClosed, text } = await raw(server.port, request, { untilClosed: true })
      expect(isClosed).toBe(true)
      for (const { status } of answers) expect([400, 404, 431, 505]).toContain(status)
      expect(text).not.toContain('"live"')
    })

    it('takes a body shorter than announced for an unfinished request', async () => {
      const { answers } = await raw(server.port, `${HEAD}Content-Length: 500\r\n\r\n${EVENT}`, { answers: 0 })
      expect(answers).toEqual([])
    })

    it('takes what follows a body for the next request', async () => {
      const { answers } = await raw(server.port, `${post('/v1/verdict', EVENT)}GARBAGE\r\n\r\n`)
      expect(answers[0]?.status).toBe(200)
      for (const { status } of answers.slice(1)) expect([400, 505]).toContain(status)
    })

    it('survives clients that leave in the middle', async () => {
      const whole = post('/v1/verdict', EVENT)
      for (let length = 0; length < whole.length; length += 17) {
        const socket = net.connect(server.port, '127.0.0.1', () => {
          socket.write(whole.slice(0, length))
          if (length % 2 === 0) socket.resetAndDestroy()
          else socket.end()
        })
        socket.on('error', () => {})
        await pause(1)
      }
    })

    it('answers a megabyte too much with 413 and cuts off endless bodies', async () => {
      const large = await raw(server.port, post('/v1/verdict', 'x'.repeat(1024 * 1024)))
      expect(large.answers.map(({ status }) => status)).toEqual([413])
      const announced = await raw(server.port, `${HEAD}Content-Length: 1000000000\r\n\r\n`, { untilClosed: true })
      expect(announced.answers.map(({ status }) => status)).toEqual([413])
      const megabyte = `100000\r\n${'x'.repeat(1024 * 1024)}\r\n`
      const endless = await raw(
        server.port,
        [`${HEAD}Transfer-Encoding: chunked\r\n\r\n`, ...Array(8).fill(megabyte)],
        {
          untilClosed: true,
        },
      )
      expect(endless.isClosed).toBe(true)
    })

    describe('with an upgrade that nobody speaks', () => {
      const body = JSON.stringify({ callId: 'ыы', caller: LISTED, callee: CALLEE })

      it('answers the request as it is without it', async () => {
        const requests = [
          get(`/v1/verdict?caller=${LISTED}`, H2C),
          post('/v1/verdict', body, H2C),
          get(`/v1/verdict?caller=${LISTED}`, ['Connection: Upgrade', 'Upgrade: websocket']),
          post('/v1/verdict', body),
        ]
        const { answers, isClosed } = await raw(server.port, requests, { answers: requests.length })
        expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200])
        expect(answers.map((answer) => JSON.parse(answer.body).decision)).toEqual(['block', 'block', 'block', 'block'])
        expect(isClosed).toBe(false)
      })

      it.each([0, 1, 2])(
        'keeps the order of pipelined requests, every third without one, from number %i',
        async (from) => {
          const requests = Array.from({ length: 30 }, (_, i) => {
            const headers = i % 3 === from ? [] : H2C
            return i % 4 < 2
              ? get(`/v1/verdict?caller=${LISTED}&callId=call-${i}`, headers)
              : post('/v1/verdict', JSON.stringify({ callId: `call-${i}`, caller: CLEAN }), headers)
          })
          const { answers } = await raw(server.port, requests.join(''), { answers: 30 })
          expect(answers.map((answer) => JSON.parse(answer.body).callId)).toEqual(requests.map((_, i) => `call-${i}`))
        },
      )

      it('reads a body that comes byte by byte, or in chunks', async () => {
        const { answers } = await raw(server.port, post('/v1/verdict', body, H2C).split(''))
        expect(JSON.parse(answers[0]!.body)).toMatchObject({ decision: 'block', callId: 'ыы' })
        const chunked = `${HEAD}${H2C.join('\r\n')}\r\nTransfer-Encoding: chunked\r\n\r\n`
        const chunks = `${EVENT.length.toString(16)}\r\n${EVENT}\r\n0\r\n\r\n`
        const inChunks = await raw(server.port, [chunked, chunks])
        expect(JSON.parse(inChunks.answers[0]!.body).decision).toBe('block')
      })

      it.each(['Content-Length: 2\r\nContent-Length: 3', 'Content-Length:', 'Transfer-Encoding: xchunked'])(
        'refuses %j and closes',
        async (lengths) => {
          const request = `${HEAD}${H2C.join('\r\n')}\r\n${lengths}\r\n\r\n${EVENT}${SMUGGLED}`
          const { answers, isClosed, text } = await raw(server.port, request, { untilClosed: true })
          expect(isClosed).toBe(true)
          expect(answers.length).toBeLessThanOrEqual(1)
          for (const { status } of answers) expect(status).toBe(400)
          expect(text).not.toContain('"live"')
          expect(text).not.toContain('verdictId')
        },
      )
    })

    it('answers Expect: 100-continue', async () => {
      const { answers } = await raw(server.port, post('/v1/verdict', EVENT, ['Expect: 100-continue']))
      expect(answers.map(({ status }) => status)).toEqual([200])
    })

    it('closes when the client asks for it', async () => {
      const { answers, isClosed } = await raw(server.port, get('/health/live', ['Connection: close']), {
        untilClosed: true,
      })
      expect(answers.map(({ status }) => status)).toEqual([200])
      expect(isClosed).toBe(true)
    })

    it('does not buffer without limit for a client that asks and never reads', async () => {
      const block = get(`/v1/verdict?caller=${LISTED}`).repeat(2_000)
      const socket = net.connect(server.port, '127.0.0.1')
      socket.on('error', () => {})
      socket.pause()
      const blocks = 100
      let written = 0
      for (; written < blocks && !socket.destroyed; written++) {
        const isTaken = await new Promise<boolean>((resolve) => {
          socket.write(block, () => resolve(true))
          setTimeout(() => resolve(false), 500)
        })
        if (!isTaken) break
      }
      // Either the server stops reading or it cuts the connection: it never takes it all.
      expect(written).toBeLessThan(blocks)
      socket.destroy()
    })
  })
}
