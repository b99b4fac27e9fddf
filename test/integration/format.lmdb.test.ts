import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openEnvironment } from '../../src/stores/lmdb/environment.ts'
import { type FormatSpec, settleFormat } from '../../src/stores/lmdb/format.ts'
import { LIVE_SPACE, makeKey } from '../../src/stores/lmdb/keys.ts'
import { LISTS_FILE, openListContents } from '../../src/stores/lmdb/list-contents.ts'
import { LIVE_FORMAT } from '../../src/stores/lmdb/live-environment.ts'
import { LIVE_FILE } from '../../src/stores/lmdb/live-format.ts'
import { openRecordStore } from '../../src/stores/lmdb/record-store.ts'
import { encodeJson } from '../../src/stores/lmdb/values.ts'
import { openVerdictStore } from '../../src/stores/lmdb/verdict-store.ts'
import { NUMBER } from '../contract/record-store.contract.ts'
import { temporaryDirectory } from '../fixtures/temporary-directory.ts'

const FORMAT_KEY = makeKey(LIVE_SPACE.meta, { text: 'format' })
const WORD = makeKey(LIVE_SPACE.meta, { text: 'word' })

async function writeFormat(directory: string, file: string, version: number): Promise<void> {
  const environment = openEnvironment({ path: join(directory, file), readOnly: false })
  environment.db.transactionSync(() => void environment.db.put(FORMAT_KEY, encodeJson({ version })))
  await environment.close()
}

describe('a data directory written by a newer version', () => {
  it.each([LIVE_FILE, LISTS_FILE])('is refused when it is %s that is newer, naming both versions', async (file) => {
    const directory = temporaryDirectory()
    await (await openRecordStore({ directory })).close()
    await openListContents({ directory, readOnly: false }).close()
    await writeFormat(directory, file, 9)
    const open = async () =>
      file === LIVE_FILE ? openRecordStore({ directory }) : openListContents({ directory, readOnly: false })
    await expect(open()).rejects.toMatchObject({
      code: 'STORAGE_FORMAT',
      message: expect.stringMatching(/v9.*v[12]\b/),
    })
    await expect(openVerdictStore({ directory })).rejects.toMatchObject({ code: 'STORAGE_FORMAT' })
    await writeFormat(directory, file, file === LIVE_FILE ? LIVE_FORMAT.version : 1)
    const store = await openRecordStore({ directory })
    await store.close()
  })

  it('is refused when it is no data of ours at all', async () => {
    const directory = temporaryDirectory()
    const environment = openEnvironment({ path: join(directory, LIVE_FILE), readOnly: false })
    environment.db.transactionSync(() => void environment.db.put(WORD, Buffer.from('?')))
    await environment.close()
    await expect(openRecordStore({ directory })).rejects.toMatchObject({ code: 'STORAGE_FORMAT' })
  })
})

describe('a data directory written by an older version', () => {
  const append = (letter: string) => (db: ReturnType<typeof openEnvironment>['db']) => {
    db.put(WORD, Buffer.concat([db.getBinary(WORD) ?? Buffer.alloc(0), Buffer.from(letter)]))
  }
  const spec: FormatSpec = {
    name: LIVE_FILE,
    version: 2,
    migrations: [
      { from: 0, run: append('a') },
      { from: 1, run: append('b') },
    ],
  }

  it('is migrated step by step, once', async () => {
    const directory = temporaryDirectory()
    await writeFormat(directory, LIVE_FILE, 0)
    for (let opening = 0; opening < 2; opening++) {
      const environment = openEnvironment({ path: join(directory, LIVE_FILE), readOnly: false })
      settleFormat(environment, spec)
      expect(environment.bytes(WORD)?.toString()).toBe('ab')
      expect(environment.json(FORMAT_KEY)).toEqual({ version: 2 })
      await environment.close()
    }
  })

  it('stays at the last whole step when a migration fails', async () => {
    const directory = temporaryDirectory()
    await writeFormat(directory, LIVE_FILE, 0)
    const environment = openEnvironment({ path: join(directory, LIVE_FILE), readOnly: false })
    const run = (db: typeof environment.db) => {
      append('b')(db)
      throw new Error('power cut')
    }
    const broken = { from: 1, run }
    expect(() => settleFormat(environment, { ...spec, migrations: [spec.migrations[0]!, broken] })).toThrow('power cut')
    expect(environment.bytes(WORD)?.toString()).toBe('a')
    expect(environment.json(FORMAT_KEY)).toEqual({ version: 1 })
    await environment.close()
  })

  it('is refused by a reader, and when nobody knows how to migrate it', async () => {
    const directory = temporaryDirectory()
    await (await openRecordStore({ directory })).close()
    await writeFormat(directory, LIVE_FILE, 0)
    await expect(openVerdictStore({ directory })).rejects.toMatchObject({ code: 'STORAGE_FORMAT' })
    await expect(openRecordStore({ directory })).rejects.toMatchObject({ code: 'STORAGE_FORMAT' })
  })
})

describe('a data directory of every released version', () => {
  it.each(['live-v1', 'live-v2'])('opens and reads %s', async (fixture) => {
    const directory = temporaryDirectory()
    cpSync(join(import.meta.dirname, '../fixtures', fixture), directory, { recursive: true })
    const store = await openRecordStore({ directory })
    expect(store.report('report-1')).toMatchObject({ number: NUMBER, note: 'Asked for the code.' })
    expect(store.reputationOf(NUMBER)?.getUint32(4, true)).toBe(3)
    expect(store.list('hotline')).toMatchObject({ kind: 'deny', activeVersion: 1, active: { entryCount: 3 } })
    expect(store.numberingPlans()).toMatchObject([{ name: 'ru-mobile', version: 1 }])
    expect(store.policy()).toMatchObject({ version: 1, document: { name: 'default' } })
    expect(store.reviews('open', 10)).toHaveLength(1)
    expect(store.reviews('closed', 10)).toMatchObject([{ outcome: 'innocent' }])
    expect(store.document('imports', 'import-1')).toEqual({ state: 'active' })
    expect(store.changesAfter(0, 100).map((change) => change.sequence)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    expect(store.audit(1)).toMatchObject([{ action: 'fixture.done' }])
    const contents = openListContents({ directory, readOnly: false })
    const layerId = store.list('hotline')?.active.layers[0]?.layerId ?? 0
    expect(contents.entry(layerId, NUMBER)).toEqual({ removed: false, details: { reason: 'confirmed', source: '611' } })
    expect([...contents.readRanges(layerId).rangesFrom]).toEqual([79161000000])
    await contents.close()
    const { sequence } = await store.putPolicy({ text: '', document: store.policy()!.document }, {}, 'test')
    expect(sequence).toBe(11)
    await store.close()
  })
})
