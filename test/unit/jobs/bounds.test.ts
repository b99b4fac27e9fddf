import { describe, expect, it } from 'vitest'
import { applyChange, DELTA_ROWS_MAX } from '../../../src/jobs/apply-change.ts'
import { assertSize } from '../../../src/jobs/assert-size.ts'
import { createCsvRow, FIELDS_MAX, scanCsvRow } from '../../../src/jobs/csv-row.ts'
import { createDetailsDictionary, DETAILS_DISTINCT_MAX } from '../../../src/jobs/details-dictionary.ts'
import { createEntryCollector, LIST_RANGES_MAX } from '../../../src/jobs/entry-collector.ts'
import { IMPORT_LIMITS, LIST_ENTRIES_MAX } from '../../../src/jobs/list-jobs.ts'
import { REJECTED_SAMPLE_ROWS } from '../../../src/jobs/rejected-rows.ts'
import { PROBLEM_BYTES_MAX } from '../../../src/jobs/row-reader.ts'
import { createMemoryStore } from '../../../src/stores/memory/memory-store.ts'
import { createImportWorld } from '../../support/import-world.ts'
import { readText } from '../../support/read-text.ts'

const tooLarge = expect.objectContaining({ code: 'IMPORT_TOO_LARGE' })

describe('bounds of an import', () => {
  it('takes so many entries of a list and not one more', () => {
    expect(() => assertSize({ entryCount: LIST_ENTRIES_MAX }, LIST_ENTRIES_MAX)).not.toThrow()
    expect(() => assertSize({ entryCount: LIST_ENTRIES_MAX + 1 }, LIST_ENTRIES_MAX)).toThrow(tooLarge)
  })

  it('refuses an upload after which its list has too many entries, and takes one that takes entries away', async () => {
    const world = createImportWorld({ options: { limits: { ...IMPORT_LIMITS, entriesMax: 2 } } })
    try {
      await world.createList('bad')
      expect((await world.import('bad', '+79160000001\n+79160000002\n')).state).toBe('active')
      const larger = await world.import('bad', '+79160000003\n', { mode: 'append' })
      expect([larger.state, larger.problem?.code]).toEqual(['failed', 'IMPORT_TOO_LARGE'])
      expect(world.contents('bad')).toHaveLength(2)
      expect((await world.import('bad', '+79160000001\n', { mode: 'remove' })).state).not.toBe('failed')
    } finally {
      world.remove()
    }
  })

  it('looks at no more columns than it has room for', () => {
    const row = createCsvRow()
    const text = Buffer.from(`${'x,'.repeat(FIELDS_MAX)}y`)
    expect(scanCsvRow(row, text, 0, text.length, true, 44)).toBe(0)
    expect([row.fieldCount, row.next]).toEqual([FIELDS_MAX, text.length])
  })

  it('takes so many ranges and not one more', () => {
    const collector = createEntryCollector(0)
    for (let i = 0; i < LIST_RANGES_MAX; i++) collector.addRange(79000000000 + 10 * i, 79000000001 + 10 * i, 0)
    expect(() => collector.addRange(1, 2, 0)).toThrow(tooLarge)
  })

  it('takes so many different details and not one more', () => {
    const dictionary = createDetailsDictionary()
    for (let i = 0; i < DETAILS_DISTINCT_MAX; i++) dictionary.idOf({ expiresMs: i })
    expect(dictionary.idOf({ expiresMs: 0 })).toBe(1)
    expect(() => dictionary.idOf({ expiresMs: -1 })).toThrow(tooLarge)
  })

  it('tells details apart whatever their texts hold', () => {
    const dictionary = createDetailsDictionary()
    const id = dictionary.idOf({ source: 'a\u0000b', reason: 'c' })
    expect(dictionary.idOf({ source: 'a', reason: 'b\u0000c' })).not.toBe(id)
  })

  it('shows the first rejected rows and writes all', () => {
    const read = readText(`${'x\n'.repeat(REJECTED_SAMPLE_ROWS + 1)}+79160000001\n`)
    expect(read.rejected).toHaveLength(REJECTED_SAMPLE_ROWS)
    expect(read.rejectedCsv.trimEnd().split('\n')).toHaveLength(1 + REJECTED_SAMPLE_ROWS + 1)
  })

  it('keeps only the beginning of a line that is no row', () => {
    const { rejectedCsv } = readText(`number\n+79160000001\n"${'7'.repeat(PROBLEM_BYTES_MAX)}`)
    expect(rejectedCsv).toContain(`${'7'.repeat(PROBLEM_BYTES_MAX - 1)}",,,,3,quote-open`)
  })

  it.each([
    [DELTA_ROWS_MAX, 4 * DELTA_ROWS_MAX, 1],
    [DELTA_ROWS_MAX + 1, 8 * DELTA_ROWS_MAX, 0],
    [1_000, 4_000, 1],
    [1_001, 4_003, 0],
  ])('lays a change of %i rows over a base of %i: %i', (changed, base, below) => {
    const { contents } = createMemoryStore()
    const none = new Float64Array(0)
    const numbers = Float64Array.from({ length: base }, (_, i) => 79000000000 + 2 * i)
    contents.putLayer(1, { numbers, rangesFrom: none, rangesTo: none, dictionary: [] })
    const layers = [{ layerId: 1, numberCount: base, rangeCount: 0 }]
    const collector = createEntryCollector(changed)
    for (let i = 0; i < changed; i++) collector.addNumber(79000000001 + 2 * i, 0)
    const change = collector.finish().entries
    const applied = applyChange(
      { active: { layers, entryCount: base }, change, mode: 'append' },
      { contents, dictionary: collector.dictionary, onBlock() {} },
    )
    expect(applied.below).toHaveLength(below)
    expect(applied).toMatchObject({ added: changed, unchanged: base, entryCount: base + changed })
  })
})
