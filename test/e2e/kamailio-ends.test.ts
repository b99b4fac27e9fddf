import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { missingSipTools, type SipBench, startSipBench } from './sip-bench.ts'

const missing = missingSipTools()
if (missing) console.warn(`skipped: the call ends that Kamailio tells: ${missing}`)

const CALLER = '+79160000001'
const ANSWERS = '79160000500'
const IS_BUSY = '79160000486'
const IS_NOBODY = '79160000404'
/** 503, which Kamailio answers with a 500 of its own, and 504. */
const CANNOT_BE_REACHED = ['79160000503', '79160000504']
const IS_AWAY = '79160000180'
/** Called for nothing but its end, which is told after all before it. */
const LATER = '79160000999'
const RING_MS = 300
const FORWARD = { decision: 'allow', sip: { action: 'forward', headers: {} } }
const REJECT = { decision: 'block', sip: { action: 'reject', status: 603, phrase: 'Decline', headers: {} } }

const OWN_ROUTES = `
event_route[dialog:start] {
	route(ZASLON_ANSWERED);
}
event_route[dialog:end] {
	route(ZASLON_ENDED);
}
event_route[dialog:failed] {
	route(ZASLON_UNANSWERED);
}
`

type End = { callId: string; caller: string; callee: string; answered: boolean; ringMs: number; talkMs: number }

