import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { temporaryDirectory } from '../fixtures/temporary-directory.ts'
import { type RunningService, runService } from '../support/run-service.ts'
import { missingSipTools, type SipBench, startSipBench } from './sip-bench.ts'

const missing = missingSipTools()
if (missing) console.warn(`skipped: the whole way from a SIP caller to Zaslon: ${missing}`)

const CALLEE = '79160000500'
const LISTED = '+79160000002'
const LISTED_TOO = '+79160000014'
const CLEAN = '+79160000001'
const NEVER_CALLS = '+78005550000'
const REPORTED = '+79160000003'
const SUSPECTED = '+79160000004'
const RING_MS = 500
const IS_AWAY = '79160000180'
const IS_BUSY = '79160000486'

type Activity = {
  readonly attempts60: number
  readonly ended60: number
  readonly answered60: number
  readonly oneRing60: number
  readonly talkSeconds60: number
}

/** A caller (sipp) → Kamailio with integrations/kamailio → Zaslon, as `zaslon serve` runs it → the SIP reply. */
describe.skipIf(missing !== undefined)('a call through Kamailio', () => {
  const dataDirectory = temporaryDirectory()
  let service: RunningService
  let bench: SipBench

  beforeAll(async () => {
    service = await runService({ dataDirectory })
    await put('scammers', 'deny', LISTED_TOO)
    await put('scammers', 'deny', LISTED)
    await put('never-call', 'do-not-originate', NEVER_CALLS)
    // In force: changes are in their order.
    while ((await decisionOn(NEVER_CALLS)) !== 'block') await sleep(20)
    bench = await startSipBench({ verdictUrl: service.verdictUrl, ringMs: RING_MS })
  })
  afterAll(async () => {
    await bench?.stop()
    for (const pid of service?.pids('verdict') ?? []) process.kill(pid, 'SIGCONT')
    await service?.stop()
  })

  async function control(method: string, route: string, body: unknown): Promise<void> {
    const headers = { 'content-type': 'application/json' }
    const answer = await fetch(`${service.adminUrl}${route}`, { method, headers, body: JSON.stringify(body) })
    const text = await answer.text()
    expect(answer.status, text).toBeLessThan(300)
  }

  async function put(list: string, kind: string, number: string): Promise<void> {
    await control('PUT', `/v1/lists/${list}`, { kind })
    await control('POST', `/v1/lists/${list}/entries`, { entries: [{ number }] })
  }

  async function decisionOn(caller: string): Promise<unknown> {
    const query = new URLSearchParams({ caller, callee: `+${CALLEE}` })
    const answer = await fetch(`${service.verdictUrl}/v1/verdict?${query}`)
    return ((await answer.json()) as { decision: unknown }).decision
  }

  async function report(number: string, reporters: number): Promise<void> {
    for (let i = 0; i < reporters; i++) {
      const reporter = `+7916111000${i}`
      await control('POST', '/v1/reports', { number, channel: 'hotline', scenario: 'bank', reporter })
    }
  }

  async function expectCall(scenario: string, caller: string, callee = CALLEE, pauseMs = 0): Promise<string> {
    const { succeeded, messages, errors } = await bench.call(scenario, { caller, callee }, { pauseMs })
    expect(succeeded, `${errors}\n${messages}\n${bench.log()}`).toBe(true)
    return messages
  }

  /** What Zaslon has seen of the number's own calls. */
  async function activityOf(number: string): Promise<Activity | undefined> {
    const answer = await fetch(`${service.adminUrl}/v1/numbers/${encodeURIComponent(number)}`)
    const { activity } = (await answer.json()) as { activity?: { outgoing: Readonly<Record<string, Activity>> } }
    return Object.values(activity?.outgoing ?? {})[0]
  }

  async function untilEnded(number: string): Promise<Activity | undefined> {
    await expect.poll(async () => (await activityOf(number))?.ended60, { timeout: 10_000 }).toBe(1)
    return activityOf(number)
  }

  it('is refused with 603 Network Blocked and the reason when the caller is listed', async () => {
    const messages = await expectCall('uac-blocked', LISTED)
    expect(messages).toContain('SIP/2.0 603 Network Blocked\r\n')
    expect(messages).toMatch(
      /^Reason: SIP;cause=603;text="v=analytics1;url=https?:\/\/[^";\s]*[0-9a-f]{32}[^";\s]*";location=[A-Z]+\r$/m,
    )
    expect(bench.calledSide()).not.toContain(LISTED)
  })

  it('reaches the called side when nothing is known about the caller', async () => {
    await expectCall('uac-answered', CLEAN)
    expect(bench.calledSide()).toContain(`From: <sip:${CLEAN}@caller.example>`)
    expect(bench.calledSide()).not.toContain('forged-by-caller')
  })

  it('is refused plainly when the number never originates calls', async () => {
    const messages = await expectCall('uac-refused-plainly', NEVER_CALLS)
    expect(messages).not.toMatch(/^Reason:/m)
  })

  it('is refused as soon as five people have reported the caller', async () => {
    await expectCall('uac-answered', REPORTED)
    await report(REPORTED, 5)
    await expectCall('uac-blocked', REPORTED)
  })

  it('carries a label to the called side when three people have reported the caller', async () => {
    await report(SUSPECTED, 3)
    await expectCall('uac-answered', SUSPECTED)
    const invite = bench
      .calledSide()
      .split(/^-{20,}/m)
      .find((message) => message.includes('INVITE sip:') && message.includes(`<sip:${SUSPECTED}@`))
    expect(invite).toMatch(/^X-Zaslon-Label: [A-Za-z0-9._-]+\r$/m)
    expect(invite).toMatch(/^X-Zaslon-Verdict: flag;id=[0-9a-f]{32};score=\d+\r$/m)
    expect(invite).not.toContain('forged-by-caller')
  })

  it('counts as a conversation when it was answered', async () => {
    const caller = '+79160000011'
    await expectCall('uac-answered', caller, CALLEE, 2_100)
    const activity = await untilEnded(caller)
    expect(activity).toMatchObject({ attempts60: 1, answered60: 1, oneRing60: 0 })
    expect(activity?.talkSeconds60).toBeGreaterThanOrEqual(2)
  })

  it('counts as one ring when the caller gives up at once', async () => {
    const caller = '+79160000012'
    await expectCall('uac-rings-out', caller, IS_AWAY, 1_000)
    expect(await untilEnded(caller)).toMatchObject({ attempts60: 1, answered60: 0, oneRing60: 1, talkSeconds60: 0 })
  })

  it('counts as unanswered when the callee is busy', async () => {
    const caller = '+79160000013'
    await expectCall('uac-refused', caller, IS_BUSY)
    expect(await untilEnded(caller)).toMatchObject({ attempts60: 1, answered60: 0, talkSeconds60: 0 })
  })

  it('has no end when Zaslon blocked it', async () => {
    await expectCall('uac-blocked', LISTED_TOO)
    // Ends are told in order: when that of a later call is known, this one would be.
    await expectCall('uac-answered', '+79160000015')
    await untilEnded('+79160000015')
    expect(await activityOf(LISTED_TOO)).toMatchObject({ attempts60: 1, ended60: 0 })
  })

  it('reaches the called side in time while Zaslon is frozen, and is screened again afterwards', async () => {
    // The supervisor too: it would kill a verdict process that a signal has stopped.
    const pids = [service.pid, ...service.pids('verdict')]
    expect(pids.length).toBeGreaterThan(1)
    for (const pid of pids) process.kill(pid, 'SIGSTOP')
    try {
      // The scenario waits 4 s for the answer; the configuration waits 1 s for the verdict.
      await expectCall('uac-answered', LISTED)
    } finally {
      for (const pid of pids) process.kill(pid, 'SIGCONT')
    }
    await service.ready()
    await expectCall('uac-blocked', LISTED)
  })

  it('goes on as it would when Zaslon stops in the middle, and so do those after it', async () => {
    const caller = '+79160000016'
    const answered = () => bench.calledSide().split('\nACK sip:').length
    const before = answered()
    const talk = expectCall('uac-answered', caller, CALLEE, 3_000)
    await expect.poll(answered, { timeout: 5_000 }).toBeGreaterThan(before)
    await service.stop()
    await talk
    await expectCall('uac-answered', LISTED)
    await expectCall('uac-rings-out', LISTED, IS_AWAY, 500)
    await expectCall('uac-refused', LISTED, IS_BUSY)
    expect(bench.log()).toContain('call ends are not taken')

    // What could not be told is told when Zaslon is back, and the call before the stop is remembered.
    const { adminPort, verdictPort } = service
    service = await runService({ dataDirectory, adminPort, verdictPort })
    expect(await untilEnded(caller)).toMatchObject({ attempts60: 1, answered60: 1 })
    await expectCall('uac-blocked', LISTED)
  }, 60_000)

  it('leaves no number in the log of Kamailio', () => {
    expect(bench.log()).toContain('zaslon:')
    expect(bench.log()).not.toMatch(/7916000|78005550000/)
  })
})
