import { randomBytes } from 'node:crypto'
import { openRecordStore } from '../../src/stores/lmdb/record-store.ts'
import { createMemoryStore } from '../../src/stores/memory/memory-store.ts'
import { temporaryDirectory } from '../fixtures/temporary-directory.ts'
import { openRecordNode } from '../support/redis-node.ts'
import { createSimulatedRecord } from '../support/simulated-streams.ts'
import { recordStoreContract } from './record-store.contract.ts'

recordStoreContract('memory', async ({ now = Date.now, ...options } = {}) => createMemoryStore(options, { now }))

recordStoreContract('lmdb', ({ now = Date.now, ...options } = {}) =>
  openRecordStore({ directory: temporaryDirectory(), ...options }, { now }),
)

recordStoreContract('redis record, simulated', async ({ now = Date.now, ...options } = {}) => {
  const { store } = await openRecordNode({
    streams: createSimulatedRecord().connect(),
    newFactId: () => randomBytes(16).toString('hex'),
    now,
    ...options,
  })
  await store.follower.caughtUp()
  return store
})
