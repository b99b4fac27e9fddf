import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { hasRedis, type RedisServer, startRedis } from '../support/redis.ts'
import { type RunningService, runService } from '../support/run-service.ts'

let root: string
let redis: RedisServer
const nodes = new Map<string, RunningService>()

async function start(name: string): Promise<RunningService> {
  const key = name === 'a' ? {} : { ZASLON_PSEUDONYM_KEY_FILE: path.join(root, 'a', 'pseudonym.key') }
  const node = await runService({
    dataDirectory: path.join(root, name),
    waitMs: 60_000,
    environment: { ZASLON_REDIS_URL: redis.url, ...key },
  })
  nodes.set(name, node)
  return node
}

async function stop(name: string): Promise<void> {
  await nodes.get(name)?.stop()
  nodes.delete(name)
}

async function ask(node: RunningService, method: string, at: string, body?: string | object) {
  const isText = typeof body === 'string'
  const content = body === undefined ? {} : { body: isText ? body : JSON.stringify(body) }
  const headers = body === undefined ? {} : { 'content-type': isText ? 'text/csv' : 'application/json' }
  const response = await fetch(node.adminUrl + at, { method, headers, ...content })
  return { status: response.status, body: JSON.parse(await response.text()) }
}

async function until(isSo: () => Promise<boolean>, waitMs = 20_000): Promise<void> {
  for (const giveUpMs = Date.now() + waitMs; !(await isSo()); await sleep(30)) {
    if (Date.now() > giveUpMs) throw new Error(`Not so after ${waitMs} ms: ${isSo}`)
  }
}

async function verdictOf(node: RunningService, caller: string): Promise<string> {
  const query = new URLSearchParams({ caller, callee: '+79031112233' })
  const response = await fetch(`${node.verdictUrl}/v1/verdict?${query}`)
  return ((await response.json()) as { decision: string }).decision
}

const LISTED = '+79210000001'

/** A list of 3,000 numbers that is in force on the node. */
async function importTo(node: RunningService): Promise<void> {
  // A busy Redis may refuse a write (503): nothing is done then, and asking again is right.
  await until(async () => (await ask(node, 'PUT', '/v1/lists/black', { kind: 'deny' })).status !== 503)
  redis.cli('save')
  const rows = Array.from({ length: 3_000 }, (_, index) => `+7921${String(index).padStart(7, '0')}`).join('\n')
  await ask(node, 'POST', '/v1/lists/black/imports?mode=replace', rows)
  await until(async () => (await verdictOf(node, LISTED)) === 'block')
}

describe.skipIf(!hasRedis)('an import that Redis has lost with its contents', () => {
  beforeEach(async () => {
    root = mkdtempSync(path.join(os.tmpdir(), 'zaslon-lost-'))
    redis = await startRedis()
  })
  afterEach(async () => {
    await Promise.all([...nodes.keys()].map(stop))
    await redis.close()
    rmSync(root, { recursive: true, force: true })
  }, 60_000)

  it('reaches a node that was down, and a new one', async () => {
    const a = await start('a')
    await start('b')
    await stop('b')
    await importTo(a)
    await redis.kill()
    await redis.restart()
    const b = await start('b')
    await until(async () => (await verdictOf(b, LISTED)) === 'block')
    const c = await start('c')
    await until(async () => (await verdictOf(c, LISTED)) === 'block')
    for (const node of [a, b, c])
      expect((await ask(node, 'GET', '/v1/record')).body).toMatchObject({ state: 'following' })
  }, 120_000)

  it('keeps its contents while it waits to be offered again, also over a restart', async () => {
    await importTo(await start('a'))
    await redis.kill()
    await redis.restart()
    redis.cli('config', 'set', 'maxmemory', '1')
    const waits = async () => (await ask(nodes.get('a')!, 'GET', '/v1/record')).body.outbox.facts > 0
    await until(waits)
    await stop('a')
    await redis.kill()
    const a = await start('a')
    await redis.restart()
    await until(async () => (await verdictOf(a, LISTED)) === 'block' && !(await waits()))
  }, 120_000)
})
