import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunningService, runService } from '../support/run-service.ts'
import { missingSipTools, type SipBench, startSipBench } from './sip-bench.ts'

const missing = missingSipTools()
if (missing) console.warn(`skipped: the whole way from a SIP caller to Zaslon: ${missing}`)

const CALLEE = '79160000500'
const LISTED = '+79160000002'
const CLEAN = '+79160000001'
const NEVER_CALLS = '+78005550000'
const REPORTED = '+79160000003'
const SUSPECTED = '+79160000004'

/** A caller (sipp) → Kamailio with integrations/kamailio → Zaslon, as `zaslon serve` runs it → the SIP reply. */
describe.skipIf(missing !== undefined)('a call through Kamailio', () => {
  let service: RunningService
  let bench: SipBench

  beforeAll(async () => {
    service = await runService()
    await put('scammers', 'deny', LISTED)
    await put('never-call', 'do-not-originate', NEVER_CALLS)
    bench = await startSipBench({ verdictUrl: service.verdictUrl })
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

  async function report(number: string, reporters: number): Promise<void> {
    for (let i = 0; i < reporters; i++) {
      const reporter = `+7916111000${i}`
      await control('POST', '/v1/reports', { number, channel: 'hotline', scenario: 'bank', reporter })
    }
  }

  async function expectCall(scenario: string, caller: string): Promise<string> {
    const { succeeded, messages, errors } = await bench.call(scenario, { caller, callee: CALLEE })
    expect(succeeded, `${errors}\n${messages}\n${bench.log()}`).toBe(true)
    return messages
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

  it('reaches the called side when Zaslon is stopped', async () => {
    await service.stop()
    await expectCall('uac-answered', LISTED)
  })
})
