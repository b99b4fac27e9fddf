import { execFileSync } from 'node:child_process'
import { closeSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { PhoneNumber } from '../../src/domain/phone-number.ts'
import { cleanLists } from '../../src/jobs/clean-lists.ts'
import { openDataDirectory } from '../../src/stores/data-directory.ts'
import { openListContents } from '../../src/stores/lmdb/list-contents.ts'
import { openRecordStore } from '../../src/stores/lmdb/record-store.ts'
import type { ListContents, RecordStore } from '../../src/stores/ports.ts'
import { numbersOnly } from '../contract/list-contents.contract.ts'
import { report } from '../contract/record-store.contract.ts'
import { temporaryDirectory } from '../fixtures/temporary-directory.ts'

const unhandled: unknown[] = []
const remember = (error: unknown) => unhandled.push(error)
process.on('unhandledRejection', remember)
afterAll(() => process.off('unhandledRejection', remember))
afterEach(() => expect(unhandled).toEqual([]))

const NOTE = 'x'.repeat(2_000)

const append = (store: RecordStore, index: number) =>
  store.appendReport(report(`r${index}`, { note: NOTE, number: (100 + index) as PhoneNumber }), 'a')

/** Appends, ten at once and then one by one, until nothing goes any more; returns how many were acknowledged. */
async function fill(store: RecordStore): Promise<number> {
  let count = 0
  for (const width of [10, 1]) {
    for (;;) {
      const wave = await Promise.allSettled(Array.from({ length: width }, (_, index) => append(store, count + index)))
      const refused = wave.filter((result) => result.status === 'rejected')
      for (const { reason } of refused) {
        expect(reason).toMatchObject({ code: 'STORAGE_FULL', status: 507 })
        expect(reason.details.hint).toContain('disk')
      }
      count += width - refused.length
      if (refused.length > 0) break
    }
  }
  return count
}

function expectWhole(store: RecordStore, count: number): void {
  expect(store.lastSequence()).toBe(count)
  expect(store.changesAfter(0, 1_000_000)).toHaveLength(count)
  expect(store.audit(1_000_000)).toHaveLength(count)
  expect(store.readReputationNumbers(0, new Float64Array(100_000))).toBe(count)
  expect(store.reportsOf((100 + count - 1) as PhoneNumber, 1)).toHaveLength(1)
}

/** Writes until the disk is full to its last page. */
function fillUp(name: string): void {
  const file = openSync(name, 'w')
  try {
    for (;;) writeSync(file, Buffer.alloc(4_096))
  } catch {
    closeSync(file)
  }
}

/** Puts layers until one does not fit any more; returns how many there are, with ids from 1. */
function fillWithLayers(contents: ListContents): number {
  const rows = Array.from({ length: 1_000 }, (_, index) => index + 1)
  for (let layerId = 1; ; layerId++) {
    try {
      contents.putLayer(layerId, numbersOnly(rows))
    } catch {
      return layerId - 1
    }
  }
}

const directory = join(temporaryDirectory(), 'small')

function canMount(): boolean {
  try {
    execFileSync('mkdir', ['-p', directory])
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', directory], { stdio: 'ignore' })
    execFileSync('umount', [directory], { stdio: 'ignore' })
    return true
  } catch {
    console.warn('Skipped: a full disk needs root and tmpfs.')
    return false
  }
}

describe.skipIf(!canMount())('a full disk', () => {
  beforeEach(() => void execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', directory]))
  afterEach(() => void execFileSync('umount', ['-l', directory]))

  it('refuses reports, keeps everything before, reads on, and writes again when there is room', async () => {
    writeFileSync(join(directory, 'filler'), Buffer.alloc(2 * 2 ** 20))
    const store = await openRecordStore({ directory })
    const count = await fill(store)
    expectWhole(store, count)
    await expect(store.appendReport(report('late', { note: NOTE }), 'a')).rejects.toMatchObject({
      code: 'STORAGE_FULL',
    })
    rmSync(join(directory, 'filler'))
    await store.appendReport(report('late', { note: NOTE }), 'a')
    expect(store.report('late')).toBeDefined()
    expect(store.lastSequence()).toBe(count + 1)
    await store.close()
    const reopened = await openRecordStore({ directory })
    expect(reopened.lastSequence()).toBe(count + 1)
    await reopened.close()
  })

  it('gives the room of an upload back before anything else, and drops garbage as soon as there is room', async () => {
    const data = openDataDirectory(directory)
    const contents = openListContents({ directory, readOnly: false })
    const spool = join(data.imports, 'upload.spool')
    writeFileSync(spool, Buffer.alloc(2 ** 20))
    const layers = fillWithLayers(contents)
    fillUp(join(directory, 'filler'))
    const clean = (removeFiles: string[]) =>
      cleanLists(
        { kind: 'clean-lists', keepLayers: [1], layerIdMax: layers + 1, removeFiles },
        { contents, directory: data },
      )
    expect(clean([]).layersLeft).toBeGreaterThan(0)
    expect(clean(['upload.spool'])).toMatchObject({ layersLeft: 0, filesRemoved: 1, files: [] })
    expect(contents.layerIds()).toEqual([1])
    await contents.close()
  })

  it('refuses a layer and keeps the others', async () => {
    const contents = openListContents({ directory, readOnly: false })
    contents.putLayer(1, numbersOnly([100]))
    const tooMany = numbersOnly(Array.from({ length: 3_000_000 }, (_, index) => index + 1))
    expect(() => contents.putLayer(2, tooMany)).toThrow(expect.objectContaining({ code: 'STORAGE_FULL' }))
    expect(contents.entry(1, 100 as PhoneNumber)).toBeDefined()
    contents.dropLayer(2)
    contents.putLayer(3, numbersOnly([300]))
    expect(contents.layerIds()).toEqual([1, 3])
    await contents.close()
  })
})