/** A server that answers questions and takes call ends as the test wants. */
describe.skipIf(missing !== undefined)('Kamailio, telling how calls end', () => {
  const bodies: End[][] = []
  let verdict: { status: number; afterMs: number; body: unknown }
  let endsStatus: number | undefined
  let server: Server
  let verdictUrl: string
  let bench: SipBench

  beforeAll(async () => {
    server = createServer(async (request, response) => {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk as Buffer)
      const isEnds = request.url === '/v1/call-ends'
      if (isEnds) bodies.push(JSON.parse(Buffer.concat(chunks).toString()))
      else await sleep(verdict.afterMs)
      const status = isEnds ? endsStatus : verdict.status
      if (status === undefined) return
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(verdict.body))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    verdictUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const settings = ['ZASLON_PAUSE=1', 'ZASLON_ENDS_WAITING=7', 'ZASLON_CALLS_FOLLOWED=1']
    // In the place of trunks.cfg, which names no trunk here: calls whose BYE never comes are forgotten after 3 s, not 12 h.
    const trunks = 'modparam("dialog", "default_timeout", 3)\n'
    bench = await startSipBench({ verdictUrl, ringMs: RING_MS, settings, trunks })
  })
  afterAll(async () => {
    await bench?.stop()
    server?.close()
    server?.closeAllConnections()
  })
  beforeEach(() => {
    bodies.length = 0
    verdict = { status: 200, afterMs: 0, body: FORWARD }
    endsStatus = 200
  })

  async function expectCall(scenario: string, callee: string, pauseMs = 0, caller = CALLER): Promise<string> {
    const { succeeded, errors, messages } = await bench.call(scenario, { caller, callee }, { pauseMs })
    expect(succeeded, `${errors}\n${messages}\n${bench.log()}`).toBe(true)
    return messages
  }

  const told = () => bodies.flat()
  const toldOf = (callee: string) => told().filter((end) => end.callee.startsWith(`sip:+${callee}@`))

  /** The first end of a call to this number. */
  async function endOf(callee: string): Promise<End> {
    await expect.poll(() => toldOf(callee).length, { timeout: 8_000 }).toBeGreaterThan(0)
    return toldOf(callee)[0] as End
  }

  /** A further call and its end: what was to be told before it has been. */
  async function untilAllIsTold(): Promise<void> {
    await expectCall('uac-answered', LATER)
    await endOf(LATER)
  }

  it('tells of an answered call how long it rang and how long they talked, in the words of the question', async () => {
    const messages = await expectCall('uac-answered', ANSWERS, 1_200)
    const end = await endOf(ANSWERS)
    expect(end).toEqual({
      callId: /^Call-ID: (.*)\r$/m.exec(messages)?.[1],
      caller: `sip:${CALLER}@caller.example`,
      callee: expect.stringMatching(/^sip:\+79160000500@127\.0\.0\.1:\d+$/),
      answered: true,
      ringMs: expect.any(Number),
      talkMs: expect.any(Number),
    })
    expect(end.ringMs).toBeGreaterThanOrEqual(RING_MS - 50)
    expect(end.talkMs).toBeGreaterThanOrEqual(1_150)
  })

  it('tells of a busy callee that nobody answered', async () => {
    await expectCall('uac-refused', IS_BUSY)
    const end = await endOf(IS_BUSY)
    expect(end).toMatchObject({ answered: false, talkMs: 0 })
    expect(end.ringMs).toBeGreaterThanOrEqual(RING_MS - 50)
  })

  it('tells of a number that is refused without ringing', async () => {
    await expectCall('uac-refused', IS_NOBODY)
    expect(await endOf(IS_NOBODY)).toMatchObject({ answered: false, ringMs: 0, talkMs: 0 })
  })

  it('tells of a caller who gives up how long it rang', async () => {
    await expectCall('uac-rings-out', IS_AWAY, 700)
    const end = await endOf(IS_AWAY)
    expect(end).toMatchObject({ answered: false, talkMs: 0 })
    expect(end.ringMs).toBeGreaterThanOrEqual(650)
  })

  it('tells of a caller who gives up before Zaslon has answered, and nobody was called', async () => {
    verdict.afterMs = 700
    await expectCall('uac-cancelled', ANSWERS)
    expect(await endOf(ANSWERS)).toMatchObject({ answered: false, ringMs: 0, talkMs: 0 })
    expect(toldOf(ANSWERS)).toHaveLength(1)
  })

  it('tells nothing of calls that were blocked, not judged, or failed on the way without ringing', async () => {
    verdict.body = REJECT
    await expectCall('uac-refused-plainly', ANSWERS)
    verdict = { status: 500, afterMs: 0, body: FORWARD }
    await expectCall('uac-answered', ANSWERS)
    verdict.status = 200
    for (const callee of CANNOT_BE_REACHED) await expectCall('uac-refused', callee)
    await untilAllIsTold()
    expect(told()).toHaveLength(1)
  })

  it('tells nothing of addresses that are too long for a number, and lets them through', async () => {
    await expectCall('uac-answered', ANSWERS, 0, 'x'.repeat(1_600))
    await untilAllIsTold()
    expect(told()).toHaveLength(1)
  })

  it('follows no more calls at once than it may, and lets those beyond through', async () => {
    const answered = () => bench.calledSide().split('\nACK sip:').length
    const before = answered()
    const first = expectCall('uac-answered', ANSWERS, 2_000)
    await expect.poll(answered, { timeout: 4_000 }).toBeGreaterThan(before)
    await expectCall('uac-answered', '79160000777')
    await first
    await untilAllIsTold()
    expect(toldOf(ANSWERS)).toHaveLength(1)
    expect(toldOf('79160000777')).toHaveLength(0)
  })

  it('tells nothing of a call whose BYE never came, and follows others again', async () => {
    await expectCall('uac-never-hangs-up', ANSWERS)
    // While it is thought to go on it takes the one place there is.
    await expect
      .poll(
        async () => {
          await expectCall('uac-answered', LATER)
          await sleep(1_200)
          return toldOf(LATER).length
        },
        { timeout: 15_000 },
      )
      .toBeGreaterThan(0)
    expect(toldOf(ANSWERS)).toHaveLength(0)
  })

  it.each([
    ['refuses them for now', 503],
    ['does not answer', undefined],
  ])('keeps the oldest and the newest ends while Zaslon %s, and tells them later', async (_what, status) => {
    endsStatus = status
    const callees = Array.from({ length: 10 }, (_, i) => `7916000060${i}`)
    // Long ones, so that what waits is more than Kamailio can put into one request.
    const callOf = (callee: string) => expectCall('uac-answered', callee, 0, 'x'.repeat(1_300))
    await callOf(callees[0] ?? '')
    // Taken out of the queue, which has room for seven more.
    await expect.poll(() => bodies.length, { timeout: 5_000 }).toBeGreaterThan(0)
    for (const callee of callees.slice(1)) await callOf(callee)
    bodies.length = 0
    endsStatus = 200
    await expect.poll(() => told().length, { timeout: 10_000 }).toBe(8)
    expect(callees.map((callee) => toldOf(callee).length)).toEqual([1, 0, 0, 1, 1, 1, 1, 1, 1, 1])
    expect(bench.log()).toContain('2 call ends found no room')
  })

  it('gives up ends that Zaslon refuses for good, and tells the next ones', async () => {
    endsStatus = 400
    await expectCall('uac-answered', ANSWERS)
    await endOf(ANSWERS)
    endsStatus = 200
    await untilAllIsTold()
    expect(toldOf(ANSWERS)).toHaveLength(1)
    expect(bench.log()).toContain('call ends refused (400)')
  })

  it('tells the same from a configuration that has routes for dialogs of its own', async () => {
    const own = await startSipBench({
      verdictUrl,
      ringMs: RING_MS,
      settings: ['ZASLON_HAS_DIALOG_EVENTS=1'],
      trunks: OWN_ROUTES,
    })
    try {
      await own.call('uac-answered', { caller: CALLER, callee: ANSWERS })
      const end = await endOf(ANSWERS)
      expect(end.answered).toBe(true)
      expect(end.ringMs).toBeGreaterThanOrEqual(RING_MS - 50)
      await own.call('uac-refused', { caller: CALLER, callee: IS_NOBODY })
      expect(await endOf(IS_NOBODY)).toMatchObject({ answered: false })
    } finally {
      await own.stop()
    }
  })

  it('writes no number into the log', () => {
    expect(bench.log()).toContain('zaslon:')
    expect(bench.log()).not.toContain('7916000')
  })
})
