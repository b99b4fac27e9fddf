import { readdirSync, readFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { PhoneNumber } from '../../../src/domain/phone-number.ts'
import { type ControlFixture, HOST, openControlPlane, putEntries } from './fixture.ts'

const NUMBER = 79160000002 as PhoneNumber
const POLICY = readFileSync('data/policy.yaml', 'utf8')
const DENY = { lists: [{ kind: 'deny', entries: [`+${NUMBER}`] }] }
const AT = Date.parse('2026-03-10T11:00:00Z')

let control: ControlFixture
beforeEach(async () => {
  control = await openControlPlane()
})
afterEach(() => control.close())

function ask(payload: object | string, type = 'application/json') {
  const headers = { ...HOST, 'content-type': type }
  return control.app.inject({ method: 'POST', url: '/v1/policy/rehearse', headers, payload })
}

function lines(...values: readonly unknown[]): string {
  return values.map((value) => (typeof value === 'string' ? value : JSON.stringify(value))).join('\n')
}

function upload(...values: readonly unknown[]) {
  return ask(lines({ type: 'candidate', ...DENY }, ...values), 'application/x-ndjson')
}

let calls = 0
function call(fields: object = {}): Record<string, unknown> {
  const callId = `c${calls++}`
  return { type: 'call', callId, caller: `+${NUMBER}`, callee: '+79161112233', at: AT, ...fields }
}

describe('POST /v1/policy/rehearse with events', () => {
  it('plays them to the engine as in force and with the candidate', async () => {
    await control.store.putList({ name: 'hotline', kind: 'deny', title: '' }, 'test')
    await putEntries(control.store, 'hotline', [
      { from: 79170000001 as PhoneNumber, to: 79170000001 as PhoneNumber, details: {} },
    ])
    const events = [
      call(),
      {
        type: 'end',
        callId: 'c0',
        caller: `+${NUMBER}`,
        callee: '+79161112233',
        answered: true,
        talkMs: 5_000,
        at: AT + 5_000,
      },
      call({ caller: '+79170000001', at: AT + 10_000 }),
      call({ caller: '+79170000009', at: AT + 10_000, ingress: { trunk: 'elsewhere' } }),
      call({ callee: '112', at: '2026-03-10T11:00:20Z' }),
      call({ caller: null, at: AT + 15_000 }),
    ]
    const answer = await ask({ ...DENY, events })
    expect(answer.statusCode).toBe(200)
    expect(answer.json()).toMatchObject({
      from: '2026-03-10T11:00:00.000Z',
      to: '2026-03-10T11:00:20.000Z',
      decisions: 5,
      ends: 1,
      late: 1,
      unknownTrunks: 1,
      changed: 1,
      verdicts: [
        { from: 'allow', to: 'allow', count: 3 },
        { from: 'allow', to: 'block', count: 1 },
        { from: 'block', to: 'block', count: 1 },
      ],
      changes: [{ from: 'allow', to: 'block', count: 1 }],
      callers: { changed: 1, hitMost: [{ caller: `+${NUMBER}`, changed: 1, reported: false }] },
      examples: [
        {
          event: 1,
          at: '2026-03-10T11:00:00.000Z',
          caller: `+${NUMBER}`,
          inForce: { decision: 'allow', score: 0, reasons: [{ code: 'no-evidence', points: 0 }] },
          candidate: {
            decision: 'block',
            score: 97,
            reasons: [{ code: 'listed', points: 97, list: 'rehearsed-deny' }],
          },
          tippedBy: { cause: 'deny-listed', before: 0, after: 97 },
        },
      ],
    })
    const caveats = answer.json().caveats.join(' ')
    expect(caveats).toContain('out of order')
    expect(caveats).toContain('not registered')
    expect(control.store.lists()).toHaveLength(1)
  })

  it('tells what another policy would have said', async () => {
    await control.store.putList({ name: 'hotline', kind: 'deny', title: '' }, 'test')
    const from = 79160000000 as PhoneNumber
    await putEntries(control.store, 'hotline', [{ from, to: (from + 9) as PhoneNumber, details: {} }])
    const text = POLICY.replace('signal: deny-listed, mode: enforce', 'signal: deny-listed, mode: off')
    const body = (await ask({ text, events: [call(), call({ caller: '+79170000000' })] })).json()
    expect(body.changes).toEqual([{ from: 'block', to: 'allow', count: 1 }])
    expect(body.examples[0]).toMatchObject({
      inForce: { reasons: [{ code: 'listed', list: 'hotline' }] },
      tippedBy: { cause: 'deny-listed', before: 97, after: 0 },
    })
  })

  it('goes by the clock of the events: expiry, and the memory of recent calls', async () => {
    await control.store.putList({ name: 'hotline', kind: 'deny', title: '' }, 'test')
    await putEntries(control.store, 'hotline', [{ from: NUMBER, to: NUMBER, details: { expiresMs: AT + 30_000 } }])
    const text = POLICY.replace('signal: deny-listed, mode: enforce', 'signal: deny-listed, mode: off')
    const asked = call({ deadlineAt: AT })
    // At 40 s the entry has expired, but the same call was answered less than 60 s before.
    const events = [0, 40_000].map((later) => ({ ...asked, at: AT + later })).concat(call({ at: AT + 40_000 }) as never)
    const { verdicts } = (await ask({ text, events })).json()
    expect(verdicts).toEqual([
      { from: 'block', to: 'allow', count: 2 },
      { from: 'allow', to: 'allow', count: 1 },
    ])
  })

  it('remembers what callers have been doing, on each side anew', async () => {
    const sequential = 'signal: sequential-dialling, mode: enforce, points: '
    const text = POLICY.replace(`${sequential}45`, `${sequential}100`)
    expect(text).not.toBe(POLICY)
    const callees = Array.from({ length: 12 }, (_, index) =>
      call({ callee: `+${79031112200 + index}`, at: AT + index * 5_000 }),
    )
    for (let times = 0; times < 2; times++) {
      const { changed, verdicts, examples } = (await ask({ text, events: callees })).json()
      expect(changed).toBeGreaterThan(0)
      expect(verdicts).toContainEqual({ from: 'allow', to: 'allow', count: expect.any(Number) })
      expect(examples[0]).toMatchObject({
        inForce: { decision: 'allow' },
        candidate: { decision: 'flag' },
        tippedBy: { cause: 'sequential-dialling' },
      })
      expect(examples[0].event).toBeGreaterThan(3)
    }
  })

  it('takes call ends for what they tell: two who talked know each other', async () => {
    const lists = [{ kind: 'watch', entries: [`+${NUMBER}`] }]
    const text = POLICY.replace(
      'signal: watched, mode: enforce, points: 30',
      'signal: watched, mode: enforce, points: 60',
    )
    const first = call()
    const end = { ...first, type: 'end', answered: true, ringMs: 5_000, talkMs: 120_000, at: AT + 125_000 }
    const later = call({ at: AT + 600_000 })
    const changesWith = async (events: object[]) => (await ask({ text, lists, events })).json().changed
    expect(await changesWith([first, later])).toBe(2)
    expect(await changesWith([first, end, later])).toBe(1)
  })

  it('knows the number blocks around reported numbers', async () => {
    for (let index = 0; index < 12; index++) {
      const report = {
        number: `+7916000100${index % 10}`,
        channel: 'hotline',
        scenario: 'bank',
        reporter: `+7903111${1_000 + index}`,
      }
      const headers = { ...HOST, 'content-type': 'application/json' }
      await control.app.inject({ method: 'POST', url: '/v1/reports', headers, payload: report })
    }
    const text = POLICY.replace(
      'signal: number-block, mode: enforce, points: 40',
      'signal: number-block, mode: enforce, points: 100',
    ).replace('flag: 50', 'flag: 10')
    const { examples } = (await ask({ text, events: [call({ caller: '+79160001077', at: control.nowMs })] })).json()
    expect(examples).toMatchObject([{ candidate: { reasons: [{ code: 'number-block' }] } }])
  })

  it('counts a trunk in shadow mode with what it would be told, and one without screening with nothing', async () => {
    const events = ['spb-new', 'unseen'].map((trunk) => call({ ingress: { trunk } }))
    expect((await ask({ ...DENY, events })).json()).toMatchObject({
      trunks: [
        { trunk: 'spb-new', decisions: 1, changed: 1 },
        { trunk: 'unseen', decisions: 1, changed: 0 },
      ],
      ingress: [{ ingress: 'national', decisions: 2, changed: 1 }],
    })
  })

  it.each(['application/x-ndjson', 'application/jsonl', 'text/jsonl; charset=utf-8'])(
    'takes a file as %s',
    async (type) => {
      const body = lines({ type: 'candidate', ...DENY, text: POLICY }, '', call(), `${JSON.stringify(call())}\r`, '')
      const answer = await ask(body, type)
      expect(answer.json()).toMatchObject({ decisions: 2, changed: 2, examples: [{ event: 2 }, { event: 3 }] })
      await expect.poll(() => readdirSync(control.spoolDirectory)).toEqual([])
    },
  )

  it.each([
    ['a line that is not JSON', ['{"type":"call",'], 'Line 2 is not JSON.'],
    ['a line that is no object', ['[1]'], 'Line 2 is not a JSON object.'],
    ['no moment', [{ ...call(), at: undefined }], 'Line 2 has no readable `at`'],
    ['a moment without a zone', [{ ...call(), at: '2026-03-10T11:00:00' }], 'Line 2 has no readable `at`'],
    ['a type that is none', [{ ...call(), type: 'verdict' }], 'Line 2 has a type'],
    ['a line too long', [{ ...call(), callId: 'x'.repeat(16_384) }], 'Line 2 has more than 16384 bytes'],
    ['a line far out of order', [call({ at: AT - 300_001 })], 'Line 2 lies more than 5 minutes before'],
  ])('refuses a file with %s, and names the line alone', async (_what, bad, message) => {
    const answer = await upload(call(), ...bad)
    expect([answer.statusCode, answer.json().code]).toEqual([422, 'EVENTS_INVALID'])
    expect(answer.json().detail).toContain(message)
    expect(answer.body).not.toContain(String(NUMBER))
    expect(control.logged.join('')).not.toContain(String(NUMBER))
    await expect.poll(() => readdirSync(control.spoolDirectory)).toEqual([])
  })

  it('takes an event five minutes late', async () => {
    expect((await upload(call(), call({ at: AT - 300_000 }))).json()).toMatchObject({ decisions: 2, late: 1 })
  })

  it('points into an array', async () => {
    const answer = await ask({ ...DENY, events: [call(), { ...call(), at: 'noon' }] })
    expect(answer.json()).toMatchObject({ code: 'EVENTS_INVALID', errors: [{ pointer: '/events/1/at' }] })
  })

  it.each([
    ['an empty array', () => ask({ ...DENY, events: [] }), 422, 'EVENTS_EMPTY'],
    ['a file with a candidate alone', () => upload(), 422, 'EVENTS_EMPTY'],
    ['an empty file', () => ask('', 'text/jsonl'), 400, 'BODY_INVALID'],
    ['a file without a candidate', () => ask(lines(call()), 'text/jsonl'), 400, 'BODY_INVALID'],
    ['a candidate that is not JSON', () => ask('{"type":"candidate"', 'text/jsonl'), 422, 'EVENTS_INVALID'],
    ['an unknown field of a candidate', () => ask('{"type":"candidate","x":1}', 'text/jsonl'), 400, 'BODY_INVALID'],
    ['a bad policy', () => ask({ text: 'name: x', events: [call()] }), 422, 'POLICY_INVALID'],
    ['a period', () => ask({ ...DENY, from: 0, events: [call()] }), 400, 'BODY_INVALID'],
    [
      'events in both forms',
      () => ask(lines({ type: 'candidate', ...DENY, events: [] }, call()), 'text/jsonl'),
      400,
      'BODY_INVALID',
    ],
    ['a compressed file', () => ask('x', 'application/gzip'), 415, 'MEDIA_TYPE_UNSUPPORTED'],
    ['too many bytes', () => upload('x'.repeat(1_000_000)), 413, 'EVENTS_TOO_MANY'],
  ])('refuses %s', async (_what, send, status, code) => {
    const answer = await send()
    expect([answer.statusCode, answer.json().code]).toEqual([status, code])
    await expect.poll(() => readdirSync(control.spoolDirectory)).toEqual([])
  })

  it('keeps the first line within the limit of a body', async () => {
    await control.close()
    control = await openControlPlane({ limits: { bodyBytesMax: 2_000 } })
    const candidate = JSON.stringify({ type: 'candidate', ...DENY })
    expect((await ask(lines(candidate.padEnd(2_000), call()), 'text/jsonl')).statusCode).toBe(200)
    const answer = await ask(lines(candidate.padEnd(2_001), call()), 'text/jsonl')
    expect([answer.statusCode, answer.json().code]).toEqual([413, 'BODY_TOO_LARGE'])
  })
})
