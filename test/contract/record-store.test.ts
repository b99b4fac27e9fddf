import { afterAll, afterEach, beforeAll, describe } from 'vitest'
import { openRecordStore } from '../../src/stores/lmdb/record-store.ts'
import { createMemoryStore } from '../../src/stores/memory/memory-store.ts'
import { connectRedis } from '../../src/stores/redis/connect-redis.ts'
import { createFactStreams } from '../../src/stores/redis/fact-streams-redis.ts'
import { RECORD_KEY } from '../../src/stores/redis/keys.ts'
import { openRecord } from '../../src/stores/redis/open-record.ts'
import { temporaryDirectory } from '../fixtures/temporary-directory.ts'
import { hasRedis, startRedis, startRedisCluster } from '../support/redis.ts'
import { openRecordNode } from '../support/redis-node.ts'
import { newFactId, PSEUDONYM_CHECK } from '../support/redis-record.ts'
import { createSimulatedRecord } from '../support/simulated-streams.ts'
import { recordStoreContract } from './record-store.contract.ts'

recordStoreContract('memory', async ({ now = Date.now, ...options } = {}) => createMemoryStore(options, { now }))

recordStoreContract('lmdb', ({ now = Date.now, ...options } = {}) =>
  openRecordStore({ directory: temporaryDirectory(), ...options }, { now }),
)

recordStoreContract('redis record, simulated', async ({ now = Date.now, ...options } = {}) => {
  const { store } = await openRecordNode({
    streams: createSimulatedRecord().connect(),
    newFactId,
    now,
    ...options,
  })
  await store.follower.caughtUp()
  return store
})

describe.skipIf(!hasRedis).each([
  ['redis', () => startRedis()],
  ['redis cluster', () => startRedisCluster()],
] as const)('%s', (name, start) => {
  let server: { readonly url: string; close(): Promise<void> }
  const links: { close(): void }[] = []
  beforeAll(async () => {
    server = await start()
  }, 60_000)
  afterAll(() => server.close())
  afterEach(() => {
    for (const link of links.splice(0)) link.close()
  })

  recordStoreContract(name, async ({ now = Date.now, ...options } = {}) => {
    // Each test has a record of its own: the one before is moved out of the way by its name.
    const { link } = await connectRedis({ url: server.url })
    links.push(link)
    await link.client.del(RECORD_KEY)
    const { recordId } = await openRecord(link, { pseudonymCheck: PSEUDONYM_CHECK, mayCreate: true })
    const streams = createFactStreams(link, recordId)
    const { store } = await openRecordNode({ streams, newFactId, now, ...options })
    await store.follower.caughtUp()
    return store
  })
})
