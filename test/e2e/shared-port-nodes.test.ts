import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { killAll } from '../faults/lib/node-state.ts'
import { hasRedis, type RedisServer, startRedis } from '../support/redis.ts'
import { freePort, type RunningService, runService, serveAndFail } from '../support/run-service.ts'
import { askVerdict, report } from '../support/service-requests.ts'

/** Two whole services on one machine: own data directories, one record in Redis, one verdict port (docs/OPERATIONS.md). */
const CONNECTIONS = 60
const LANES = 4

const root = mkdtempSync(path.join(os.tmpdir(), 'zaslon-shared-port-'))
let redis: RedisServer
let verdictPort: number
let a: RunningService
let b: RunningService

const environmentOf = (name: string) => ({
  ZASLON_REDIS_URL: redis.url,
  ...(name === 'a' ? {} : { ZASLON_PSEUDONYM_KEY_FILE: path.join(root, 'a', 'pseudonym.key') }),
})

/** The verdict port answers for both: a node is there when it says so itself. */
async function startNode(name: string, adminPort?: number): Promise<RunningService> {
  const node = await runService({
    dataDirectory: path.join(root, name),
    waitMs: 60_000,
    verdictPort,
    ...(adminPort === undefined ? {} : { adminPort }),
    environment: { ...environmentOf(name), ZASLON_VERDICT_SHARE_PORT: 'true' },
  })
  await until(() => node.output().includes('Zaslon is ready'))
  return node
}

async function until(isSo: () => Promise<boolean> | boolean, waitMs = 30_000): Promise<void> {
  for (const giveUpMs = Date.now() + waitMs; !(await isSo()); await sleep(20)) {
    if (Date.now() > giveUpMs) throw new Error(`Not so after ${waitMs} ms: ${isSo}\n${a.output()}\n${b.output()}`)
  }
}

async function reportUntilBlocked(node: RunningService, number: string): Promise<void> {
  for (let count = 1; count <= 5; count++) expect((await report(node, number, `who-${count}`)).accepted).toBe(true)
}

/** What so many new connections are told, without repetition. */
async function verdictsOf(number: string): Promise<string[]> {
  const answers = await Promise.all(Array.from({ length: CONNECTIONS }, () => askVerdict(a, number)))
  return [...new Set(answers.map(({ decision }) => decision))]
}

async function blockedEverywhere(number: string): Promise<void> {
  await until(async () => (await verdictsOf(number)).join() === 'block')
}

/** Calls that the node has decided. */
async function decidedBy(node: RunningService): Promise<number> {
  const text = await (await fetch(`${node.adminUrl}/metrics`)).text()
  const rows = [...text.matchAll(/^zaslon_verdicts_total\{[^}]*\} (\d+)$/gm)]
  return rows.reduce((sum, [, count]) => sum + Number(count), 0)
}

/** Asks on new connections until each of the nodes has decided some. */
async function untilAllDecide(nodes: readonly RunningService[]): Promise<void> {
  const before = await Promise.all(nodes.map(decidedBy))
  await until(async () => {
    await verdictsOf('+79160000099')
    const after = await Promise.all(nodes.map(decidedBy))
    return after.every((count, index) => count > (before[index] ?? 0))
  })
}

/**
 * New connections one after the other, on several lanes, until it is ended: how many were answered, and how many not. One
 * that the kernel resets is tried once more: it was waiting to be taken when its node stopped listening.
 */
function keepAsking() {
  const seen = { answered: 0, unanswered: [] as unknown[] }
  let isOver = false
  const askOnce = () => askVerdict(a, '+79160000099')
  const lane = async () => {
    for (; !isOver; await sleep(2)) {
      await askOnce()
        .catch(askOnce)
        .then(
          () => seen.answered++,
          (error: unknown) => seen.unanswered.push(error),
        )
    }
  }
  const lanes = Promise.all(Array.from({ length: LANES }, lane))
  return {
    async end() {
      isOver = true
      await lanes
      return seen
    },
  }
}

describe.skipIf(!hasRedis)('two nodes on one Redis and one verdict port', () => {
  beforeAll(async () => {
    redis = await startRedis()
    verdictPort = await freePort()
    a = await startNode('a')
    b = await startNode('b')
  }, 120_000)

  afterAll(async () => {
    await Promise.all([a?.stop(), b?.stop()])
    await redis?.close()
    rmSync(root, { recursive: true, force: true })
  })

  it('both take connections, and block on all of them what was reported on one', async () => {
    await untilAllDecide([a, b])
    await reportUntilBlocked(a, '+79160000021')
    await blockedEverywhere('+79160000021')
    await reportUntilBlocked(b, '+79160000022')
    await blockedEverywhere('+79160000022')
  })

  it('go on answering when one is stopped, and share again when it is back', async () => {
    const asking = keepAsking()
    expect(await a.stop()).toBe(0)
    await blockedEverywhere('+79160000021')
    await reportUntilBlocked(b, '+79160000023')
    a = await startNode('a', a.adminPort)
    const { answered, unanswered } = await asking.end()
    expect([unanswered, answered > CONNECTIONS]).toEqual([[], true])
    await untilAllDecide([a, b])
    await blockedEverywhere('+79160000023')
  }, 60_000)

  it('go on answering when one is killed, and share again when it is back', async () => {
    await killAll(b)
    await blockedEverywhere('+79160000021')
    await reportUntilBlocked(a, '+79160000024')
    await blockedEverywhere('+79160000024')
    const asking = keepAsking()
    b = await startNode('b', b.adminPort)
    expect((await asking.end()).unanswered).toEqual([])
    await untilAllDecide([a, b])
    await reportUntilBlocked(b, '+79160000025')
    for (const number of ['+79160000024', '+79160000025']) await blockedEverywhere(number)
  }, 60_000)

  it('refuse a third that does not say that it shares', async () => {
    const { code, output } = serveAndFail({
      ...environmentOf('c'),
      ZASLON_DATA_DIR: path.join(root, 'c'),
      ZASLON_ADMIN_PORT: String(await freePort()),
      ZASLON_VERDICT_PORT: String(verdictPort),
    })
    expect(code).toBe(1)
    expect(output).toContain('PORT_IN_USE')
    expect(output).toContain('verdict.sharePort')
    expect(output).not.toContain('Zaslon is ready')
    await blockedEverywhere('+79160000021')
  }, 60_000)
})
