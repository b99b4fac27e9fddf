import { readdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { asOfFromFileName, createNumberingImport } from '../../src/services/import-numbering.ts'
import { createImportWorld, type ImportWorld } from '../support/import-world.ts'

const HEADER = '\ufeffАВС/ DEF;От;До;Емкость;Оператор\r\n'

let world: ImportWorld

beforeEach(() => {
  world = createImportWorld()
})
afterEach(() => world.remove())

function importPlan(text: string, covers?: readonly string[]) {
  const spoolPath = path.join(world.root, 'imports', 'plan.spool')
  writeFileSync(spoolPath, text)
  const run = createNumberingImport({
    ...world,
    notify: async () => {},
    now: () => 5,
    onFault: (error) => void world.faults.push(error),
  })
  return run({ name: 'ru', country: 'RU', asOfMs: 1, spoolPath, ...(covers === undefined ? {} : { covers }) }, 'test')
}

describe('a numbering plan', () => {
  it('merges ranges that touch and covers the codes of the file', async () => {
    const rows = '916;0000000;0009999;10000;"ООО ""Т2"""\r\n916;0010000;0019999;10000;x\r\n918;5000000;5000000;1;y\r\n'
    const { plan, ...counts } = await importPlan(HEADER + rows)
    expect(counts).toEqual({ rows: 3, accepted: 3, rejectedCount: 0 })
    expect(plan).toMatchObject({ name: 'ru', version: 1, rangeCount: 2, asOfMs: 1, importedMs: 5 })
    expect(plan.covers).toEqual([
      { from: 79160000000, to: 79169999999 },
      { from: 79180000000, to: 79189999999 },
    ])
    const { rangesFrom, rangesTo } = world.store.contents.readRanges(plan.layerId)
    expect([...rangesFrom]).toEqual([79160000000, 79185000000])
    expect([...rangesTo]).toEqual([79160019999, 79185000000])
    await world.jobs.clean()
    expect(readdirSync(path.join(world.root, 'imports'))).toEqual([])
    expect(world.store.contents.layerIds()).toEqual([plan.layerId])
  })

  it('covers what it is told to', async () => {
    const { plan } = await importPlan(`${HEADER}916;0000000;0009999;10000;x\n`, ['79', '7495'])
    expect(plan.covers).toEqual([
      { from: 74950000000, to: 74959999999 },
      { from: 79000000000, to: 79999999999 },
    ])
  })

  it('reads several files one after the other, each with its header', async () => {
    const { plan, rows } = await importPlan(`${HEADER}916;0000000;0009999;1;x\n\n${HEADER}917;0000000;0009999;1;x\n`)
    expect([rows, plan.covers.length]).toEqual([2, 1])
  })

  it('does not cover a code with a row that cannot be read', async () => {
    const rows = Array.from(
      { length: 200 },
      (_, i) => `916;${String(i * 2).padStart(7, '0')};${String(i * 2).padStart(7, '0')};1;x\n`,
    )
    const { plan, rejectedCount } = await importPlan(
      `${HEADER}${rows.join('')}917;0000000;0009999;1;x\n917;5;0000002;1;x\n`,
    )
    expect(rejectedCount).toBe(1)
    expect(plan.covers).toEqual([{ from: 79160000000, to: 79169999999 }])
  })

  it.each([
    ['a list of numbers', '+79160000001\n', 'NUMBERING_INVALID'],
    ['rows that are mostly no ranges', `${HEADER}916;0000000;0009999;1;x\n916;9;1;1;x\n`, 'NUMBERING_INVALID'],
    ['nothing', '', 'IMPORT_EMPTY'],
  ])('is refused when the file is %s', async (_, text, code) => {
    await expect(importPlan(text)).rejects.toMatchObject({ code })
    await world.jobs.clean()
    expect(world.store.contents.layerIds()).toEqual([])
    expect(world.store.numberingPlans()).toEqual([])
  })

  it.each([
    ['ru_DEF-9xx_2026-08.csv', '2026-08-01'],
    ['plan-2026-08-15.csv', '2026-08-15'],
  ])('takes its day from the name %s', (name, day) => {
    expect(asOfFromFileName(name)).toBe(Date.parse(day))
  })

  it('has no day in a name without one', () => {
    expect(asOfFromFileName('DEF-9xx.csv')).toBeUndefined()
    expect(asOfFromFileName('plan-2026-13.csv')).toBeUndefined()
  })
})
