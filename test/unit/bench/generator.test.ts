import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { WebSocketServer } from 'ws'
import { generate, generateTimed, percentileMs } from '../../../bench/generator/generator.ts'
import {
  batchTraffic,
  type CallMix,
  EVENTS,
  POOLS,
  postTraffic,
  socketBinaryTraffic,
} from '../../../bench/generator/traffic.ts'
import { type TrafficRequest, writeTrafficFile } from '../../../bench/generator/traffic-file.ts'
import { generatedNumber } from '../../../bench/lib/generate-numbers.ts'
import { ANSWER_RECORD_BYTES, REQUEST_RECORD_BYTES } from '../../../src/transports/data-plane/binary-records.ts'
import { temporaryDirectory } from '../../fixtures/temporary-directory.ts'

const hasTools = ['cc', 'taskset'].every((tool) => spawnSync('sh', ['-c', `command -v ${tool}`]).status === 0)
if (!hasTools) console.warn('skipped: the load generator: apt-get install gcc libc6-dev util-linux')

/** What a sample can hold: 2^28 tenths of a microsecond. */
const LONGEST_MS = 26_843
const NEVER = Symbol('never')
const MIX: CallMix = { listed: 1_000 }
type Event = { callId: string; caller: string; callee: string; answered?: boolean }
type Answer = (path: string, events: Event[]) => unknown

