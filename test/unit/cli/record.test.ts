import { afterEach, describe, expect, it } from 'vitest'
import { checkHealth } from '../../../src/cli/doctor/check-service.ts'
import { EXIT } from '../../../src/cli/exit-codes.ts'
import { createServiceClient } from '../../../src/cli/service-client.ts'
import { type CliSettings, type FakeService, startFakeService, zaslon } from './fake-service.ts'

const NOW_MS = Date.UTC(2026, 2, 1, 12)
const WELL = {
  kind: 'redis',
  recordId: '0123456789abcdef0123456789abcdef',
  redis: 'redis://10.0.0.5:6379',
  state: 'following',
  partitions: { following: 65 },
  freshAt: '2026-03-01T12:00:00.000Z',
  behind: 0,
  applied: 1_234,
  rewound: 0,
  outbox: { facts: 0, max: 10_000 },
}
const LOST = {
  ...WELL,
  state: 'lost',
  partitions: { lost: 2, following: 61, away: 1, diverged: 1 },
  problem: { code: 'RECORD_LOST', detail: 'Partition 7 is not there\u001b[2J any more.' },
  freshAt: '2026-03-01T11:58:30.000Z',
  behind: 1,
  rewound: 20,
  outbox: { facts: 3, max: 10_000, oldestAt: '2026-03-01T09:00:00.000Z' },
}

let service: FakeService
afterEach(() => service.close())

async function record(words: readonly string[], answer: object, settings: CliSettings = {}, after: object = WELL) {
  service = await startFakeService({
    'GET /v1/record': { body: answer },
    'POST /v1/record/accept': { body: after },
    'POST /v1/record/restore': { body: after },
  })
  const run = await zaslon(['record', ...words], service.url, { nowMs: NOW_MS, ...settings })
  return { ...run, decided: service.seen.filter(({ method }) => method === 'POST').map(({ path }) => path) }
}

describe('zaslon record status', () => {
  it('shows how a node stands to the record', async () => {
    const { code, out, err } = await record(['status'], LOST)
    expect(code).toBe(0)
    expect(out).toBe(
      [
        'record    redis://10.0.0.5:6379 (0123456789abcdef0123456789abcdef)',
        'state     lost',
        'fresh     2026-03-01 11:58:30 UTC, 90 s ago',
        'behind    1 fact',
        'outbox    3 of 10,000 facts, the oldest for 3 h',
        'applied   1,234 facts since the start, 20 of them taken back',
        'problem   RECORD_LOST: Partition 7 is not there [2J any more.',
        '',
        'state      partitions',
        'following  61',
        'away       1',
        'lost       2',
        'diverged   1',
        '',
      ].join('\n'),
    )
    expect(err).toMatch(/ZASLON_REDIS_URL names another Redis: then correct that\. .*zaslon record restore/)
  })

  it('has the hint of what Redis says, when it is there and refuses the node', async () => {
    const problem = { code: 'CONFIG_INVALID', detail: 'WRONGPASS.', hint: 'Correct the password.' }
    const { err } = await record(['status'], { ...WELL, state: 'away', partitions: { away: 65 }, problem })
    expect(err).toBe('Correct the password.\n')
  })

  it('has no advice for a node that follows', async () => {
    const { out, err } = await record(['status'], WELL)
    expect(out).toContain('fresh     2026-03-01 12:00:00 UTC, 0 s ago\n')
    expect(out).toContain('outbox    0 of 10,000 facts\n')
    expect(err).toBe('')
  })

  it('knows no age before the record was read once', async () => {
    const { freshAt: _, behind: _unknown, ...never } = { ...WELL, state: 'away' }
    const { out } = await record(['status'], never)
    expect(out).toContain('fresh     never since the start\n')
    expect(out).toContain('behind    not known: Redis has not answered since the start\n')
  })

  it('says when the node is its own record', async () => {
    expect(await record(['status'], { kind: 'embedded' })).toMatchObject({
      code: 0,
      out: 'embedded: this node is its own record.\n',
    })
  })

  it('prints what the service said with --json', async () => {
    expect(JSON.parse((await record(['status', '--json'], LOST)).out)).toEqual(LOST)
  })
})

