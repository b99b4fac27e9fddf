import { openListContents } from '../../src/stores/lmdb/list-contents.ts'
import { openRecordStore } from '../../src/stores/lmdb/record-store.ts'
import { openVerdictStore } from '../../src/stores/lmdb/verdict-store.ts'
import { createMemoryStore } from '../../src/stores/memory/memory-store.ts'
import { temporaryDirectory } from '../fixtures/temporary-directory.ts'
import { listContentsContract } from './list-contents.contract.ts'

listContentsContract('memory', async () => {
  const { contents, lookup, close } = createMemoryStore()
  return { contents, lookup, close }
})

listContentsContract('lmdb', async () => {
  const directory = temporaryDirectory()
  const records = await openRecordStore({ directory })
  const contents = openListContents({ directory, readOnly: false })
  const verdicts = await openVerdictStore({ directory })
  const close = async () => {
    await verdicts.close()
    await contents.close()
    await records.close()
  }
  return { contents, lookup: verdicts.lookup, close }
})
