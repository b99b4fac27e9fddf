import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type FakeService, startFakeService, zaslon } from './fake-service.ts'

const BLOCK = {
  verdictId: 'ab'.repeat(16),
  decision: 'block',
  score: 97,
  reasons: [{ code: 'listed', basis: 'analytics', list: 'scammers', kind: 'deny', points: 97 }],
  sip: {
    action: 'reject',
    status: 603,
    phrase: 'Network Blocked',
    headers: { Reason: 'SIP;cause=603;text="v=analytics1;url=https://r.example/1";location=LN' },
  },
  policy: 'default@3',
}

describe('zaslon check', () => {
  let service: FakeService
  beforeAll(async () => {
    service = await startFakeService({
      'POST /v1/verdict': (request) => {
        const { caller } = JSON.parse(request.body)
        if (caller === '+79160000002') return { body: BLOCK }
        if (caller === '+79160000003')
          return { body: { ...BLOCK, decision: 'flag', sip: { action: 'forward', headers: {} } } }
        return { body: { ...BLOCK, decision: 'allow', score: 0, reasons: [], sip: { action: 'forward', headers: {} } } }
      },
    })
  })
  afterAll(() => service.close())

  it('prints the verdict, its reasons and the SIP reply for people', async () => {
    const { code, out, err } = await zaslon(['check', '+79160000002', '+79160000500'], service.url)
    expect(err).toBe('')
    expect(code).toBe(0)
    expect(out).toContain('BLOCK  score 97')
    expect(out).toContain('listed (analytics): list scammers (deny), +97 points')
    expect(out).toContain('603 Network Blocked')
    expect(out).toContain('Reason: SIP;cause=603;text="v=analytics1;url=https://r.example/1";location=LN')
  })

  it('prints exactly what the service said with --json, wherever the option stands', async () => {
    for (const words of [
      ['check', '+79160000002', '--json'],
      ['--json', 'check', '+79160000002'],
    ]) {
      const { out } = await zaslon(words, service.url)
      expect(JSON.parse(out)).toEqual(BLOCK)
    }
  })

  it.each([
    ['+79160000001', 0],
    ['+79160000003', 10],
    ['+79160000002', 11],
  ])('tells the verdict about %s by exit code %i when asked to', async (caller, expected) => {
    expect((await zaslon(['check', caller, '--exit-code'], service.url)).code).toBe(expected)
    expect((await zaslon(['check', caller], service.url)).code).toBe(0)
  })

  it('sends the call event of the contract', async () => {
    const options = '--trunk carrier-a --kind international --call-id c1 --attest B --roaming denied --treatment block'
    await zaslon(['check', 'withheld', '112', ...options.split(' ')], service.url)
    expect(JSON.parse(service.seen.at(-1)?.body ?? '')).toEqual({
      caller: null,
      callee: '112',
      callId: 'c1',
      ingress: { trunk: 'carrier-a', kind: 'international' },
      stir: { attest: 'B' },
      callerStatus: { roaming: 'denied' },
      treatment: 'block',
    })
  })

  it('colours on a terminal, unless NO_COLOR, --no-color or a pipe says otherwise', async () => {
    const words = ['check', '+79160000002']
    expect((await zaslon(words, service.url, { isTTY: true })).out).toContain('\u001b[31m')
    expect((await zaslon(words, service.url, { isTTY: true, noColor: true })).out).not.toContain('\u001b[')
    expect((await zaslon([...words, '--no-color'], service.url, { isTTY: true })).out).not.toContain('\u001b[')
    expect((await zaslon(words, service.url)).out).not.toContain('\u001b[')
  })

  it('sends the key as a bearer token', async () => {
    await zaslon(['check', '+79160000001', '--key', 'secret'], service.url)
    expect(service.seen.at(-1)?.headers.authorization).toBe('Bearer secret')
  })

  it('lets no control character of an answer reach the terminal', async () => {
    const nasty = await startFakeService({
      'POST /v1/verdict': {
        body: { ...BLOCK, reasons: [{ code: 'listed\u001b[2J', basis: 'x', list: '\u202eevil' }] },
      },
    })
    const { out } = await zaslon(['check', '+79160000002'], nasty.url)
    await nasty.close()
    for (const character of ['\u001b', '\u202e']) expect(out).not.toContain(character)
  })
})

describe('zaslon explain', () => {
  it('shows what decided, where the number stands and what would change the verdict', async () => {
    const explanation = {
      decision: 'flag',
      step: 'score',
      score: 55,
      reasons: [{ code: 'reported', basis: 'analytics', points: 50 }],
      lists: [{ list: 'watched', kind: 'watch', match: 'number', reason: 'called twice' }],
      reputation: { reporters: 3, score: 52 },
      signals: [
        {
          signal: 'reported',
          strength: 0.6,
          mode: 'enforce',
          points: 90,
          contribution: 54,
          values: [
            { name: 'reporters', value: 3, limit: 5 },
            { name: 'days', value: 2 },
          ],
        },
        { signal: 'watched', strength: 1, mode: 'enforce', points: 30, contribution: 30, values: [] },
        { signal: 'withheld', strength: 0, mode: 'enforce', points: 0, contribution: 0 },
      ],
      changes: [
        { change: 'reporters', from: 3, to: 5, verdict: 'block', score: 83 },
        { change: 'calls-last-hour', from: 20, to: 1, verdict: 'allow', score: 40 },
        { change: 'calls-last-hour', from: 2000, to: 1200, verdict: 'allow', score: 40 },
        { change: 'known-contact', to: true, verdict: 'allow', score: 22 },
        { change: 'known-contact', to: false, verdict: 'block', score: 90 },
        { change: 'something-new', verdict: 'block', score: 90 },
      ],
      policy: 'default@3',
    }
    const service = await startFakeService({ 'POST /v1/explain': { body: explanation } })
    const { out } = await zaslon(['explain', '+79160000003'], service.url)
    await service.close()
    expect(out).toContain('FLAG  score 55\n  decided by: score\n')
    expect(out).toContain('on list watched (watch): called twice')
    expect(out).toContain('reported by 3 people in the window, reputation 52')
    expect(out).toMatch(/^signal +strength +rule +at most +points +counted$/m)
    expect(out).toMatch(/^reported +0\.60 +enforce +90 +54\.0 +reporters 3 of 5, days 2$/m)
    expect(out).toMatch(/^watched +1\.00 +enforce +30 +30\.0 *$/m)
    expect(out).not.toContain('withheld')
    expect(out).toContain('block, if 5 people had reported it instead of 3')
    expect(out).toContain('allow, if it had made 1 call in the last hour instead of 20')
    expect(out).toContain('allow, if it had made 1,200 calls in the last hour instead of 2000')
    expect(out).toContain('allow, if the two had talked within the last days')
    expect(out).toContain('block, if the two had not talked within the last days')
    expect(out).toContain('block, if something-new')
  })
})
