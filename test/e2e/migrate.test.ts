import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RedisServer, startRedis } from '../support/redis.ts'
import { type RunningService, runService } from '../support/run-service.ts'

const root = mkdtempSync(path.join(os.tmpdir(), 'zaslon-migrate-'))
const main = path.resolve(import.meta.dirname, '../../dist/src/cli/main.js')
const at = (name: string) => path.join(root, name)
let redis: RedisServer

const migrate = (name: string, ...args: string[]) =>
  migrateWith({ ZASLON_REDIS_URL: redis.url, ZASLON_PSEUDONYM_KEY_FILE: keyOf('a') }, name, ...args)

const keyOf = (name: string) => path.join(at(name), 'pseudonym.key')

function migrateWith(
  environment: Record<string, string>,
  name: string,
  ...args: string[]
): { status: number; text: string } {
  const env = { ...process.env, ZASLON_DATA_DIR: at(name), ...environment }
  try {
    const text = execFileSync(process.execPath, [main, 'migrate', ...args], { env, encoding: 'utf8', stdio: 'pipe' })
    return { status: 0, text }
  } catch (error) {
    const { status, stderr } = error as { status: number; stderr: string }
    return { status, text: stderr }
  }
}

const embedded = (name: string) => runService({ dataDirectory: at(name) })
const shared = (name: string) =>
  runService({
    dataDirectory: at(name),
    environment: {
      ZASLON_REDIS_URL: redis.url,
      ZASLON_PSEUDONYM_KEY_FILE: path.join(at('a'), 'pseudonym.key'),
    },
  })

async function post(node: RunningService, route: string, body: unknown): Promise<number> {
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(node.adminUrl + route, { method: 'POST', headers, body: JSON.stringify(body) })
  await response.arrayBuffer()
  return response.status
}

const REPORT = { channel: 'hotline', scenario: 'bank', reporter: 'who' }

async function answerTo(node: RunningService, report: object): Promise<unknown> {
  const headers = { 'content-type': 'application/json' }
  return (await fetch(`${node.adminUrl}/v1/reports`, { method: 'POST', headers, body: JSON.stringify(report) })).json()
}

async function putList(node: RunningService, name: string): Promise<void> {
  const headers = { 'content-type': 'application/json' }
  const put = () => fetch(`${node.adminUrl}/v1/lists/${name}`, { method: 'PUT', headers, body: '{"kind":"deny"}' })
  await expect.poll(async () => (await put()).ok, { timeout: 10_000 }).toBe(true)
}

async function decisionOn(node: RunningService, caller: string): Promise<string> {
  const query = new URLSearchParams({ caller, callee: '+79031112233' })
  return ((await (await fetch(`${node.verdictUrl}/v1/verdict?${query}`)).json()) as { decision: string }).decision
}

/** Again while Redis is too slow for a write: machines in tests are. */
async function posted(node: RunningService, route: string, body: unknown, status = 200): Promise<void> {
  await expect.poll(() => post(node, route, body), { timeout: 10_000 }).toBe(status)
}

async function bodyOf(node: RunningService, route: string): Promise<Record<string, unknown>> {
  return (await (await fetch(node.adminUrl + route)).json()) as Record<string, unknown>
}

/** What a node knows, without what is its own (change numbers). */
async function contentOf(node: RunningService) {
  const number = await bodyOf(node, '/v1/numbers/+79160000021')
  return {
    list: await bodyOf(node, '/v1/lists/black'),
    reports: number.reports,
    reputation: number.reputation,
    policy: (await bodyOf(node, '/v1/policy')).version,
  }
}

beforeAll(async () => {
  redis = await startRedis()
}, 30_000)

afterAll(async () => {
  await redis?.close()
  rmSync(root, { recursive: true, force: true })
})

