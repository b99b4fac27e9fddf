import { openRecordStore } from '../../src/stores/lmdb/record-store.ts'
import { createMemoryStore } from '../../src/stores/memory/memory-store.ts'
import { temporaryDirectory } from '../fixtures/temporary-directory.ts'
import { recordStoreContract } from './record-store.contract.ts'

recordStoreContract('memory', async ({ now = Date.now, ...options } = {}) => createMemoryStore(options, { now }))

recordStoreContract('lmdb', ({ now = Date.now, ...options } = {}) =>
  openRecordStore({ directory: temporaryDirectory(), ...options }, { now }),
)
