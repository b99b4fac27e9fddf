import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hasRedis, type RedisServer, startRedis } from '../support/redis.ts'
import { type RunningService, type RunOptions, runService } from '../support/run-service.ts'

/** Two whole services that share a record through one Redis, as the quick start in the README has them. */
const root = mkdtempSync(path.join(os.tmpdir(), 'zaslon-nodes-'))
let redis: RedisServer
let a: RunningService
let b: RunningService

function startNode(name: string, options: RunOptions = {}): Promise<RunningService> {
  return runService({
    dataDirectory: path.join(root, name),
    waitMs: 60_000,
    ...options,
    environment: {
      ZASLON_REDIS_URL: redis.url,
      ...(name === 'a' ? {} : { ZASLON_PSEUDONYM_KEY_FILE: path.join(root, 'a', 'pseudonym.key') }),
      ...options.environment,
    },
  })
}

async function ask(node: RunningService, method: string, at: string, body?: unknown) {
  const response = await fetch(node.adminUrl + at, {
    method,
    ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  })
  const text = await response.text()
  return { status: response.status, body: text === '' ? undefined : JSON.parse(text) }
}

/** A write that a busy Redis refuses (503, nothing done) is asked again, as its Retry-After says. */
async function write(node: RunningService, method: string, at: string, body: unknown): Promise<void> {
  await until(async () => {
    const { status } = await ask(node, method, at, body)
    if (status !== 503) expect(status).toBeLessThan(300)
    return status !== 503
  })
}

async function verdictOf(node: RunningService, caller: string, callee = '+79031112233'): Promise<string> {
  const query = new URLSearchParams({ caller, callee })
  const response = await fetch(`${node.verdictUrl}/v1/verdict?${query}`)
  return ((await response.json()) as { decision: string }).decision
}

async function until(isSo: () => Promise<boolean> | boolean, waitMs = 20_000): Promise<void> {
  for (const giveUpMs = Date.now() + waitMs; !(await isSo()); await sleep(20)) {
    if (Date.now() > giveUpMs) throw new Error(`Not so after ${waitMs} ms: ${isSo}\n${a.output()}\n${b.output()}`)
  }
}

let reporters = 0
const report = (node: RunningService, number: string) =>
  ask(node, 'POST', '/v1/reports', { number, channel: 'hotline', scenario: 'bank', reporter: `who-${++reporters}` })

async function reportUntilBlocked(node: RunningService, number: string): Promise<void> {
  for (let count = 0; count < 5; count++) expect((await report(node, number)).status).toBe(202)
}