describe('zaslon migrate', () => {
  it('takes a record into Redis, where others join it, and out of it again', async () => {
    let node = await embedded('a')
    for (let reporter = 0; reporter < 5; reporter++) {
      const report = { number: '+79160000021', channel: 'hotline', scenario: 'bank', reporter: `who-${reporter}` }
      expect(await post(node, '/v1/reports', report)).toBe(202)
    }
    await putList(node, 'black')
    expect(await post(node, '/v1/lists/black/entries', { entries: [{ number: '+79990000021' }] })).toBe(200)
    const before = await contentOf(node)
    expect(migrate('a', 'to-redis')).toMatchObject({
      status: expect.any(Number),
      text: expect.stringMatching(/in use|process/),
    })
    await node.stop()

    expect(migrate('a', 'to-redis').text).toContain('The record is in Redis now')
    expect(migrate('a', 'to-redis')).toMatchObject({ status: 1, text: expect.stringContaining('joined') })
    await expect(embedded('a')).rejects.toThrow('zaslon migrate to-embedded')
    node = await shared('a')
    const other = await shared('b')
    for (const each of [node, other]) {
      expect(await decisionOn(each, '+79160000021')).toBe('block')
      expect(await decisionOn(each, '+79990000021')).toBe('block')
    }
    expect(await contentOf(node)).toEqual(before)
    expect(await contentOf(other)).toEqual(before)
    expect(await post(other, '/v1/lists/black/entries', { entries: [{ number: '+79990000022' }] })).toBe(200)
    for (const giveUpMs = Date.now() + 10_000; (await decisionOn(node, '+79990000022')) !== 'block'; await sleep(20)) {
      expect(Date.now()).toBeLessThan(giveUpMs)
    }
    await Promise.all([node.stop(), other.stop()])

    // Reporters would count once more under another key.
    const withoutKey = migrateWith({ ZASLON_REDIS_URL: redis.url }, 'b', 'to-embedded')
    expect(withoutKey).toMatchObject({ status: 1, text: expect.stringContaining('ZASLON_PSEUDONYM_KEY_FILE') })
    expect(existsSync(keyOf('b'))).toBe(false)
    writeFileSync(at('other.key'), 'ab'.repeat(32))
    const otherKey = { ZASLON_REDIS_URL: redis.url, ZASLON_PSEUDONYM_KEY_FILE: at('other.key') }
    for (const how of [[], ['--offline']]) {
      expect(migrateWith(otherKey, 'b', 'to-embedded', ...how).text).toContain('another pseudonym key')
    }
    expect(migrate('b', 'to-embedded').text).toContain('its own record now')
    node = await embedded('b')
    expect(readFileSync(keyOf('b'), 'utf8')).toBe(readFileSync(keyOf('a'), 'utf8'))
    const again = { number: '+79160000021', channel: 'hotline', scenario: 'bank', reporter: 'who-1' }
    expect(await answerTo(node, again)).toMatchObject({ duplicate: true })
    expect(await decisionOn(node, '+79990000022')).toBe('block')
    // A new layer takes no other's place.
    expect(await post(node, '/v1/lists/black/entries', { entries: [{ number: '+79990000023' }] })).toBe(200)
    for (const caller of ['+79160000021', '+79990000021', '+79990000022', '+79990000023']) {
      expect([caller, await decisionOn(node, caller)]).toEqual([caller, 'block'])
    }
    await node.stop()
  }, 120_000)

  it('puts the record of a stopped node in the place of one that began in an emptied Redis, and only when told so', async () => {
    redis.cli('flushall')
    const first = await shared('x')
    await posted(first, '/v1/reports', { ...REPORT, number: '+79160000031' }, 202)
    await putList(first, 'black')
    await posted(first, '/v1/lists/black/entries', { entries: [{ number: '+79990000031' }] })
    const second = await shared('y')
    await first.stop()
    await second.stop()
    redis.cli('flushall')
    const fresh = await runService({ dataDirectory: at('z'), environment: { ZASLON_REDIS_URL: redis.url } })
    await putList(fresh, 'theirs')
    await posted(fresh, '/v1/lists/theirs/entries', { entries: [{ number: '+79990000032' }] })
    const { recordId: theirs } = await bodyOf(fresh, '/v1/record')
    await fresh.stop()

    await expect(shared('x')).rejects.toThrow('zaslon migrate to-redis --replace-record')
    expect(migrate('x', 'to-redis', '--replace-record')).toMatchObject({ text: expect.stringContaining('Add --yes') })
    expect(redis.cli('keys', `*${theirs}*`)).not.toBe('')
    expect(migrate('z', 'to-redis', '--replace-record', '--yes')).toMatchObject({ status: 1 })
    expect(migrate('x', 'to-redis', '--replace-record', '--yes')).toEqual({
      status: 0,
      text: expect.stringContaining('The record is in Redis now'),
    })
    // Ids of facts expire by themselves.
    const left = redis.cli('keys', `*${theirs}*`).split('\n')
    expect(left.filter((key) => key !== '' && !key.includes(':ids:'))).toEqual([])
    expect(migrate('x', 'to-redis', '--replace-record', '--yes')).toMatchObject({
      status: 1,
      text: expect.stringContaining('no other record'),
    })

    const nodes = [await shared('x'), await shared('y')] as const
    const stateOf = async (node: RunningService) => (await bodyOf(node, '/v1/record')).state
    await expect.poll(() => stateOf(nodes[0]), { timeout: 10_000 }).toBe('following')
    await expect.poll(() => stateOf(nodes[1]), { timeout: 10_000 }).toBe('diverged')
    await posted(nodes[1], '/v1/record/accept', {})
    for (const node of nodes) {
      expect(await stateOf(node)).toBe('following')
      expect(await decisionOn(node, '+79990000031')).toBe('block')
      expect((await bodyOf(node, '/v1/numbers/+79160000031')).reports).toHaveLength(1)
      await node.stop()
    }
  }, 180_000)

  it('says that it needs a Redis', () => {
    const { status, text } = migrateWith({ ZASLON_REDIS_URL: '' }, 'n', 'to-redis')
    expect([status, text]).toEqual([2, expect.stringContaining('ZASLON_REDIS_URL is not set')])
  })

  it('refuses a Redis that holds a record, and leaves the directory as it is', async () => {
    const node = await embedded('c')
    await node.stop()
    expect(migrate('c', 'to-redis')).toMatchObject({
      status: 1,
      text: expect.stringContaining('holds a record already'),
    })
    await (await embedded('c')).stop()
    expect(migrate('c', 'to-embedded')).toMatchObject({ status: 1 })
  }, 60_000)
})
