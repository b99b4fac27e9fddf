import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { missingSipTools, type SipBench, startSipBench } from './sip-bench.ts'

const missing = missingSipTools()
if (missing) console.warn(`skipped: Kamailio's questions to Zaslon: ${missing}`)

const TRUNKS = `
event_route[htable:mod-init] {
	$sht(zaslon_trunk=>127.0.0.1) = "carrier-a";
	$sht(zaslon_kind=>carrier-a) = "international";
}
`
const FORWARD = { decision: 'allow', sip: { action: 'forward', headers: {} } }

/** What the switch asks, and what it does with odd answers: against a server that answers whatever the test wants. */
describe.skipIf(missing !== undefined)('Kamailio, asking for a verdict', () => {
  const asked: { body: Record<string, unknown>; contentType: string | undefined }[] = []
  /** `undefined`: no answer at all. */
  let answer: { status: number; text: string } | undefined
  let server: Server
  let bench: SipBench

  beforeAll(async () => {
    server = createServer(async (request, response) => {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk as Buffer)
      asked.push({ body: JSON.parse(Buffer.concat(chunks).toString()), contentType: request.headers['content-type'] })
      if (!answer) return
      response.writeHead(answer.status, { 'content-type': 'application/json' }).end(answer.text)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const verdictUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    bench = await startSipBench({ verdictUrl, trunks: TRUNKS, settings: ['ZASLON_PAUSE=2', 'ZASLON_NO_ENDS=1'] })
  })
  afterAll(async () => {
    await bench?.stop()
    server?.close()
    server?.closeAllConnections()
  })

  const say = (body: unknown) => {
    answer = { status: 200, text: JSON.stringify(body) }
  }

  it('sends the asserted identity, the diversion, the trunk and what verification found', async () => {
    say(FORWARD)
    const keys = { caller: '+79160000009', asserted: '79160000001', diverted: '79160000777', callee: '79160000500' }
    const { succeeded, errors } = await bench.call('uac-with-identity', keys)
    expect(errors).toBe('')
    expect(succeeded).toBe(true)
    const { body, contentType } = asked.at(-1) ?? { body: {} }
    expect(contentType).toBe('application/json')
    expect(body).toEqual({
      callId: expect.stringMatching(/@127\.0\.0\.1$/),
      caller: 'tel:+79160000001;verstat=TN-Validation-Passed',
      callee: expect.stringMatching(/^sip:\+79160000500@/),
      redirecting: 'sip:+79160000777@caller.example',
      ingress: { trunk: 'carrier-a', kind: 'international' },
      stir: { verstat: 'TN-Validation-Passed', attest: 'B' },
    })
  })

  it('sends the From address of a caller nobody asserted, whatever it contains', async () => {
    say(FORWARD)
    const { succeeded } = await bench.call('uac-answered', { caller: '%22quoted%5C', callee: '79160000500' })
    expect(succeeded).toBe(true)
    expect(asked.at(-1)?.body).toMatchObject({ caller: 'sip:%22quoted%5C@caller.example' })
    expect(asked.at(-1)?.body).not.toHaveProperty('stir')
    expect(asked.at(-1)?.body).not.toHaveProperty('redirecting')
  })

  it('replies with the status, phrase and Call-Info of the policy', async () => {
    const headers = { 'Call-Info': '<https://redress.example/card>;purpose=jwscard' }
    say({ decision: 'block', sip: { action: 'reject', status: 608, phrase: 'Rejected', headers } })
    const { messages } = await bench.call('uac-blocked', { caller: '+79160000002', callee: '79160000500' })
    expect(messages).toContain('SIP/2.0 608 Rejected\r\n')
    expect(messages).toContain('Call-Info: <https://redress.example/card>;purpose=jwscard\r\n')
  })

  it('lets no answer add a header line of its own', async () => {
    const headers = { Reason: 'SIP;cause=603\r\nX-Evil: 1' }
    say({ decision: 'block', sip: { action: 'reject', status: 603, phrase: 'Decline', headers } })
    const { messages } = await bench.call('uac-refused-plainly', { caller: '+79160000002', callee: '79160000500' })
    expect(messages).toContain('Reason: SIP;cause=603 X-Evil: 1\r\n')
    expect(messages).not.toContain('\nX-Evil')
  })

  it.each([
    ['a status of 500', { status: 500, text: '{}' }],
    ['an answer that is no JSON', { status: 200, text: '<html>' }],
    ['an empty object', { status: 200, text: '{}' }],
    [
      'a SIP status that is no refusal',
      { status: 200, text: '{"sip":{"action":"reject","status":200,"phrase":"OK"}}' },
    ],
  ])('lets the call through on %s', async (_what, odd) => {
    answer = odd
    const { succeeded, errors } = await bench.call('uac-answered', { caller: '+79160000001', callee: '79160000500' })
    expect(errors).toBe('')
    expect(succeeded).toBe(true)
  })

  it('answers a caller who gives up while the question is under way, and calls nobody', async () => {
    answer = undefined
    const callsBefore = countInvites(bench.calledSide())
    const { succeeded } = await bench.call('uac-cancelled', { caller: '+79160000001', callee: '79160000500' })
    expect(succeeded).toBe(true)
    expect(countInvites(bench.calledSide())).toBe(callsBefore)
  })

  it('stops asking for a while after three failures in a row, lets every call through, and asks again', async () => {
    const keys = { caller: '+79160000001', callee: '79160000500' }
    say(FORWARD)
    await bench.call('uac-answered', keys)
    answer = undefined
    const askedBefore = asked.length
    for (let i = 0; i < 5; i++) {
      const { succeeded } = await bench.call('uac-answered', keys)
      expect(succeeded).toBe(true)
    }
    expect(asked.length - askedBefore).toBe(3)

    say({ decision: 'block', sip: { action: 'reject', status: 603, phrase: 'Network Blocked', headers: {} } })
    await expect
      .poll(async () => (await bench.call('uac-refused-plainly', keys)).succeeded, { timeout: 10_000, interval: 200 })
      .toBe(true)
  })
})

function countInvites(messages: string): number {
  return messages.split('\n').filter((line) => line.startsWith('INVITE ')).length
}
