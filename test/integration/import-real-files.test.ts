import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { createNumberingImport } from '../../src/services/import-numbering.ts'
import { createImportWorld } from '../support/import-world.ts'

const data = path.resolve(import.meta.dirname, '../../../shared/data')
const complaints = path.join(data, 'complaints/us-complaints-train.csv')
const ranges = path.join(data, 'numbering/ru_DEF-9xx_2026-08.csv')
const hasData = existsSync(complaints) && existsSync(ranges)

describe.skipIf(!hasData)('real files (skipped without ../shared/data)', () => {
  it('imports the complaints with every row accounted for', async () => {
    const world = createImportWorld()
    await world.createList('complaints')
    const record = await world.import('complaints', readFileSync(complaints), { country: 'US' })
    const { rows, accepted, rejected, duplicates, added } = record.counts
    expect(record.state).toBe('active')
    expect(rows).toBe(227_566)
    expect(accepted + rejected).toBe(rows)
    expect(added + duplicates).toBe(accepted)
    expect(added).toBeGreaterThan(200_000)
    const corrected = readFileSync(world.imports.rejectedCsvPath(record.importId) ?? '', 'utf8')
    const again = await world.import('complaints', corrected, { country: 'US', mode: 'append' })
    expect(again).toMatchObject({
      state: 'failed',
      problem: { code: 'IMPORT_EMPTY', detail: expect.stringContaining(`${rejected} were refused`) },
    })
    world.remove()
  })

  it('imports the national mobile plan without a rejected row', async () => {
    const world = createImportWorld()
    const spoolPath = path.join(world.root, 'imports', 'plan.spool')
    writeFileSync(spoolPath, readFileSync(ranges))
    const importPlan = createNumberingImport({ ...world, notify: async () => {}, now: Date.now, onFault: () => {} })
    const imported = await importPlan({ name: 'ru', country: 'RU', asOfMs: 0, spoolPath }, 'test')
    expect(imported).toMatchObject({ rows: 17_059, accepted: 17_059, rejectedCount: 0 })
    expect(imported.plan.rangeCount).toBeLessThan(17_059)
    expect(imported.plan.covers).toHaveLength(8)
    expect(imported.plan.covers[0]?.from).toBe(79000000000)
    world.remove()
  })
})