describe.skipIf(!hasRedis)('two nodes on one Redis', () => {
  beforeAll(async () => {
    redis = await startRedis()
    a = await startNode('a')
    b = await startNode('b')
  }, 120_000)

  afterAll(async () => {
    await Promise.all([a?.stop(), b?.stop()])
    await redis?.close()
    rmSync(root, { recursive: true, force: true })
  })

  it('block on one what was reported on the other', async () => {
    await reportUntilBlocked(a, '+79160000011')
    await until(async () => (await verdictOf(b, '+79160000011')) === 'block')
    const [here, there] = await Promise.all([a, b].map((node) => ask(node, 'GET', '/v1/numbers/+79160000011')))
    expect(there?.body.reputation).toEqual(here?.body.reputation)
    expect(there?.body.reports).toEqual(here?.body.reports)
  })

  it('have the same lists, contents and history', async () => {
    await write(b, 'PUT', '/v1/lists/black', { kind: 'deny' })
    const rows = Array.from({ length: 5_000 }, (_, index) => `+7921${String(index).padStart(7, '0')}`)
    const begun = await fetch(`${b.adminUrl}/v1/lists/black/imports?mode=replace`, {
      method: 'POST',
      headers: { 'content-type': 'text/csv' },
      body: rows.join('\n'),
    })
    expect(begun.status).toBe(202)
    await until(async () => (await verdictOf(a, '+79210004999')) === 'block')
    await write(a, 'POST', '/v1/lists/black/entries', { entries: [{ number: '+79990000001' }] })
    await until(async () => (await verdictOf(b, '+79990000001')) === 'block')
    const [here, there] = await Promise.all([a, b].map((node) => ask(node, 'GET', '/v1/lists/black')))
    expect(there?.body).toEqual(here?.body)
    expect(here?.body.entries).toBe(5_001)
    // An older version comes back on the node that never wrote it.
    await write(a, 'POST', '/v1/lists/black/restore', { version: 1 })
    await until(async () => (await verdictOf(b, '+79990000001')) === 'allow')
  })

  it('both see the whole of a caller who calls through both', async () => {
    const caller = '+79070100001'
    const callees = (from: number) => Array.from({ length: 20 }, (_, i) => `+7916${from + i * 7}`)
    for (const [node, from] of [[a, 1_000_000] as const, [b, 2_000_000] as const]) {
      for (const callee of callees(from)) await verdictOf(node, caller, callee)
    }
    const seenBy = async (node: RunningService) => {
      const { activity } = (await ask(node, 'GET', `/v1/numbers/${caller}`)).body
      return Object.values(activity?.outgoing ?? {}).map((view) => (view as { others60: number }).others60)
    }
    await until(async () => (await seenBy(a))[0] === 40 && (await seenBy(b))[0] === 40)
  })

  it('go on without Redis, queue reports, and have them when it is back', async () => {
    await redis.kill()
    const queued = await Promise.all([1, 2, 3, 4, 5].map(() => report(a, '+79160000012')))
    expect(queued.map(({ status, body }) => [status, body.state])).toEqual(queued.map(() => [202, 'queued']))
    const refused = await ask(a, 'PUT', '/v1/lists/other', { kind: 'deny' })
    expect([refused.status, refused.body.code]).toEqual([503, 'UNAVAILABLE'])
    for (const node of [a, b]) expect(await verdictOf(node, '+79160000011')).toBe('block')
    // A node that starts now has its last good state.
    await b.stop()
    b = await startNode('b', { adminPort: b.adminPort, verdictPort: b.verdictPort })
    expect(await verdictOf(b, '+79160000011')).toBe('block')
    const ready = (await (await fetch(`${b.verdictUrl}/health/ready`)).json()) as { stateAgeMs: number }
    expect(ready.stateAgeMs).toBeGreaterThan(500)
    expect(ready.stateAgeMs).toBeLessThan(120_000)
    const { verdictProcesses } = (await ask(b, 'GET', '/health/ready')).body
    expect(Date.now() - Date.parse(verdictProcesses[0].freshAt)).toBeLessThan(120_000)
  })

  it('keep their state when Redis comes back empty, until somebody decides', async () => {
    // Without a snapshot and without AOF, as this server runs, a restart is an empty Redis.
    await redis.restart()
    await until(async () => (await ask(a, 'GET', '/v1/record')).body.state === 'lost')
    for (const node of [a, b]) expect(await verdictOf(node, '+79160000011')).toBe('block')
    expect((await report(b, '+79160000013')).body.state).toBe('queued')
    const restored = await ask(a, 'POST', '/v1/record/restore')
    expect(restored).toMatchObject({ status: 200 })
    await until(async () => (await ask(a, 'GET', '/v1/record')).body.state === 'following')
    await until(async () => (await ask(b, 'GET', '/v1/record')).body.state === 'diverged')
    expect((await ask(b, 'POST', '/v1/record/accept')).status).toBe(200)
    await until(async () => (await ask(b, 'GET', '/v1/record')).body.state === 'following')
    for (const node of [a, b]) {
      await until(async () => (await verdictOf(node, '+79160000012')) === 'block')
      await until(async () => (await ask(node, 'GET', '/v1/record')).body.outbox.facts === 0)
      expect(await verdictOf(node, '+79160000011')).toBe('block')
      expect(await verdictOf(node, '+79210004999')).toBe('block')
    }
    // Out of the outbox means in the record; the other node reads it there a moment later.
    await until(async () => (await ask(a, 'GET', '/v1/numbers/+79160000013')).body.reports.length === 1)
  }, 60_000)
})
