import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { openListContents } from '../../../src/stores/lmdb/list-contents.ts'
import { openActivityChannel } from '../../../src/stores/redis/activity-channel.ts'
import { connectRedis } from '../../../src/stores/redis/connect-redis.ts'
import { START } from '../../../src/stores/redis/fact-streams.ts'
import { createFactStreams } from '../../../src/stores/redis/fact-streams-redis.ts'
import { partitionKeys } from '../../../src/stores/redis/keys.ts'
import { openLayerStore } from '../../../src/stores/redis/open-layer-store.ts'
import { openRecord } from '../../../src/stores/redis/open-record.ts'
import { restorePartition } from '../../../src/stores/redis/restore-partition.ts'
import { numbersOnly } from '../../contract/list-contents.contract.ts'
import { temporaryDirectory } from '../../fixtures/temporary-directory.ts'
import { hasRedis, type RedisServer, startRedis, startRedisCluster } from '../../support/redis.ts'
import { countedLayers, openRecordNode } from '../../support/redis-node.ts'
import { newFactId, PSEUDONYM_CHECK, readToEnd, refusalOf, untilDone } from '../../support/redis-record.ts'

const PASSWORD = 'secret-of-the-test'
const FREELY = { check() {}, report() {} }
/** The line of the operator's manual, word for word. */
const LINE = /^ACL SETUSER .*$/m.exec(readFileSync('docs/OPERATIONS.md', 'utf8'))?.[0] ?? ''
const WORDS = LINE.replace('PASSWORD', PASSWORD).split(' ')
/** What only a moment of a cluster needs, which this test does not bring about: slots that move. */
const RARE = ['asking']

describe.skipIf(!hasRedis).each(['single', 'cluster'] as const)('a user with the documented rights (%s)', (kind) => {
  let servers: readonly RedisServer[]
  let url: string
  let close: () => Promise<void>
  beforeAll(async () => {
    const started = kind === 'single' ? await startRedis() : await startRedisCluster({ nodeTimeoutMs: 5_000 })
    servers = 'servers' in started ? started.servers : [started]
    close = () => started.close()
    for (const server of servers) {
      expect(server.cli(...WORDS)).toBe('OK')
      server.cli('config', 'resetstat')
      server.cli('acl', 'log', 'reset')
    }
    url = started.url.replaceAll('redis://', `redis://${WORDS[2]}:${PASSWORD}@`)
  })
  afterAll(() => close?.())

  it('lives the whole life of a node, and has no right it does not need', async () => {
    const settings = { url, ackReplicas: kind === 'single' ? 0 : 1 }
    const { link, probe } = await connectRedis(settings)
    expect(probe).toMatchObject({ kind })
    const { recordId } = await untilDone(() => openRecord(link, { pseudonymCheck: PSEUDONYM_CHECK, mayCreate: true }))
    const record = createFactStreams(link, recordId)
    await liveByFacts(record)
    // As after a failover: the history goes on in a new epoch.
    const before = await untilDone(() => record.touch(9))
    await link.client.hset(partitionKeys(recordId, 9).head, 'server', 'another')
    expect((await untilDone(() => record.touch(9))).epoch).toBeGreaterThan(before.epoch)
    const lost = { epoch: before.epoch, sequence: before.sequence + 5 }
    expect((await refusalOf(untilDone(() => record.read(9, lost, { limit: 10, isBulk: false })))).code).toBe(
      'RECORD_DIVERGED',
    )
    await shareLayer(settings, recordId)
    await restore(recordId, link, record)
    await tellNodes(settings, recordId)
    const publication = { position: { epoch: 5, sequence: 9 }, reports: 3, score: 41, record: Buffer.from([1, 2]) }
    expect(await untilDone(() => record.publishReputation(3, 79_001_234_567, publication))).toBe(true)
    link.close()
    for (const server of servers) expect(server.cli('acl', 'log')).toBe('')
    const used = new Set(
      servers.flatMap((server) =>
        [...server.cli('info', 'commandstats').matchAll(/^cmdstat_(\S+?):/gm)].map(([, name]) => name),
      ),
    )
    const granted = WORDS.filter((word) => word.startsWith('+')).map((word) => word.slice(1))
    const spare = granted.filter((name) => !used.has(name) && !RARE.includes(name))
    expect(spare.filter((name) => kind === 'cluster' || !/^(?:cluster\|.*|wait|readonly)$/.test(name))).toEqual([])
  })

  async function liveByFacts(record: ReturnType<typeof createFactStreams>): Promise<void> {
    const payload = Buffer.from('a fact')
    for (let sent = 0; sent < 8_200; sent += 100) {
      const ids = Array.from({ length: 100 }, newFactId)
      await Promise.all(ids.map((id) => untilDone(() => record.append(7, id, payload))))
    }
    expect(await untilDone(() => record.seal(7))).toBe(true)
    expect((await readToEnd(record, 7)).length).toBeGreaterThan(8_200)
    const pages = await untilDone(() =>
      record.readAll(
        Array.from({ length: 65 }, () => START),
        10,
      ),
    )
    expect(pages.find((page) => page instanceof Error)).toBeUndefined()
    expect((await untilDone(() => record.touch(7))).oldest).toBe(4_097)
    expect(await untilDone(() => record.allocateLayer(0))).toBeGreaterThan(0)
  }

  async function shareLayer(redis: { url: string }, recordId: string): Promise<void> {
    const [here, there] = [1, 2].map(() => openListContents({ directory: temporaryDirectory(), readOnly: false }))
    const given = numbersOnly([79_000_000_000, 79_000_000_001])
    here!.putLayer(1, given, { stamp: 9 })
    const layer = { layerId: 1, numberCount: 2, rangeCount: 0, stamp: 9 }
    const store = openLayerStore({ redis, kind, recordId }, { random: Math.random })
    expect(await store.push(layer, here!, FREELY)).toBe('pushed')
    expect(await store.push(layer, here!, FREELY)).toBe('present')
    expect(await store.fetch(layer, there!, FREELY)).toBe('fetched')
    expect(await store.sweep(new Set(), -1)).toBe(1)
    await store.close()
    for (const contents of [here, there]) await contents!.close()
  }

  async function tellNodes(redis: { url: string }, recordId: string): Promise<void> {
    const heard: string[] = []
    const channel = openActivityChannel(
      { redis, kind, recordId },
      {
        onMessage: (message) => heard.push(Buffer.from(message).toString()),
        onFault(error) {
          throw error
        },
      },
    )
    await vi.waitFor(() => {
      channel.publish(Buffer.from('busy'))
      expect(heard).toContain('busy')
    }, 10_000)
    channel.close()
  }

  async function restore(
    recordId: string,
    link: Parameters<typeof createFactStreams>[0],
    streams: ReturnType<typeof createFactStreams>,
  ) {
    const { store, replica } = await openRecordNode({ streams, newFactId })
    const dependencies = { link, streams, replica, layers: countedLayers(), newFactId, now: Date.now }
    const options = { recordId, pseudonymCheck: PSEUDONYM_CHECK }
    await untilDone(() => restorePartition(8, 'admin', options, dependencies))
    await store.close()
  }
})
