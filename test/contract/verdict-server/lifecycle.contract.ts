import net from 'node:net'
import { describe, expect, it } from 'vitest'
import { ensurePortFree } from '../../../src/transports/data-plane/port-check.ts'
import type { ListenVerdicts, VerdictHandler } from '../../../src/transports/data-plane/verdict-server.ts'
import { get, pause, post, raw } from './raw-client.ts'
import { LISTED, SERVER_OPTIONS, screenedWorld } from './screened-world.ts'

export function lifecycleContract(listen: ListenVerdicts): void {
  describe('from start to stop', () => {
    it('rejects with PORT_IN_USE when another service holds the port', async () => {
      const other = net.createServer()
      await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
      const address = other.address()
      const port = typeof address === 'object' && address !== null ? address.port : 0
      await expect(listen({ ...SERVER_OPTIONS, port }, screenedWorld().handler)).rejects.toMatchObject({
        code: 'PORT_IN_USE',
      })
      await new Promise((resolve) => other.close(resolve))
      const server = await listen({ ...SERVER_OPTIONS, port }, screenedWorld().handler)
      expect(server.port).toBe(port)
      await expect(ensurePortFree('127.0.0.1', port)).rejects.toMatchObject({ code: 'PORT_IN_USE' })
      await server.close()
      await ensurePortFree('127.0.0.1', port)
    })

    it('rejects with CONFIG_INVALID for an address that is not ours', async () => {
      await expect(listen({ ...SERVER_OPTIONS, host: '192.0.2.1' }, screenedWorld().handler)).rejects.toMatchObject({
        code: 'CONFIG_INVALID',
      })
    })

    it('closes connections beyond the limit, counts them, and takes new ones when old ones leave', async () => {
      const { handler, seen } = screenedWorld()
      const server = await listen({ ...SERVER_OPTIONS, connectionsMax: 5 }, handler)
      const closed = new Set<net.Socket>()
      const sockets = Array.from({ length: 9 }, () => {
        const socket = net.connect(server.port, '127.0.0.1')
        socket.on('error', () => {})
        socket.on('close', () => closed.add(socket))
        return socket
      })
      while (closed.size < 4) await pause(5)
      await pause(30)
      expect(closed.size).toBe(4)
      expect(seen.connectionsRefused).toBe(4)
      for (const socket of sockets) socket.destroy()
      let status = 0
      while (status !== 200) status = (await raw(server.port, get('/health/live'))).answers[0]?.status ?? 0
      await server.close()
    })

    it('lets a request in flight finish when it stops, and takes no new ones', async () => {
      const server = await listen(SERVER_OPTIONS, screenedWorld().handler)
      const request = post('/v1/verdict', `{"caller":"${LISTED}"}`)
      const socket = net.connect(server.port, '127.0.0.1')
      let text = ''
      socket.on('data', (data) => {
        text += data.toString()
      })
      const ended = new Promise((resolve) => socket.on('close', resolve))
      socket.write(request.slice(0, -5))
      await pause(50)
      const closing = server.close()
      await pause(20)
      expect((await raw(server.port, get('/health/live'), { untilClosed: true })).answers).toEqual([])
      socket.write(request.slice(-5))
      await Promise.all([closing, ended])
      expect(text).toContain('"decision":"block"')
    })

    it('answers 500 when the handler throws, reports it, and goes on', async () => {
      const { handler, faults } = screenedWorld()
      const failing: VerdictHandler = {
        ...handler,
        handle: (request) => {
          if (request.path === '/health/live') throw new Error('a bug')
          return handler.handle(request)
        },
      }
      const server = await listen(SERVER_OPTIONS, failing)
      const good = post('/v1/verdict', `{"caller":"${LISTED}"}`)
      const requests = [
        get('/health/live'),
        `GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 2\r\n\r\n{}`,
        good,
      ]
      const { answers } = await raw(server.port, requests, { answers: 3 })
      expect(answers.map(({ status }) => status)).toEqual([500, 500, 200])
      expect(JSON.parse(answers[0]!.body)).toMatchObject({ code: 'INTERNAL' })
      expect(faults).toHaveLength(2)
      await server.close()
    })

    it.each(['refuse', 'chooseSubprotocol', 'bodyBytesMax'] as const)(
      'answers 500 when %s throws, reports it, and goes on',
      async (method) => {
        const { handler, faults } = screenedWorld()
        let isFailing = true
        const failing: VerdictHandler = {
          ...handler,
          [method]: (argument: never) => {
            if (isFailing) throw new Error('a bug')
            return (handler[method] as (argument: never) => unknown)(argument)
          },
        }
        const server = await listen(SERVER_OPTIONS, failing)
        const upgrade = get('/v1/calls', [
          'Connection: Upgrade',
          'Upgrade: websocket',
          'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
          'Sec-WebSocket-Version: 13',
          'Sec-WebSocket-Protocol: zaslon.json.v1',
        ])
        const request = method === 'bodyBytesMax' ? post('/v1/verdict', '{}') : upgrade
        const { answers } = await raw(server.port, request)
        expect(answers.map(({ status }) => status)).toEqual([500])
        expect(faults).toHaveLength(1)
        isFailing = false
        const good = post('/v1/verdict', `{"caller":"${LISTED}"}`)
        expect((await raw(server.port, good)).answers.map(({ status }) => status)).toEqual([200])
        await server.close()
      },
    )

    it('stops when a client asks for upgrades and never reads', async () => {
      const server = await listen(SERVER_OPTIONS, screenedWorld().handler)
      const requests = get(`/v1/verdict?caller=${LISTED}`, ['Connection: Upgrade', 'Upgrade: h2c']).repeat(2_000)
      const socket = net.connect(server.port, '127.0.0.1')
      socket.on('error', () => {})
      socket.pause()
      for (let isTaken = true; isTaken; ) {
        isTaken = await new Promise<boolean>((resolve) => {
          socket.write(requests, () => resolve(!socket.destroyed))
          setTimeout(() => resolve(false), 500)
        })
      }
      await server.close()
      socket.destroy()
    })

    it('can be closed twice and started again on the same port', async () => {
      const first = await listen(SERVER_OPTIONS, screenedWorld().handler)
      await Promise.all([first.close(), first.close()])
      const second = await listen({ ...SERVER_OPTIONS, port: first.port }, screenedWorld().handler)
      expect((await raw(second.port, get('/health/live'))).answers[0]?.status).toBe(200)
      await second.close()
    })
  })
}
