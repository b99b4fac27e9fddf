import { createHash } from 'node:crypto'
import net from 'node:net'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { ListenVerdicts, VerdictServer } from '../../../src/transports/data-plane/verdict-server.ts'
import { get, pause, post, raw } from './raw-client.ts'
import { LISTED, type ScreenedWorld, SERVER_OPTIONS, screenedWorld } from './screened-world.ts'

const KEY = 'X-Api-Key: one'
const EVENT = JSON.stringify({ caller: LISTED })
const MEBIBYTE = 1024 * 1024
/** What an unfinished body takes at first (body-collector.ts): four of them fit. */
const BODIES_BYTES_MAX = 4 * 4_096
const PATIENCE = { timeout: 5_000, interval: 20 }

export function accessContract(listen: ListenVerdicts): void {
  describe('with API keys', () => {
    let screened: ScreenedWorld
    let server: VerdictServer
    beforeAll(async () => {
      screened = screenedWorld({ apiKeyDigests: [createHash('sha256').update('one').digest('hex')] })
      server = await listen({ ...SERVER_OPTIONS, bodiesBytesMax: BODIES_BYTES_MAX }, screened.handler)
    })
    afterAll(async () => {
      await server.close()
      expect(screened.faults).toEqual([])
    })

    async function statusOf(...pieces: string[]): Promise<number | undefined> {
      return (await raw(server.port, pieces)).answers[0]?.status
    }

    /** Sends the beginning of a request and keeps the connection. */
    async function begin(text: string): Promise<net.Socket> {
      const socket = net.connect({ port: server.port, host: '127.0.0.1', noDelay: true })
      socket.on('error', () => {})
      await new Promise<void>((resolve) => socket.write(text, () => resolve()))
      return socket
    }

    it.each([
      ['a verdict', post('/v1/verdict', EVENT)],
      ['a verdict by query', get(`/v1/verdict?caller=${LISTED}`)],
      ['a batch', post('/v1/verdicts', `[${EVENT}]`)],
      ['call ends', post('/v1/call-ends', `[${EVENT}]`)],
      ['a WebSocket', get('/v1/calls')],
      ['a path that is not', post('/nowhere', EVENT)],
    ])('asks for a key before it answers %s', async (_name, request) => {
      expect(await statusOf(request)).toBe(401)
    })

    it('asks for none at health, and lets a key in', async () => {
      expect(await statusOf(get('/health/live'))).toBe(200)
      expect(await statusOf(get('/health/ready'))).toBe(200)
      expect(await statusOf(post('/v1/verdict', EVENT, [KEY]))).toBe(200)
      expect(await statusOf(post('/v1/verdict', EVENT, ['Authorization: Bearer one']))).toBe(200)
    })

    it('keeps the connection after a 401, and reads the next request', async () => {
      const requests = [
        post('/v1/verdict', EVENT),
        post('/v1/verdicts', `[${EVENT}]`.padEnd(100_000)),
        post('/v1/verdict', EVENT, [KEY]),
      ]
      const { answers } = await raw(server.port, requests, { answers: 3 })
      expect(answers.map(({ status }) => status)).toEqual([401, 401, 200])
    })

    it('holds no body of a client without a key', async () => {
      const begun = post('/v1/verdicts', `[${EVENT}]`.padEnd(MEBIBYTE)).slice(0, -1)
      const sockets = await Promise.all(Array.from({ length: 20 }, () => begin(begun)))
      const whole = post('/v1/verdict', EVENT, [KEY])
      expect(await statusOf(whole.slice(0, -10), whole.slice(-10))).toBe(200)
      for (const socket of sockets) socket.destroy()
    })

    it('answers 503 when the unfinished bodies take all the memory they may, and reads the next when they are gone', async () => {
      const begun = post('/v1/verdicts', `[${EVENT}]`.padEnd(4_096), [KEY]).slice(0, -10)
      const whole = post('/v1/verdict', EVENT, [KEY])
      const pieces = [whole.slice(0, -10), whole.slice(-10)]
      const ask = async () => (await raw(server.port, [...pieces, get('/health/live')], { answers: 2 })).answers
      const held = await Promise.all(Array.from({ length: 3 }, () => begin(begun)))
      await pause(50)
      expect((await ask()).map(({ status }) => status)).toEqual([200, 200])
      held.push(await begin(begun))
      // On a busy machine both pieces may be read at once: then nothing has to be kept, and there is an answer.
      const [refusal] = await vi.waitFor(async () => {
        const answers = await ask()
        expect(answers.map(({ status }) => status)).toEqual([503, 200])
        return answers
      }, PATIENCE)
      expect(JSON.parse(refusal!.body)).toMatchObject({ code: 'QUEUE_FULL' })
      expect(refusal!.headers.get('retry-after')).toBe('1')
      for (const socket of held) socket.destroy()
      await vi.waitFor(async () => expect((await ask()).map(({ status }) => status)).toEqual([200, 200]), PATIENCE)
    })
  })
}
