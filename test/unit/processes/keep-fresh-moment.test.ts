import { readdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { keepFreshMoment, keptFreshMs } from '../../../src/processes/keep-fresh-moment.ts'
import { embeddedRecordDesk } from '../../../src/services/record-desk.ts'
import { temporaryDirectory } from '../../fixtures/temporary-directory.ts'
import { fakeSharedRecord } from '../../integration/control-plane/fixture.ts'

const NOW_MS = 1_700_000_000_000
const dependencies = {
  now: () => NOW_MS,
  onFault: (error: unknown) => {
    throw error
  },
}
const freshOf = (desk: { view(): object }) => (desk.view() as { freshMs?: number }).freshMs

describe('the moment up to which a record is here', () => {
  it('is known after a restart, until it is read anew', () => {
    const root = temporaryDirectory()
    const before = keepFreshMoment({ root }, fakeSharedRecord({ freshMs: NOW_MS - 5_000 }), dependencies)
    before.note()
    expect(keptFreshMs({ root }, NOW_MS)).toBe(NOW_MS - 5_000)
    const record = fakeSharedRecord({ state: 'away', freshMs: 0 })
    const after = keepFreshMoment({ root }, record, dependencies)
    expect(freshOf(after.desk)).toBe(NOW_MS - 5_000)
    after.note()
    expect(keptFreshMs({ root }, NOW_MS)).toBe(NOW_MS - 5_000)
    record.current = { ...record.current, freshMs: NOW_MS - 10 }
    expect(freshOf(after.desk)).toBe(NOW_MS - 10)
    after.note()
    expect(keptFreshMs({ root }, NOW_MS)).toBe(NOW_MS - 10)
  })

  it('is not that of another record, nor one that is yet to come', () => {
    const root = temporaryDirectory()
    keepFreshMoment({ root }, fakeSharedRecord({ freshMs: NOW_MS }), dependencies).note()
    expect(keptFreshMs({ root }, NOW_MS - 1)).toBe(0)
    const other = fakeSharedRecord({ recordId: 'f'.repeat(32), freshMs: 0 })
    expect(freshOf(keepFreshMoment({ root }, other, dependencies).desk)).toBe(0)
    expect(keptFreshMs({ root }, NOW_MS)).toBe(0)
  })

  it('is not known where nothing, or nothing of ours, was kept; and nothing is kept of a node that is its own record', () => {
    const root = temporaryDirectory()
    expect(keptFreshMs({ root }, NOW_MS)).toBe(0)
    for (const text of ['', 'null', '{"recordId":"a"}', '{"recordId":"a","freshMs":"1"}']) {
      writeFileSync(path.join(root, 'fresh.json'), text)
      expect(keptFreshMs({ root }, NOW_MS)).toBe(0)
    }
    keepFreshMoment({ root }, embeddedRecordDesk, dependencies).note()
    expect(readdirSync(root)).toEqual([])
  })
})
