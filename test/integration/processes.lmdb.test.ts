import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { ENTRY_ABSENT, ENTRY_PRESENT } from '../../src/domain/lookup.ts'
import type { PhoneNumber } from '../../src/domain/phone-number.ts'
import { openListContents } from '../../src/stores/lmdb/list-contents.ts'
import { LOCK_FILE } from '../../src/stores/lmdb/process-lock.ts'
import { openRecordStore } from '../../src/stores/lmdb/record-store.ts'
import { openVerdictStore } from '../../src/stores/lmdb/verdict-store.ts'
import { numbersOnly } from '../contract/list-contents.contract.ts'
import { report } from '../contract/record-store.contract.ts'
import { temporaryDirectory } from '../fixtures/temporary-directory.ts'
import { type StoreChild, startStoreChild } from '../support/store-child.ts'

let child: StoreChild | undefined
afterEach(async () => {
  await child?.kill()
  child = undefined
})

describe('one writer process per data directory', () => {
  it('refuses a second writer with its process id, and lets it in when the first was killed', async () => {
    const directory = temporaryDirectory()
    child = startStoreChild('hold', directory)
    await child.next()
    const refused = openRecordStore({ directory })
    await expect(refused).rejects.toMatchObject({ code: 'STORAGE_LOCKED' })
    await expect(refused).rejects.toThrow(`process ${child.process.pid}`)
    await child.kill()
    const store = await openRecordStore({ directory })
    await store.close()
  })

  it('refuses a second store in the same process, and opens again after close', async () => {
    const directory = temporaryDirectory()
    const store = await openRecordStore({ directory })
    await expect(openRecordStore({ directory })).rejects.toMatchObject({ code: 'STORAGE_LOCKED' })
    await store.close()
    await store.close()
    await expect(store.appendReport(report('r1'), 'agent')).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    await (await openRecordStore({ directory })).close()
  })

  it('does not mind a lock file somebody left or removed', async () => {
    const directory = temporaryDirectory()
    await (await openRecordStore({ directory })).close()
    rmSync(join(directory, LOCK_FILE))
    await (await openRecordStore({ directory })).close()
  })
})

describe('a reader in another process', () => {
  it('sees every write as soon as it is told of it', async () => {
    const directory = temporaryDirectory()
    const store = await openRecordStore({ directory })
    const contents = openListContents({ directory, readOnly: false })
    child = startStoreChild('watch', directory)
    await child.next()
    const { number } = report('r1')
    for (let round = 1; round <= 100; round++) {
      await store.appendReport(report(`r${round}`), 'agent')
      contents.putLayer(round, numbersOnly([number]))
      const answer = child.next()
      child.process.send({ number, layerId: round, after: round - 1 })
      expect(await answer).toEqual({ reports: round, entry: ENTRY_PRESENT, changes: 1, lastSequence: round })
    }
    await contents.close()
    await store.close()
  })

  it('is told to wait while there is no data yet', async () => {
    await expect(openVerdictStore({ directory: temporaryDirectory() })).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  })

  it('never reads nonsense while layers are written and dropped', async () => {
    const directory = temporaryDirectory()
    const store = await openRecordStore({ directory })
    child = startStoreChild('flicker', directory)
    await child.next()
    const verdicts = await openVerdictStore({ directory })
    const states = new Set<number>()
    let reads = 0
    // On a busy machine word of a layer may come when it is gone again: then more of them are waited for.
    while (child.told.length < 25 || (!states.has(ENTRY_PRESENT) && child.told.length < 2_000)) {
      const layerId = 1 + child.told.length
      for (let index = 0; index < 20_000; index++) {
        const listed = 1_000_000 + ((index * 7_919) % 200_000) * 3
        states.add(verdicts.lookup.entry(layerId, listed as PhoneNumber, 0))
        expect(verdicts.lookup.entry(layerId, (listed + 1) as PhoneNumber, 0)).toBe(ENTRY_ABSENT)
        reads++
      }
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect([...states].sort()).toEqual([ENTRY_ABSENT, ENTRY_PRESENT])
    expect(reads).toBeGreaterThan(20_000)
    await verdicts.close()
    await store.close()
  })
})
