import { afterEach, describe, expect, it } from 'vitest'
import type { RecordState } from '../../../src/domain/record-view.ts'
import { type ControlFixture, fakeSharedRecord, HOST, NOW_MS, openControlPlane } from './fixture.ts'

let control: ControlFixture
afterEach(() => control.close())

const get = async (url: string) => (await control.app.inject({ url, headers: HOST })).json()
const decide = (word: string, headers: Record<string, string> = {}) =>
  control.app.inject({ method: 'POST', url: `/v1/record/${word}`, headers: { ...HOST, ...headers } })

describe('a node that is its own record', () => {
  it('says so, and is healthy without Redis', async () => {
    control = await openControlPlane()
    expect(await get('/v1/record')).toEqual({ kind: 'embedded' })
    expect(await get('/health/ready')).toMatchObject({
      record: { kind: 'embedded' },
      reasons: ['No verdict process answers.'],
    })
  })
})

describe('a node that shares its record', () => {
  it('shows how it stands to it', async () => {
    const outbox = { facts: 3, max: 10_000, oldestMs: NOW_MS - 5_000 }
    const problem = { code: 'RECORD_LOST', detail: 'Partition 7 is not there any more.' }
    const partitions = { following: 64, lost: 1 }
    control = await openControlPlane({
      record: fakeSharedRecord({ state: 'lost', partitions, problem, behind: 4, outbox }),
    })
    expect(await get('/v1/record')).toEqual({
      kind: 'redis',
      recordId: '0123456789abcdef0123456789abcdef',
      redis: 'redis://10.0.0.5:6379',
      state: 'lost',
      partitions,
      problem,
      freshAt: '2026-03-10T11:59:59.960Z',
      behind: 4,
      applied: 12,
      rewound: 2,
      outbox: { facts: 3, max: 10_000, oldestAt: '2026-03-10T11:59:55.000Z' },
    })
  })

  it.each(['accept', 'restore'] as const)(
    'does %s once for one key, and answers with what came of it',
    async (word) => {
      const record = fakeSharedRecord({ state: 'diverged', partitions: { diverged: 65 }, freshMs: NOW_MS - 60_000 })
      control = await openControlPlane({ record })
      const first = await decide(word, { 'idempotency-key': 'once' })
      expect([first.statusCode, first.json()]).toMatchObject([
        200,
        { state: 'following', partitions: { following: 65 } },
      ])
      const again = await decide(word, { 'idempotency-key': 'once' })
      expect([again.statusCode, again.headers['idempotency-replayed']]).toEqual([200, 'true'])
      expect(record.decided).toEqual([{ word, actor: 'local' }])
    },
  )

  it('replaces another record only when it is told so', async () => {
    const record = fakeSharedRecord({ state: 'lost' })
    control = await openControlPlane({ record })
    expect((await decide('restore?replace=perhaps')).statusCode).toBe(400)
    expect((await decide('restore?replace=true')).statusCode).toBe(200)
    expect(record.decided).toEqual([{ word: 'restore', actor: 'local', replace: true }])
  })

  it.each<[RecordState, number, string]>([
    ['away', 6_000, 'Redis does not answer: the state here is 6 s old.'],
    ['lost', 90_000, 'The record in Redis, or a part of it, is gone: the state here is 90 s old.'],
    ['diverged', 90_000, 'Redis has another history than this node: the state here is 90 s old.'],
    ['damaged', 90_000, 'The record in Redis is damaged: the state here is 90 s old.'],
    ['newer', 90_000, 'A newer version wrote to the record what this one cannot read: the state here is 90 s old.'],
    ['stopped', 90_000, "This node's disk refuses what comes from the record: the state here is 90 s old."],
    ['catching-up', 8_000, 'This node is catching up with the record in Redis: the state here is 8 s old.'],
    ['following', 8_000, 'This node is catching up with the record in Redis: the state here is 8 s old.'],
  ])('is degraded, but up, and says why when the record is %s', async (state, ageMs, reason) => {
    control = await openControlPlane({ record: fakeSharedRecord({ state, freshMs: NOW_MS - ageMs }) })
    const answer = await control.app.inject({ url: '/health/ready', headers: HOST })
    expect([answer.statusCode, answer.json().status]).toEqual([200, 'degraded'])
    expect(answer.json().reasons).toContain(reason)
    expect(answer.json().record).toEqual({
      kind: 'redis',
      state,
      freshAt: new Date(NOW_MS - ageMs).toISOString(),
      behind: 0,
      outbox: { facts: 0, max: 10_000 },
    })
  })

  it('tells a refused sign-in from a Redis that does not answer', async () => {
    const hint = 'Correct user and password in ZASLON_REDIS_URL.'
    const problem = { code: 'CONFIG_INVALID', detail: 'Redis 10.0.0.5 refuses the sign-in: WRONGPASS.', hint }
    control = await openControlPlane({
      record: fakeSharedRecord({ state: 'away', problem, freshMs: NOW_MS - 6_000 }),
    })
    expect((await get('/v1/record')).problem).toEqual(problem)
    const { record, reasons } = await get('/health/ready')
    expect(record.problem).toEqual({ code: 'CONFIG_INVALID' })
    expect(reasons).toContain(
      'Redis refuses this node, because of its password, its rights or its pseudonym key: the state here is 6 s old.',
    )
  })

  it('says nothing of a Redis that is away for a moment', async () => {
    control = await openControlPlane({ record: fakeSharedRecord({ state: 'away', freshMs: NOW_MS - 2_000 }) })
    expect((await get('/health/ready')).reasons).toEqual(['No verdict process answers.'])
  })

  it('knows no age before it has read the record once', async () => {
    control = await openControlPlane({ record: fakeSharedRecord({ state: 'away', freshMs: 0 }, false) })
    const { reasons, record } = await get('/health/ready')
    expect(reasons).toContain('Redis does not answer: it was not read to its end since the node started.')
    expect(record).not.toHaveProperty('freshAt')
    expect(record).not.toHaveProperty('behind')
    expect(await get('/v1/record')).not.toHaveProperty('behind')
  })
})