describe.each([
  ['accept', 'This node will take its state from redis://10.0.0.5:6379.', 'This node has its state from Redis.'],
  [
    'restore',
    '3 partitions (2 lost and 1 diverged) will be written to redis://10.0.0.5:6379 from this node.',
    'Redis has its state from this node.',
  ],
])('zaslon record %s', (word, plan, done) => {
  it('says what will happen, asks, and does it', async () => {
    const { code, out, err, decided } = await record([word], LOST, { isAsked: true, stdin: `${word}\n` })
    expect(code).toBe(0)
    expect(err).toContain('65 partitions: 61 following, 1 away, 2 lost and 1 diverged.\n')
    expect(err).toContain(plan)
    expect(err).toContain(`Type ${word} to go on: `)
    expect(decided).toEqual([`/v1/record/${word}`])
    expect(out).toContain(done)
    expect(out).toContain('state     following')
  })

  it.each(['y\n', '\n', '', `${word}s\n`, 'x'.repeat(5_000)])('does nothing on the answer %j', async (stdin) => {
    const { code, err, decided } = await record([word], LOST, { isAsked: true, stdin })
    expect(code).toBe(EXIT.failed)
    expect(err).toContain('Not confirmed: nothing was changed.')
    expect(decided).toEqual([])
  })

  it('needs --yes where nobody can be asked', async () => {
    const { code, err, decided } = await record([word], LOST, { stdin: `${word}\n` })
    expect(code).toBe(EXIT.usage)
    expect(err).toContain('--yes')
    expect(decided).toEqual([])
  })

  it('does not ask with --yes, but says what will happen', async () => {
    const { code, err, decided } = await record([word, '--yes'], LOST)
    expect(code).toBe(0)
    expect(err).toContain(plan)
    expect(decided).toEqual([`/v1/record/${word}`])
  })

  it('prints JSON alone with --json, which asks nobody', async () => {
    const asked = await record([word, '--json'], LOST, { isAsked: true, stdin: `${word}\n` })
    expect(asked).toMatchObject({ code: EXIT.usage, decided: [] })
    await service.close()
    const { out, err } = await record([word, '--json', '--yes'], LOST)
    expect(JSON.parse(out)).toEqual(WELL)
    expect(err).toBe('')
  })

  it('is refused by a node that is its own record, unasked', async () => {
    const { code, err, decided } = await record([word, '--yes'], { kind: 'embedded' })
    expect(code).toBe(EXIT.refused)
    expect(err).toContain('its own record')
    expect(decided).toEqual([])
  })
})

const AWAY = {
  ...WELL,
  state: 'away',
  partitions: { away: 65 },
  problem: { code: 'UNAVAILABLE', detail: 'redis://10.0.0.5:6379 is not connected.' },
}

describe.each(['accept', 'restore'])('zaslon record %s', (word) => {
  it('refuses at once when the node does not reach Redis', async () => {
    const { code, out, err, decided } = await record([word, '--yes'], AWAY)
    expect([code, out, decided]).toEqual([EXIT.failed, '', []])
    expect(err).toContain('Redis cannot be reached: nothing was changed. redis://10.0.0.5:6379 is not connected.')
    expect(err).toContain('hint: Bring Redis or the network to it back')
  })

  it.each([[], ['--json']])('ends with an error when the node does not follow afterwards %j', async (...options) => {
    const { code, out } = await record([word, '--yes', ...options], LOST, {}, AWAY)
    expect(code).toBe(EXIT.failed)
    expect(out).not.toContain('has its state from')
    if (options.length === 0) expect(out).toContain('This node does not follow the record in Redis yet: 65 away.\n')
    else expect(JSON.parse(out)).toEqual(AWAY)
  })
})

describe('zaslon record restore', () => {
  it('asks when it is not known what some partitions will be', async () => {
    const some = { ...AWAY, partitions: { following: 60, away: 5 } }
    expect(await record(['restore'], some)).toMatchObject({ code: EXIT.usage, decided: [] })
  })

  it('replaces another record in Redis when told so, and says what that costs', async () => {
    const foreign = { ...LOST, problem: { code: 'RECORD_FOREIGN', detail: 'Redis holds another record.' } }
    const { code, err } = await record(['restore', '--replace-record', '--yes'], foreign)
    expect(code).toBe(0)
    expect(err).toContain('Another record in Redis is removed with everything written to it.')
    expect(service.seen.find(({ method }) => method === 'POST')).toMatchObject({
      path: '/v1/record/restore',
      query: 'replace=true',
    })
  })

  it('writes only contents of lists, without asking, for a record that is well', async () => {
    const { code, err, decided } = await record(['restore'], WELL)
    expect([code, decided]).toEqual([0, ['/v1/record/restore']])
    expect(err).toContain('only contents of lists that Redis misses')
  })
})

describe('zaslon doctor', () => {
  it.each([
    ['ready', [], 'ok', ': ready'],
    ['degraded', ['Redis does not answer: the state here is 6 s old.'], 'warn', ': degraded. Redis does not answer: '],
  ])('finds a service that is %s', async (status, reasons, found, text) => {
    service = await startFakeService({ 'GET /health/ready': { body: { status, reasons } } })
    const options = { adminUrl: service.url, verdictUrl: service.url, timeoutMs: 1_000 }
    const client = createServiceClient(options, { signal: new AbortController().signal })
    const { finding } = await checkHealth(client, 'control')
    expect(finding.status).toBe(found)
    expect(finding.detail).toContain(text)
  })

  it.each([
    [200, { some: 'thing' }],
    [404, 'Not Found'],
  ])('does not take an answer of something else (%s) for one', async (status, body) => {
    service = await startFakeService({ 'GET /health/ready': { status, body } })
    const options = { adminUrl: service.url, verdictUrl: service.url, timeoutMs: 1_000 }
    const client = createServiceClient(options, { signal: new AbortController().signal })
    const { finding, isRunning } = await checkHealth(client, 'control')
    expect(isRunning).toBe(false)
    expect(finding.status).toBe('fail')
    expect(finding.detail).toContain(`something else answers there, ${status}`)
    expect(finding.detail).toContain(String(process.pid))
  })
})