/** The generator in C against small servers in this process. */
describe.skipIf(!hasTools)('load generator', () => {
  const directory = temporaryDirectory()
  const before = process.env.TMPDIR
  let server: Server | undefined
  let files = 0

  beforeAll(() => {
    process.env.TMPDIR = directory
  })
  afterAll(() => {
    if (before === undefined) delete process.env.TMPDIR
    else process.env.TMPDIR = before
  })
  afterEach(() => server?.close())

  /** Returns the port of a server that answers every body. */
  /** NEVER is no answer at all. */
  async function serve(answer: Answer, status = 200): Promise<number> {
    server = createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        const body = JSON.parse(Buffer.concat(chunks).toString()) as Event | Event[]
        const answered = answer(request.url ?? '', Array.isArray(body) ? body : [body])
        response.statusCode = status
        if (answered !== NEVER) response.end(JSON.stringify(answered))
      })
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return (server.address() as AddressInfo).port
  }

  function trafficOf(requests: readonly TrafficRequest[]): string {
    const file = path.join(directory, `${files++}.traffic`)
    writeTrafficFile(file, requests, EVENTS)
    return file
  }

  const allow: Answer = (_, events) => events.map(() => ({ decision: 'allow' }))

  it('sends every call once over two cycles, in the shares of the mix, with ends that name their calls', async () => {
    const calls: Event[] = []
    const ends: Event[] = []
    const port = await serve((route, events) => {
      const kept = route === '/v1/verdicts' ? calls : ends
      for (const event of events) kept.push(event)
      return allow(route, events)
    })
    const answers = (2 * 2 * EVENTS) / 100
    await generate({ port, traffic: trafficOf(batchTraffic(MIX, 100)), connections: 1, seconds: 60, answers })

    expect(calls).toHaveLength(2 * EVENTS)
    const byId = new Map(calls.map((call) => [call.callId, call]))
    expect(byId.size).toBe(2 * EVENTS)
    const share = (numbers: { first: number; range: number }) => {
      const pool = new Set(Array.from({ length: numbers.range }, (_, index) => generatedNumber(index, numbers.first)))
      return calls.filter(({ caller }) => pool.has(caller)).length / calls.length
    }
    expect(share({ first: 0, range: MIX.listed })).toBe(0.005)
    expect(share(POOLS.reported)).toBe(0.005)
    expect(share(POOLS.contacts)).toBe(0.01)
    const callers = new Set(calls.map(({ caller }) => caller))
    expect(callers.size).toBeGreaterThan(0.98 * 2 * EVENTS)
    for (const { first, range } of [POOLS.reported, POOLS.contacts]) {
      const calling = Array.from({ length: range }, (_, index) => callers.has(generatedNumber(index, first)))
      expect(calling.filter(Boolean).length).toBeGreaterThan(0.4 * range)
    }

    // The first ends are those of calls before the first cycle.
    const own = ends.filter(({ callId }) => byId.has(callId))
    expect(own).toHaveLength(ends.length - 2_000)
    for (const { callId, caller, callee } of own) expect(byId.get(callId)).toMatchObject({ caller, callee })
    expect(new Set(ends.map(({ callId }) => callId)).size).toBe(ends.length)
  })

  it('asks for a known contact with the number that he has talked to', async () => {
    const calls: Event[] = []
    const port = await serve((route, events) => {
      if (route === '/v1/verdict') calls.push(...events)
      return allow(route, events)
    })
    await generate({ port, traffic: trafficOf(postTraffic(MIX)), connections: 1, seconds: 60, answers: 2_000 })
    const contactOf = new Map(
      Array.from({ length: POOLS.contacts.range }, (_, index) => [
        generatedNumber(index, POOLS.contacts.first),
        generatedNumber(index, POOLS.contacted.first),
      ]),
    )
    const known = calls.filter(({ caller }) => contactOf.has(caller))
    expect(known.length).toBeGreaterThan(10)
    for (const { caller, callee } of known) expect(callee).toBe(contactOf.get(caller))
  })

  it('has another hash for one verdict that is another one, and the same for the same verdicts', async () => {
    let asked = 0
    let other = -1
    const port = await serve(() => {
      asked++
      return { decision: (asked % 3 === 0) !== (asked === other) ? 'block' : 'allow' }
    })
    const traffic = trafficOf(postTraffic({ ...MIX, hasEnds: false }))
    const stream = async () => {
      asked = 0
      return generate({ port, traffic, connections: 1, seconds: 60, answers: 300 })
    }
    const [first, second] = [await stream(), await stream()]
    expect(first).toMatchObject({ hashed: 300, blocked: 100 })
    expect(second.hash).toBe(first.hash)
    other = 299
    expect((await stream()).hash).not.toBe(first.hash)
  })

  it('counts from the intended time: who is due while the server stands still waits as long', async () => {
    const STALL_MS = 500
    let asked = 0
    const port = await serve((route, events) => {
      if (++asked === 20) for (const endMs = performance.now() + STALL_MS; performance.now() < endMs; );
      return allow(route, events)
    })
    const traffic = trafficOf(postTraffic({ ...MIX, hasEnds: false }))
    const { times, sent, maxLateMs } = await generateTimed({ port, traffic, connections: 2, seconds: 1, rate: 200 })
    expect(sent).toBe(200)
    expect(times.totalCount).toBe(200)
    // 50 are due in the first half of the stall; on two connections only two would be on their way.
    expect(percentileMs(times, 76)).toBeGreaterThan(STALL_MS / 2)
    expect(maxLateMs).toBeGreaterThan(STALL_MS / 2)
  })

  it('counts calls that nobody answers, sent or not, as the slowest there are', async () => {
    let calls = 0
    const port = await serve((route, events) => (++calls > 20 ? NEVER : allow(route, events)))
    const traffic = trafficOf(postTraffic({ ...MIX, hasEnds: false }))
    const got = await generateTimed({ port, traffic, connections: 2, seconds: 0.5, rate: 200 })
    expect(got).toMatchObject({ answered: 20, unanswered: 80 })
    expect(got.times.totalCount).toBe(100)
    expect(percentileMs(got.times, 19)).toBeLessThan(LONGEST_MS / 2)
    expect(percentileMs(got.times, 21)).toBeGreaterThan(LONGEST_MS - 100)
  })

  it('counts refusals as the slowest there are', async () => {
    const port = await serve(allow, 503)
    const traffic = trafficOf(postTraffic({ ...MIX, hasEnds: false }))
    const got = await generateTimed({ port, traffic, connections: 2, seconds: 0.2, rate: 100 })
    expect(got).toMatchObject({ answered: 0, errors: 20, unanswered: 0 })
    expect(percentileMs(got.times, 1)).toBeGreaterThan(LONGEST_MS - 100)
  })

  it('sends at a rate while it rests in between', async () => {
    const port = await serve(allow)
    const traffic = trafficOf(postTraffic({ ...MIX, hasEnds: false }))
    const options = { port, traffic, connections: 2, seconds: 1, rate: 100, sleeps: true, isPinned: false }
    expect(await generate(options)).toMatchObject({ sent: 100, answered: 100, servedCalls: 100, unanswered: 0 })
  })

  it('counts calls of a batch that were answered with overloaded', async () => {
    const reasons = (index: number) => [{ code: index % 4 === 0 ? 'overloaded' : 'no-evidence' }]
    const port = await serve((_, events) =>
      events.map((_event, index) => ({ decision: 'allow', reasons: reasons(index) })),
    )
    const traffic = trafficOf(batchTraffic({ ...MIX, hasEnds: false }, 100))
    const got = await generate({ port, traffic, connections: 1, seconds: 60, answers: 3 })
    expect(got).toMatchObject({ answered: 3, answeredCalls: 300, overloaded: 75 })
  })

  it('ends with the answers it was asked for, and misses none of those that were on their way', async () => {
    const port = await serve(allow)
    const traffic = trafficOf(postTraffic({ ...MIX, hasEnds: false }))
    const got = await generate({ port, traffic, connections: 8, depth: 4, seconds: 60, answers: 200 })
    expect(got.answered).toBeGreaterThanOrEqual(200)
    expect(got.sent).toBeGreaterThanOrEqual(got.answered)
    expect(got.unanswered).toBe(0)
  })

  it('speaks zaslon.bin.v1: frames of calls, each followed by one of their ends', async () => {
    const frames: Buffer[] = []
    const sockets = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => 'zaslon.bin.v1' })
    sockets.on('connection', (socket) =>
      socket.on('message', (data: Buffer) => {
        frames.push(Buffer.from(data))
        const count = data.length / REQUEST_RECORD_BYTES
        const answers = Buffer.alloc(count * ANSWER_RECORD_BYTES)
        for (let index = 0; index < count; index += 2) answers[index * ANSWER_RECORD_BYTES + 2] = 2
        if (data[1] === 1) socket.send(answers)
      }),
    )
    await once(sockets, 'listening')
    const { port } = sockets.address() as AddressInfo
    const got = await generate({
      port,
      traffic: trafficOf(socketBinaryTraffic(MIX, 256)),
      connections: 1,
      seconds: 60,
      answers: 20,
      socket: { path: '/v1/calls', protocol: 'zaslon.bin.v1' },
    })
    sockets.close()
    expect(got).toMatchObject({ answered: 20, answeredCalls: 20 * 256, blocked: 20 * 128, errors: 0 })
    const records = frames.flatMap((frame) =>
      Array.from({ length: frame.length / REQUEST_RECORD_BYTES }, (_, index) =>
        frame.subarray(index * REQUEST_RECORD_BYTES, (index + 1) * REQUEST_RECORD_BYTES),
      ),
    )
    const calls = new Map(
      records.filter((record) => record[1] === 1).map((record) => [record.readBigUInt64LE(32), record]),
    )
    expect(calls.size).toBe(20 * 256)
    const ends = records.filter((record) => record[1] === 2)
    expect(ends.length).toBeGreaterThanOrEqual(19 * 256)
    for (const end of ends) {
      const call = calls.get(end.readBigUInt64LE(32))
      if (call !== undefined) expect(end.subarray(8, 24).equals(call.subarray(8, 24))).toBe(true)
    }
    expect(ends.filter((end) => calls.has(end.readBigUInt64LE(32))).length).toBeGreaterThan(2_000)
  })
})
