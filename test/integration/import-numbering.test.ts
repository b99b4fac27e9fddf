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

/** Rows of one number each, `count` of one code. */
function sound(code: string, count: number, first = 0): string {
  const row = (index: number) =>
    `${code};${String(index * 2).padStart(7, '0')};${String(index * 2).padStart(7, '0')};1;x`
  return Array.from({ length: count }, (_, index) => row(first + index)).join('\n')
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
    const rows = [sound('915', 200), sound('916', 1), '917;0000000;0009999;1;x', '917;5;0000002;1;x']
    const { plan, rejectedCount } = await importPlan(`${HEADER}${rows.join('\n')}\n`)
    expect(rejectedCount).toBe(1)
    expect(plan.covers).toEqual([{ from: 79150000000, to: 79169999999 }])
  })

  it.each([
    ['a letter in its code', '9I6;5000000;5009999;1;x'],
    ['a stray quote', '"916;5000000;5009999;1;x'],
    ['no code', ';5000000;5009999;1;x'],
    ['another code than its neighbours', '91;5000000;500999;1;x'],
  ])('leaves the codes around a damaged row uncovered: %s', async (_, damaged) => {
    const rows = [sound('915', 150), sound('916', 10), damaged, sound('916', 10, 500), sound('917', 10)]
    const { plan, rejectedCount } = await importPlan(`${HEADER}${rows.join('\n')}\n`)
    expect(rejectedCount).toBe(1)
    expect(plan.covers).toEqual([
      { from: 79150000000, to: 79159999999 },
      { from: 79170000000, to: 79179999999 },
    ])
  })

  it('leaves both codes uncovered when damaged rows stand where one ends and the next begins', async () => {
    const rows = [
      sound('915', 250),
      sound('916', 10),
      '9I6;1;2;1;x',
      '"917;1;2;1;x',
      sound('917', 10),
      sound('918', 10),
    ]
    const { plan } = await importPlan(`${HEADER}${rows.join('\n')}\n`)
    expect(plan.covers).toEqual([
      { from: 79150000000, to: 79159999999 },
      { from: 79180000000, to: 79189999999 },
    ])
  })

  it('leaves longer codes uncovered with the one they begin with', async () => {
    const rows = [sound('91', 150), '91;5;0000002;1;x', sound('915', 10), sound('92', 1)]
    const { plan } = await importPlan(`${HEADER}${rows.join('\n')}\n`)
    expect(plan.covers).toEqual([{ from: 7920000000, to: 7929999999 }])
  })

  it('keeps the other codes covered when the file is cut off in its last row', async () => {
    const { plan } = await importPlan(`${HEADER}${sound('915', 150)}\n${sound('916', 10)}\n9`)
    expect(plan.covers).toEqual([{ from: 79150000000, to: 79159999999 }])
  })

  it('is refused when it shall cover prefixes and a row of it cannot be read', async () => {
    const text = `${HEADER}${sound('915', 150)}\n9I6;5000000;5009999;1;x\n${sound('917', 10)}\n`
    await expect(importPlan(text, ['79'])).rejects.toMatchObject({
      code: 'NUMBERING_INVALID',
      details: { rejected: [{ line: 152, reason: 'not-a-number' }] },
    })
    expect(world.store.numberingPlans()).toEqual([])
  })

  it('is refused when a row cannot be read and the others are not in the order of their codes', async () => {
    const rows = [sound('915', 150), sound('917', 10), '9I6;1;2;1;x', sound('916', 10)]
    await expect(importPlan(`${HEADER}${rows.join('\n')}\n`)).rejects.toMatchObject({ code: 'NUMBERING_INVALID' })
    const files = [sound('917', 150), '9I7;1;2;1;x', `${HEADER}${sound('915', 10)}`, sound('916', 10)]
    const { plan } = await importPlan(`${HEADER}${files.join('\n')}\n`)
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
