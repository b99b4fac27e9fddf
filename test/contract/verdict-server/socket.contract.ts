import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { ACTIVITY_OF, createActivityView, readActivity } from '../../../src/shm/activity.ts'
import type { ListenVerdicts, VerdictServer } from '../../../src/transports/data-plane/verdict-server.ts'
import { NOW } from '../../fixtures/screening-world.ts'
import { get, pause, post, raw } from './raw-client.ts'
import { CALLEE, CLEAN, LISTED, type ScreenedWorld, SERVER_OPTIONS, screenedWorld } from './screened-world.ts'
import { binaryCall, binaryTrunk, type Client, openClient, rawFrame, rawUpgrade } from './socket-client.ts'

export function socketContract(listen: ListenVerdicts): void {
  describe('over WebSocket', () => {
    let screened: ScreenedWorld
    let server: VerdictServer
    const open = (subprotocol: string | string[]): Promise<Client> =>
      openClient(`ws://127.0.0.1:${server.port}/v1/calls`, subprotocol)

    beforeAll(async () => {
      screened = screenedWorld()
      server = await listen(SERVER_OPTIONS, screened.handler)
    })
    afterEach(async () => {
      const { answers } = await raw(server.port, post('/v1/verdict', JSON.stringify({ caller: LISTED })))
      expect(answers.map(({ status }) => status)).toEqual([200])
    })
    afterAll(async () => {
      await server.close()
      expect(screened.faults).toEqual([])
    })

    describe('the upgrade', () => {
      it('picks the first subprotocol it speaks', async () => {
        const client = await open(['chat', 'zaslon.bin.v1', 'zaslon.json.v1'])
        expect(client.webSocket.protocol).toBe('zaslon.bin.v1')
        client.webSocket.close()
      })

      it.each([
        ['no subprotocol', [], 'zaslon.json.v1', 13],
        ['another subprotocol', [], 'chat', 13],
        ['an old version', [], 'zaslon.json.v1', 8],
        ['a foreign origin', ['Origin: https://evil.example'], 'zaslon.json.v1', 13],
        ['a proxy', ['X-Forwarded-For: 10.0.0.1'], 'zaslon.json.v1', 13],
      ])('is refused with %s', async (name, headers, subprotocol, version) => {
        const offered = name === 'no subprotocol' ? [] : [`Sec-WebSocket-Protocol: ${subprotocol}`]
        const request = get('/v1/calls', [
          'Connection: Upgrade',
          'Upgrade: websocket',
          'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
          `Sec-WebSocket-Version: ${version}`,
          ...offered,
          ...headers,
        ])
        const { answers } = await raw(server.port, request)
        expect([400, 403]).toContain(answers[0]?.status)
      })

      it('is refused elsewhere', async () => {
        await expect(openClient(`ws://127.0.0.1:${server.port}/v1/verdict`, 'zaslon.json.v1')).rejects.toThrow()
      })
    })

    it('gives the place of a WebSocket that closed to the next connection', async () => {
      const small = await listen({ ...SERVER_OPTIONS, connectionsMax: 2 }, screened.handler)
      for (let i = 0; i < 10; i++) {
        const client = await openClient(`ws://127.0.0.1:${small.port}/v1/calls`, 'zaslon.json.v1')
        if (i % 2 === 0) client.webSocket.close()
        else client.webSocket.terminate()
        await client.closed
        await pause(5)
      }
      expect((await raw(small.port, get('/health/live'))).answers[0]?.status).toBe(200)
      await small.close()
    })

    it('answers calls beyond the credits of a connection as overloaded, whatever the protocol', async () => {
      const few = screenedWorld({ callsPerWebSocket: 2 })
      const small = await listen(SERVER_OPTIONS, few.handler)
      const url = `ws://127.0.0.1:${small.port}/v1/calls`
      const binary = await openClient(url, 'zaslon.bin.v1')
      const calls = [1, 2, 3].map((correlation) => binaryCall({ caller: 79160000001, correlation }))
      for (let round = 0; round < 2; round++) {
        binary.webSocket.send(Buffer.concat(calls))
        const answer = await binary.nextBytes()
        expect([0, 1, 2].map((at) => [answer[at * 48 + 2], answer[at * 48 + 40]])).toEqual([
          [2, 5],
          [2, 5],
          [0, 20],
        ])
      }
      binary.webSocket.close()
      await small.close()
      const none = screenedWorld({ callsPerWebSocket: 0 })
      const closed = await listen(SERVER_OPTIONS, none.handler)
      const json = await openClient(`ws://127.0.0.1:${closed.port}/v1/calls`, 'zaslon.json.v1')
      for (const extra of [{}, { callId: 'a"b' }]) {
        json.webSocket.send(JSON.stringify({ type: 'call', caller: LISTED, ...extra }))
        const answer = JSON.parse(await json.nextText())
        expect(answer).toMatchObject({ type: 'verdict', decision: 'allow', reasons: [{ code: 'overloaded' }] })
      }
      json.webSocket.close()
      await closed.close()
      expect([...few.faults, ...none.faults]).toEqual([])
    })

    describe('zaslon.json.v1', () => {
      it('answers calls with their callId and ends with nothing', async () => {
        const client = await open('zaslon.json.v1')
        client.webSocket.send(JSON.stringify({ type: 'end', callId: 'x', caller: CLEAN, answered: true, talkMs: 5 }))
        client.webSocket.send(JSON.stringify({ type: 'call', callId: 'a', caller: LISTED, callee: CALLEE }))
        client.webSocket.send(JSON.stringify({ type: 'call', callId: 'b', caller: CLEAN, callee: CALLEE }))
        expect(JSON.parse(await client.nextText())).toMatchObject({ type: 'verdict', callId: 'a', decision: 'block' })
        expect(JSON.parse(await client.nextText())).toMatchObject({ type: 'verdict', callId: 'b', decision: 'allow' })
        client.webSocket.close()
      })

      it.each(['', '{', 'null', '[]', '"call"', '{}', '{"type":"calls"}', '{"type":1}'])(
        'answers the frame %j with a problem and goes on',
        async (frame) => {
          const client = await open('zaslon.json.v1')
          client.webSocket.send(frame)
          expect(JSON.parse(await client.nextText())).toMatchObject({ type: 'problem', code: 'FRAME_INVALID' })
          client.webSocket.send(JSON.stringify({ type: 'call', caller: LISTED }))
          expect(JSON.parse(await client.nextText())).toMatchObject({ decision: 'block' })
          client.webSocket.close()
        },
      )

      it('closes with 1003 on a binary frame and with 1009 beyond 16 KiB', async () => {
        const frame = JSON.stringify({ type: 'call', caller: LISTED })
        const binary = await open('zaslon.json.v1')
        binary.webSocket.send(Buffer.from(frame))
        expect(await binary.closed).toBe(1003)
        const large = await open('zaslon.json.v1')
        large.webSocket.send(frame.padEnd(16_384))
        expect(JSON.parse(await large.nextText())).toMatchObject({ decision: 'block' })
        large.webSocket.send(frame.padEnd(16_385))
        expect(await large.closed).toBe(1009)
      })

      it('reads fragmented messages and answers pings between', async () => {
        const client = await open('zaslon.json.v1')
        const frame = JSON.stringify({ type: 'call', caller: LISTED })
        const pong = new Promise((resolve) => client.webSocket.once('pong', resolve))
        client.webSocket.send(frame.slice(0, 5), { fin: false })
        client.webSocket.ping('x')
        client.webSocket.send(frame.slice(5), { fin: true })
        expect(JSON.parse(await client.nextText())).toMatchObject({ decision: 'block' })
        await pong
        client.webSocket.close()
      })
    })

    describe('broken frames', () => {
      it.each([
        ['invalid UTF-8', rawFrame(0x81, Buffer.from([0xff, 0xfe, 0x22]), true)],
        ['a reserved opcode', rawFrame(0x83, Buffer.from('x'), true)],
        ['a reserved bit', rawFrame(0xc1, Buffer.from('x'), true)],
        ['a continuation of nothing', rawFrame(0x80, Buffer.from('x'), true)],
        ['a fragmented ping', rawFrame(0x09, Buffer.from('x'), true)],
        ['a ping of 126 bytes', rawFrame(0x89, Buffer.alloc(126), true)],
        ['a frame of 2^62 bytes', Buffer.from([0x82, 0xff, 0x40, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4])],
        ['a frame over the limit', rawFrame(0x82, Buffer.alloc(SERVER_OPTIONS.webSocketMessageBytesMax + 1), true)],
      ])('end the connection: %s', async (_name, frame) => {
        expect(await rawUpgrade(server.port, 'zaslon.bin.v1', frame)).toMatchObject({ isClosed: true, verdicts: 0 })
      })
    })

    // uWebSockets.js takes the first bytes of it for the mask, and waits for the rest until the idle time is over.
    it('give an unmasked frame no verdict', async () => {
      const frame = rawFrame(0x82, binaryCall({ caller: 79160000001, correlation: 1 }), false)
      expect(await rawUpgrade(server.port, 'zaslon.bin.v1', frame, 300)).toMatchObject({ verdicts: 0 })
    })

    describe('zaslon.bin.v1', () => {
      it('answers many records in one frame, in their order', async () => {
        const client = await open('zaslon.bin.v1')
        const callers = Array.from({ length: 1_024 }, (_, i) => (i % 3 === 0 ? 79160000001 : 79160000009))
        client.webSocket.send(Buffer.concat(callers.map((caller, correlation) => binaryCall({ caller, correlation }))))
        const answer = await client.nextBytes()
        expect(answer.byteLength).toBe(1_024 * 48)
        for (const [at, caller] of callers.entries()) {
          const record = new DataView(answer.buffer, answer.byteOffset + at * 48, 48)
          expect([record.getUint8(0), record.getUint8(1), record.getUint32(4, true)]).toEqual([1, 1, at])
          expect(record.getUint8(2)).toBe(caller === 79160000001 ? 2 : 0)
          expect(record.getUint16(24, true)).toBe(caller === 79160000001 ? 603 : 0)
        }
        client.webSocket.close()
      })

      it('carries score, id, list, policy and reasons', async () => {
        const client = await open('zaslon.bin.v1')
        client.webSocket.send(binaryCall({ caller: 79160000001, correlation: 7, hash: [1, 2] }))
        const first = await client.nextBytes()
        const record = new DataView(first.buffer, first.byteOffset, 48)
        expect(record.getUint8(3)).toBe(97)
        expect(record.getUint8(26)).toBe(1)
        expect(record.getUint8(27)).toBe(1)
        expect(record.getUint8(29)).toBe(1)
        expect(record.getUint16(30, true)).toBe(1)
        expect(record.getUint32(32, true)).toBe(3)
        expect(record.getUint8(40)).toBe(5)
        client.webSocket.send(binaryCall({ caller: 79160000001, correlation: 8, hash: [1, 2] }))
        const again = await client.nextBytes()
        expect(Buffer.from(again.subarray(8, 24))).toEqual(Buffer.from(first.subarray(8, 24)))
        client.webSocket.close()
      })

      it('counts every end of a caller who gives all his calls one id, each once', async () => {
        const client = await open('zaslon.bin.v1')
        const caller = 79160002000
        const callTo = (callee: number, type: number) => {
          const record = binaryCall({ caller, correlation: 1, hash: [1, 2] })
          record.writeUInt8(type, 1)
          record.writeDoubleLE(callee, 16)
          return record
        }
        const callees = [79031112201, 79031112250, 79031112299]
        const calls = callees.map((callee) => callTo(callee, 1))
        const ends = [...callees, ...callees].map((callee) => {
          const record = callTo(callee, 2)
          // The words of an end that are a redirecting number in a call: how long it rang, and was talked.
          record.fill(0, 24, 32)
          return record
        })
        client.webSocket.send(Buffer.concat([...calls, ...calls.slice(0, 1), ...ends, ...calls.slice(0, 1)]))
        await client.nextBytes()
        const seen = createActivityView()
        readActivity(screened.world.behaviour.activity, caller, ACTIVITY_OF.caller, NOW, seen)
        expect([seen.attempts60, seen.ended60]).toEqual([3, 3])
        client.webSocket.close()
      })

      it('knows trunks by number once they are named, on that connection', async () => {
        const client = await open('zaslon.bin.v1')
        const call = binaryCall({ caller: 79160000009, correlation: 1, trunk: 9 })
        client.webSocket.send(call)
        expect((await client.nextBytes())[40]).toBe(1)
        client.webSocket.send(Buffer.concat([binaryTrunk(9, 'abroad-1'), call]))
        expect((await client.nextBytes())[40]).toBe(10)
        client.webSocket.close()
      })

      it('answers what it cannot read with an error record and goes on', async () => {
        const client = await open('zaslon.bin.v1')
        const good = binaryCall({ caller: 79160000001, correlation: 3 })
        const oldVersion = Buffer.from(good)
        oldVersion[0] = 2
        const unknownType = Buffer.from(good)
        unknownType[1] = 9
        client.webSocket.send(
          Buffer.concat([
            oldVersion,
            unknownType,
            binaryTrunk(0, 'x'),
            binaryTrunk(1_024, 'x'),
            binaryTrunk(5, ''),
            good,
          ]),
        )
        const answer = await client.nextBytes()
        const kinds = Array.from({ length: answer.byteLength / 48 }, (_, i) => [answer[i * 48 + 1], answer[i * 48 + 2]])
        expect(kinds).toEqual([
          [255, 1],
          [255, 2],
          [255, 3],
          [255, 3],
          [255, 3],
          [1, 2],
        ])
        client.webSocket.close()
      })

      it.each([
        ['withheld', 0, 18],
        ['withheld by code', -1, 18],
        ['malformed by code', -5, 19],
        ['no code', -6, 19],
        ['a fraction', 79160000001.5, 19],
        ['not a number', Number.NaN, 19],
        ['infinite', Number.POSITIVE_INFINITY, 19],
        ['16 digits', 1e15, 19],
        ['neither short code nor number', 99, 19],
      ])('answers a caller that is %s', async (_name, caller, reason) => {
        const client = await open('zaslon.bin.v1')
        client.webSocket.send(binaryCall({ caller, correlation: 1 }))
        const answer = await client.nextBytes()
        expect(Array.from(answer.subarray(40, 40 + answer[29]!))).toContain(reason)
        client.webSocket.close()
      })

      it.each([
        ['text', 'hello', 1003],
        ['an empty frame', Buffer.alloc(0), 1008],
        ['half a record', Buffer.alloc(32), 1008],
        ['a record and a byte', Buffer.alloc(65), 1008],
      ])('closes on %s', async (_name, frame, code) => {
        const client = await open('zaslon.bin.v1')
        client.webSocket.send(frame)
        expect(await client.closed).toBe(code)
      })
    })

    describe('a peer that asks and does not read', () => {
      /** Asks until the server answers no more. */
      async function flood(client: Client): Promise<number> {
        const frame = JSON.stringify({ type: 'call', callId: 'x'.repeat(256), caller: LISTED })
        const before = screened.seen.frames
        client.stopReading()
        let seen = -1
        for (let quietMs = 0; quietMs < 300 && seen - before < 100_000; quietMs += 20) {
          if (seen !== screened.seen.frames) quietMs = 0
          seen = screened.seen.frames
          for (let i = 0; i < 1_000 && client.webSocket.bufferedAmount < 1_000_000; i++) client.webSocket.send(frame)
          await pause(20)
        }
        return screened.seen.frames - before
      }

      it('is told with 1013 when it reads again, and nothing queued up without limit', async () => {
        const client = await open('zaslon.json.v1')
        expect(await flood(client)).toBeLessThan(100_000)
        client.resumeReading()
        expect(await client.closed).toBe(1013)
      })

      it('is cut off when it does not, and its place is free again', async () => {
        const small = await listen({ ...SERVER_OPTIONS, connectionsMax: 1 }, screened.handler)
        const client = await openClient(`ws://127.0.0.1:${small.port}/v1/calls`, 'zaslon.json.v1')
        expect(await flood(client)).toBeLessThan(100_000)
        let status = 0
        while (status !== 200) status = (await raw(small.port, get('/health/live'))).answers[0]?.status ?? 0
        client.webSocket.terminate()
        await small.close()
      })
    })

    it('says goodbye with 1001 when the server stops', async () => {
      const stopping = await listen(SERVER_OPTIONS, screenedWorld().handler)
      const client = await openClient(`ws://127.0.0.1:${stopping.port}/v1/calls`, 'zaslon.json.v1')
      await stopping.close()
      expect(await client.closed).toBe(1001)
    })
  })
}
