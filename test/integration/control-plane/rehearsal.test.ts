import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type ControlFixture, HOST, NOW_MS, openControlPlane, putEntries } from './fixture.ts'
import { decision, NUMBER } from './recorded-decision.ts'

const POLICY = readFileSync('data/policy.yaml', 'utf8')

let control: ControlFixture
beforeEach(async () => {
  control = await openControlPlane()
})
afterEach(() => control.close())

/** The policy with other points for one signal. */
function withPoints(text: string, signal: string, points: number): string {
  const rule = new RegExp(`(signal: ${signal}, mode: enforce, points: )\\d+`)
  expect(text).toMatch(rule)
  return text.replace(rule, (_, head) => `${head}${points}`)
}

const NO_EVIDENCE = { code: 'no-evidence', points: 0, listId: 0 } as const
const LISTED = { code: 'listed', points: 97, listId: 0 } as const
const EMERGENCY = { code: 'emergency-callee', points: 0, listId: 0 } as const
/** A call that nothing was known about. */
const UNKNOWN = { strengths: {}, verdict: 'allow', score: 0, reasons: [NO_EVIDENCE] } as const

type Method = 'GET' | 'PUT' | 'POST'
function ask(method: Method, url: string, payload?: object | string, headers: Record<string, string> = {}) {
  return control.app.inject({ method, url, headers: { ...HOST, ...headers }, ...(payload ? { payload } : {}) })
}

