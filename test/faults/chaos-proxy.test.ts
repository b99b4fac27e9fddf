import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type ChaosProxy, startChaosProxy } from './lib/chaos-proxy.ts'

/** Sends back what it gets, and remembers in which pieces it came. */
let echo: Server
let proxy: ChaosProxy
let pieces: number[]
let atTarget: Socket[]
const clients: Socket[] = []

beforeEach(async () => {
  pieces = []
  atTarget = []
  echo = createServer((socket) => {
    atTarget.push(socket)
    socket.on('error', () => {})
    socket.on('data', (data) => {
      pieces.push(data.length)
      socket.write(data)
    })
  })
  await once(echo.listen(0, '127.0.0.1'), 'listening')
  const address = echo.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  proxy = await startChaosProxy({ target: { host: '127.0.0.1', port }, random: () => 1 })
})
afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy()
  await proxy.close()
  for (const socket of atTarget) socket.destroy()
  echo.close()
})

async function open(): Promise<Socket> {
  const client = connect(proxy.port, '127.0.0.1')
  clients.push(client)
  client.on('error', () => {})
  await once(client, 'connect')
  return client
}

/** Milliseconds until so many bytes are back. */
async function exchange(client: Socket, bytes: number): Promise<number> {
  const startMs = performance.now()
  client.write(Buffer.alloc(bytes))
  for (let back = 0; back < bytes; ) back += ((await once(client, 'data')) as [Buffer])[0].length
  return performance.now() - startMs
}

async function isSilent(client: Socket, forMs: number): Promise<boolean> {
  return (await Promise.race([once(client, 'data'), sleep(forMs, 'silent')])) === 'silent'
}

it('passes bytes on as they are', async () => {
  const client = await open()
  await exchange(client, 100_000)
  expect(pieces.reduce((sum, size) => sum + size, 0)).toBe(100_000)
  expect(proxy).toMatchObject({ connections: 1, accepted: 1 })
})

it('delays each direction by latency and jitter, changed while a connection lives', async () => {
  const client = await open()
  await exchange(client, 1)
  proxy.set('up', { latencyMs: 60 })
  proxy.set('down', { latencyMs: 20, jitterMs: 40 })
  expect(await exchange(client, 1)).toBeGreaterThanOrEqual(119)
})

it('holds a direction to a rate', async () => {
  const client = await open()
  proxy.set('up', { bytesPerSecond: 100_000, sliceBytes: 1_000 })
  expect(await exchange(client, 20_000)).toBeGreaterThanOrEqual(180)
})

it('cuts into slices', async () => {
  const client = await open()
  proxy.set('up', { sliceBytes: 7 })
  await exchange(client, 30)
  expect(Math.max(...pieces)).toBe(7)
})

it.each(['up', 'down', 'both'] as const)('swallows %s until it is healed, and loses nothing', async (direction) => {
  const client = await open()
  proxy.set(direction, { isBlackHole: true })
  client.write('hello')
  expect(await isSilent(client, 80)).toBe(true)
  expect(pieces).toEqual(direction === 'down' ? [5] : [])
  const back = once(client, 'data')
  await proxy.heal()
  expect(String((await back)[0])).toBe('hello')
})

it('keeps the end of one side from the other while it is a black hole', async () => {
  const client = await open()
  await exchange(client, 1)
  proxy.set('both', { isBlackHole: true })
  let isEnded = false
  atTarget[0]?.once('close', () => {
    isEnded = true
  })
  client.destroy()
  await sleep(80)
  expect(isEnded).toBe(false)
  await proxy.heal()
  await sleep(80)
  expect(isEnded).toBe(true)
})

it('resets both sides', async () => {
  const client = await open()
  await exchange(client, 1)
  const [error] = (await Promise.all([once(client, 'error'), proxy.reset()]))[0] as [NodeJS.ErrnoException]
  expect(error.code).toBe('ECONNRESET')
})

it('refuses new connections, keeps living ones, and takes new ones when it is healed', async () => {
  const client = await open()
  await proxy.refuse()
  const refused = connect(proxy.port, '127.0.0.1')
  expect(((await once(refused, 'error')) as [NodeJS.ErrnoException])[0].code).toBe('ECONNREFUSED')
  await exchange(client, 10)
  await proxy.heal()
  await exchange(await open(), 10)
})