describe('POST /v1/policy/rehearse', () => {
  it('says what another policy would have made of recorded calls', async () => {
    control.decisions.push(
      decision({ strengths: { watched: 1 }, verdict: 'allow', score: 10 }),
      decision({ strengths: { 'deny-listed': 1 }, verdict: 'block', score: 97 }),
      decision({
        strengths: { 'deny-listed': 1 },
        verdict: 'allow',
        reasons: [{ code: 'allow-listed', points: 0, listId: 1 }],
      }),
      decision({ strengths: {}, verdict: 'allow', score: 0, reasons: [{ code: 'overloaded', points: 0, listId: 0 }] }),
      decision({ strengths: { 'deny-listed': 1 }, verdict: 'flag', flags: ['capped'] }),
      decision({ strengths: { 'deny-listed': 1 }, verdict: 'block', timeMs: NOW_MS - 2 * 86_400_000 }),
    )
    const text = POLICY.replace(/signal: deny-listed, mode: enforce/, 'signal: deny-listed, mode: shadow')
    expect(text).not.toBe(POLICY)
    const body = (await ask('POST', '/v1/policy/rehearse', { text })).json()
    expect(body).toMatchObject({ decisions: 5, complete: true, changed: 2 })
    expect(body.changes).toEqual([
      { from: 'block', to: 'allow', count: 1 },
      { from: 'flag', to: 'allow', count: 1 },
    ])
    expect(body.examples).toHaveLength(2)
    expect(body.examples[0]).toMatchObject({
      decision: 'allow',
      score: 0,
      was: { decision: 'block', trunk: 'mts-msk' },
    })
    expect(control.store.policy()?.version).toBe(1)
  })

  it('changes nothing under the policy that decided', async () => {
    control.decisions.push(
      decision({ strengths: { 'deny-listed': 1 }, verdict: 'block', score: 97 }),
      decision({ strengths: { 'do-not-originate': 1, attested: 1 }, verdict: 'block', score: 95 }),
    )
    expect((await ask('POST', '/v1/policy/rehearse', { text: POLICY })).json()).toMatchObject({
      decisions: 2,
      changed: 0,
      changes: [],
    })
  })

  it('never blocks a protected number', async () => {
    await control.store.putList({ name: 'banks', kind: 'protected', title: '' }, 'test')
    await putEntries(control.store, 'banks', [{ from: NUMBER, to: NUMBER, details: {} }])
    control.decisions.push(decision({ strengths: { 'reported-share': 1 }, verdict: 'allow', score: 0 }))
    const text = POLICY.replace(/(signal: reported-share, mode: )\w+, points: \d+/, '$1enforce, points: 100')
    const body = (await ask('POST', '/v1/policy/rehearse', { text })).json()
    expect(body.changes).toEqual([{ from: 'allow', to: 'flag', count: 1 }])
  })

  it('needs a policy, a list, or both, and one form of the policy', async () => {
    for (const body of [{}, { from: 0 }, { text: POLICY, policy: {} }]) {
      const answer = await ask('POST', '/v1/policy/rehearse', body)
      expect([answer.statusCode, answer.json().code]).toEqual([400, 'BODY_INVALID'])
    }
  })

  it('tries lists beside those in force, under the policy in force', async () => {
    control.decisions.push(
      decision({ ...UNKNOWN, caller: '+79160000001' }),
      decision({ ...UNKNOWN, caller: '+79170000001', trunk: '' }),
      decision({
        caller: '+79180000005',
        strengths: { 'deny-listed': 1 },
        verdict: 'block',
        score: 97,
        reasons: [LISTED],
      }),
      decision({ ...UNKNOWN, caller: '+79180000007', reasons: [EMERGENCY] }),
      decision({ ...UNKNOWN, caller: 'withheld' }),
    )
    const lists = [
      { kind: 'deny', entries: ['+79160000001', '7917*', '+79180000007'] },
      { kind: 'allow', entries: ['8-918-000-00-00 - 8-918-000-00-09'] },
    ]
    const body = (await ask('POST', '/v1/policy/rehearse', { lists })).json()
    expect(body).toMatchObject({ decisions: 5, complete: true, changed: 3 })
    expect(body.changes).toEqual([
      { from: 'allow', to: 'block', count: 2 },
      { from: 'block', to: 'allow', count: 1 },
    ])
    expect(body.examples.map((one: { tippedBy: object }) => one.tippedBy)).toEqual([
      { cause: 'deny-listed', before: 0, after: 97 },
      { cause: 'deny-listed', before: 0, after: 97 },
      { cause: 'allow-listed', before: 97, after: 0 },
    ])
    expect(body.trunks).toEqual([
      { trunk: 'mts-msk', decisions: 4, changed: 2 },
      { trunk: '', decisions: 1, changed: 1 },
    ])
    expect(body.ingress).toEqual([{ ingress: 'national', decisions: 5, changed: 3 }])
    expect(control.store.lists()).toEqual([])
  })

  it.each([
    ['do-not-originate', 'block', 'do-not-originate'],
    ['watch', 'allow', undefined],
    ['own', 'flag', 'own-number-from-outside'],
    ['protected', 'allow', undefined],
  ])('gives a caller on a list of kind %s its meaning', async (kind, to, cause) => {
    control.decisions.push(decision(UNKNOWN))
    const lists = [{ kind, entries: [`+${NUMBER}`] }]
    const { examples } = (await ask('POST', '/v1/policy/rehearse', { lists })).json()
    expect(examples[0]?.decision ?? 'allow').toBe(to)
    expect(examples[0]?.tippedBy.cause).toBe(cause)
  })

  it('lets a list of protected numbers spare what the policy would block', async () => {
    control.decisions.push(
      decision({ strengths: { 'own-number-from-outside': 1, reported: 1 }, verdict: 'block', score: 96 }),
    )
    const lists = [{ kind: 'protected', entries: [`+${NUMBER}`] }]
    // 1 - 0.4 x 0.1, whatever the default policy gives.
    const text = withPoints(withPoints(POLICY, 'own-number-from-outside', 60), 'reported', 90)
    const { examples } = (await ask('POST', '/v1/policy/rehearse', { text, lists })).json()
    expect(examples).toMatchObject([{ decision: 'flag', tippedBy: { cause: 'protected', before: 96, after: 96 } }])
  })

  it('leaves calls of a trunk alone that is not screened', async () => {
    control.decisions.push(decision({ ...UNKNOWN, trunk: 'unseen' }))
    const lists = [{ kind: 'deny', entries: [`+${NUMBER}`] }]
    expect((await ask('POST', '/v1/policy/rehearse', { lists })).json()).toMatchObject({ decisions: 1, changed: 0 })
  })

  it('names the callers hit most, and what is known of them', async () => {
    await control.store.putList({ name: 'banks', kind: 'protected', title: '' }, 'test')
    await putEntries(control.store, 'banks', [{ from: NUMBER, to: NUMBER, details: {} }])
    const report = { number: '+79170000000', channel: 'app', scenario: 'spam', reporter: 'someone' }
    expect((await ask('POST', '/v1/reports', report)).statusCode).toBe(202)
    control.decisions.push(decision(UNKNOWN), decision(UNKNOWN), decision({ ...UNKNOWN, caller: '+79170000000' }))
    for (let index = 10; index < 30; index++)
      control.decisions.push(decision({ ...UNKNOWN, caller: `+791800000${index}` }))
    const lists = [{ kind: 'deny', entries: ['7916*', '7917*', '7918*'] }]
    const { callers } = (await ask('POST', '/v1/policy/rehearse', { lists })).json()
    expect(callers).toMatchObject({ changed: 22, complete: true })
    expect(callers.hitMost).toHaveLength(20)
    expect(callers.hitMost.slice(0, 2)).toEqual([
      {
        caller: `+${NUMBER}`,
        changed: 2,
        changes: [{ from: 'allow', to: 'block', count: 2 }],
        protected: true,
        allowListed: false,
        reported: false,
      },
      expect.objectContaining({ caller: '+79170000000', protected: false, reported: true }),
    ])
  })

  it('points at every entry it cannot read, and names no number in the log', async () => {
    const lists = [
      { kind: 'deny', entries: ['+79160000001'] },
      { kind: 'allow', entries: ['+79160000002', 'Sberbank', '+79160000009-+79160000001', '*'] },
    ]
    const answer = await ask('POST', '/v1/policy/rehearse', { lists })
    expect([answer.statusCode, answer.json().code]).toEqual([422, 'NUMBER_INVALID'])
    expect(answer.json().errors.map((error: { pointer: string }) => error.pointer)).toEqual([
      '/lists/1/entries/1',
      '/lists/1/entries/2',
      '/lists/1/entries/3',
    ])
    expect(control.logged.join('')).not.toContain('7916000000')
  })

  it('takes 10,000 entries and not one more', async () => {
    const entries = Array.from({ length: 5_000 }, (_, index) => `+${79160000000 + index}`)
    const lists = [
      { kind: 'deny', entries },
      { kind: 'watch', entries },
    ]
    expect((await ask('POST', '/v1/policy/rehearse', { lists })).statusCode).toBe(200)
    lists.push({ kind: 'deny', entries: ['+79160000001'] })
    const answer = await ask('POST', '/v1/policy/rehearse', { lists })
    expect([answer.statusCode, answer.json().code]).toEqual([400, 'BODY_INVALID'])
    expect(answer.json().errors[0].pointer).toBe('/lists')
  })

  it.each([
    ['a kind that is none', [{ kind: 'grey', entries: ['+79160000001'] }], '/lists/0/kind'],
    ['an unknown field', [{ kind: 'deny', entries: ['+79160000001'], name: 'x' }], '/lists/0/name'],
    ['no entries', [{ kind: 'deny', entries: [] }], '/lists/0/entries'],
    ['more lists than are taken', Array(17).fill({ kind: 'deny', entries: ['+79160000001'] }), '/lists'],
  ])('refuses %s', async (_what, lists, pointer) => {
    const answer = await ask('POST', '/v1/policy/rehearse', { lists })
    expect([answer.statusCode, answer.json().code]).toEqual([400, 'BODY_INVALID'])
    expect(answer.json().errors[0].pointer).toBe(pointer)
  })
})

describe('rehearsals at once', () => {
  it('are two; the third is asked to come back', async () => {
    let release = () => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    let reading = 0
    const decisionLog = {
      async *iterate() {
        reading++
        await held
        yield decision(UNKNOWN)
      },
    }
    await control.close()
    control = await openControlPlane({ decisionLog })
    const statusOf = async () => (await ask('POST', '/v1/policy/rehearse', { text: POLICY })).statusCode
    const running = [statusOf(), statusOf()]
    await expect.poll(() => reading).toBe(2)
    const third = await ask('POST', '/v1/policy/rehearse', { text: POLICY })
    expect([third.statusCode, third.json().code, third.headers['retry-after']]).toEqual([503, 'QUEUE_FULL', '5'])
    release()
    expect(await Promise.all(running)).toEqual([200, 200])
    expect(await statusOf()).toBe(200)
  })
})
