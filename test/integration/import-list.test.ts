import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ScreeningError } from '../../src/domain/errors.ts'
import type { ImportImpact } from '../../src/domain/import.ts'
import { diallingRules, parsePhoneNumber } from '../../src/domain/parse-phone-number.ts'
import type { PhoneNumber } from '../../src/domain/phone-number.ts'
import { CHANGE_ENTRIES_MAX } from '../../src/jobs/list-jobs.ts'
import { IMPORTS_QUEUED_MAX } from '../../src/services/import-list.ts'
import {
  createImportRecords,
  IMPORTS_KEPT,
  IMPORTS_WAITING_MAX,
  type StoredImport,
} from '../../src/services/import-records.ts'
import { gateFromBytes, gateHas, openGate } from '../../src/shm/gate.ts'
import { openDataDirectory, readGateFile } from '../../src/stores/data-directory.ts'
import { VERSIONS_KEPT } from '../../src/stores/ports.ts'
import { createTrafficLogWriter, type ReadTrafficTable } from '../../src/stores/traffic-log/traffic-log-writer.ts'
import { createImportWorld, type ImportWorld } from '../support/import-world.ts'

const rules = diallingRules('RU')
const number = (index: number) => 79160000000 + index
const lines = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => `+${number(from + i)}\n`).join('')
/** Prefixes of a tenth of +7 each, as rows of a file and as entries. */
const tenths = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => `+7${from + i}*\n`).join('')
const tenthEntries = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => ({
    from: (70_000_000_000 + (from + i) * 1e9) as PhoneNumber,
    to: (70_000_000_000 + (from + i + 1) * 1e9 - 1) as PhoneNumber,
    details: {},
  }))
const entry = (index: number) => {
  const value = parsePhoneNumber(String(number(index)), rules, 'list') as PhoneNumber
  return { from: value, to: value, details: { reason: 'confirmed' } }
}

/** Writes this hour's calls as a verdict process would. */
async function recordTraffic({ root }: ImportWorld, callers: readonly (readonly [number, number])[]): Promise<void> {
  const calls = callers.reduce((sum, [, count]) => sum + count, 0)
  const table: ReadTrafficTable = function* (hour, visit) {
    yield undefined
    if (hour !== Math.floor(Date.now() / 3_600_000)) return { calls: 0, complete: true }
    for (const [caller, count] of callers) visit(caller, count)
    return { calls, complete: true }
  }
  const { traffic: directory } = openDataDirectory(root)
  await createTrafficLogWriter(
    { directory, process: 'v' },
    { tables: [table], beginRests: () => () => undefined },
  ).write(Date.now())
}

let world: ImportWorld

beforeEach(async () => {
  world = createImportWorld()
  await world.createList('bad')
})
afterEach(() => {
  expect(world.faults).toEqual([])
  world.remove()
})

describe('an import', () => {
  it('replaces a list and is in force when it says so', async () => {
    const record = await world.import('bad', '+79160000001\n+79160000002\n+7917*\n+79160000001\nx\n')
    expect(record).toMatchObject({
      state: 'active',
      progress: 1,
      version: 1,
      counts: { rows: 5, accepted: 4, rejected: 1, duplicates: 1, added: 3, removed: 0, unchanged: 0 },
      rejected: [{ line: 5, text: 'x', reason: 'alphanumeric' }],
    })
    expect(world.store.list('bad')?.active).toMatchObject({ entryCount: 3, importId: record.importId })
    expect(world.notified).toEqual([world.store.lastSequence()])
    const second = await world.import('bad', '+79160000002\n+79160000003\n')
    expect(second.counts).toMatchObject({ added: 1, removed: 2, unchanged: 1 })
    expect(world.contents('bad')).toEqual(['79160000002', '79160000003'])
  })

  it('writes a gate that knows every number of the layer', async () => {
    await world.import('bad', lines(0, 1_000))
    const { layerId = 0, stamp = 0 } = world.store.list('bad')?.active.layers[0] ?? {}
    const file = (await readGateFile({ gates: path.join(world.root, 'gates') }, layerId)) ?? new Uint8Array()
    const gate = openGate(gateFromBytes(file, stamp))
    for (let i = 0; i < 1_000; i++) expect(gateHas(gate, number(i))).toBe(true)
  })

  it('appends and removes a few rows in a delta, many in a new base', async () => {
    await world.import('bad', lines(0, 1_000))
    const [base] = world.store.list('bad')?.active.layers ?? []
    const added = await world.import('bad', lines(990, 1_010), { mode: 'append' })
    expect(added.counts).toMatchObject({ added: 10, removed: 0, unchanged: 1_000 })
    expect(world.store.list('bad')?.active).toMatchObject({ entryCount: 1_010, layers: [{ numberCount: 10 }, base] })
    const removed = await world.import('bad', lines(0, 5) + lines(2_000, 2_003), { mode: 'remove' })
    expect(removed.counts).toMatchObject({ added: 0, removed: 5, unchanged: 1_005 })
    expect(world.store.list('bad')?.active).toMatchObject({ entryCount: 1_005, layers: [{ numberCount: 15 }, base] })
    await world.import('bad', lines(5_000, 6_000), { mode: 'append' })
    expect(world.store.list('bad')?.active).toMatchObject({ entryCount: 2_005, layers: [{ numberCount: 2_005 }] })
    await world
      .import('bad', lines(0, 6_000), { mode: 'remove' })
      .then(({ importId }) => world.imports.activate(importId, 'second'))
    expect(world.store.list('bad')?.active).toMatchObject({ entryCount: 0, layers: [] })
  })

  it('replaces a prefix by its shortest range, and the range by the prefix', async () => {
    const german = { country: 'DE' }
    await world.import('bad', '+4930*\n', german)
    const prefix = world.contents('bad')
    expect(prefix.length).toBeGreaterThan(2)
    const narrowed = await world.import('bad', '+4930000-+4930999\n', german)
    expect(narrowed).toMatchObject({ state: 'active', counts: { unchanged: 1 } })
    expect(world.contents('bad')).toEqual(['4930000-4930999'])
    await world.import('bad', '+4930*\n', { ...german, mode: 'append' })
    expect(world.contents('bad')).toEqual(prefix)
    await world.import('bad', '+4930000-+4930999\n', german)
    await world.import('bad', '+4930*\n', german)
    expect(world.contents('bad')).toEqual(prefix)
    const again = await world.import('bad', '+4930*\n', german)
    expect(world.store.list('bad')?.active.layers).toHaveLength(1)
    expect(again.counts).toMatchObject({ added: 0, removed: 0, unchanged: 1, updated: 0 })
  })

  it('accounts for rows, and counts a whole number written as a prefix as two entries', async () => {
    const { counts } = await world.import('bad', '+79160000002*\nx\n')
    expect(counts).toMatchObject({ rows: 2, accepted: 1, rejected: 1, duplicates: 0, added: 2 })
    expect(world.contents('bad')).toEqual(['79160000002', '791600000020000-791600000029999'])
    expect(world.store.list('bad')?.active.entryCount).toBe(2)
  })

  it('keeps a reason that only the longer numbers of a prefix got', async () => {
    await world.import('bad', '+7916*\n')
    await world.import('bad', '+7916*\n+791600000000000-+791699999999999,longer\n')
    expect(world.reasons('bad')).toEqual({ '79160000000-79169999999': '', '791600000000000-791699999999999': 'longer' })
  })

  it('previews without changing anything, and activates on request once', async () => {
    await world.import('bad', lines(0, 10))
    const preview = await world.import('bad', lines(5, 15), { dryRun: true })
    expect(preview).toMatchObject({ state: 'previewed', counts: { added: 5, removed: 5, unchanged: 5 } })
    expect(world.store.list('bad')?.activeVersion).toBe(1)
    const active = await world.imports.activate(preview.importId, 'second')
    expect(active).toMatchObject({ state: 'active', version: 2 })
    expect(await world.imports.activate(preview.importId, 'second')).toMatchObject({ state: 'active' })
    expect(world.contents('bad')).toHaveLength(10)
  })

  it('previews leave the history alone and survive its turning over', async () => {
    await world.import('bad', lines(0, 1))
    const preview = await world.import('bad', lines(0, 5), { dryRun: true })
    expect(world.store.versions('bad')).toHaveLength(1)
    for (let i = 10; i < 10 + 2 * VERSIONS_KEPT; i++) await world.imports.addEntries('bad', [entry(i)], 'test')
    await world.jobs.clean()
    const second = world.restart()
    await second.imports.resume()
    await expect(second.imports.activate(preview.importId, 'second')).rejects.toMatchObject({ code: 'LIST_CHANGED' })
    await second.jobs.clean()
    expect(await second.imports.activate(preview.importId, 'second')).toMatchObject({ state: 'active' })
    expect(second.contents('bad')).toHaveLength(5)
    await second.jobs.clean()
    expect(new Set(second.store.contents.layerIds())).toEqual(second.store.layersInUse())
  })

  it('builds a previewed append again when the list has changed since', async () => {
    await world.import('bad', lines(0, 100))
    const preview = await world.import('bad', lines(100, 110), { mode: 'append', dryRun: true })
    await world.import('bad', lines(200, 210), { mode: 'append' })
    await world.imports.activate(preview.importId, 'second')
    expect(world.contents('bad')).toHaveLength(120)
  })

  it('that replaces is compared again when entries came after its preview', async () => {
    await world.import('bad', lines(0, 10))
    const preview = await world.import('bad', lines(0, 11), { dryRun: true })
    expect(preview.counts).toMatchObject({ added: 1, removed: 0 })
    await world.imports.addEntries('bad', [entry(5_000)], 'test')
    const tooEarly = world.imports.activate(preview.importId, 'second')
    await expect(tooEarly).rejects.toMatchObject({
      code: 'LIST_CHANGED',
      message: expect.stringContaining('removes 1'),
    })
    expect(world.contents('bad')).toHaveLength(11)
    const seen = world.imports.get(preview.importId)
    expect(seen).toMatchObject({ state: 'previewed', counts: { added: 1, removed: 1 } })
    expect(seen.problem?.code).toBe('HELD_LIST_CHANGED')
    expect(await world.imports.activate(preview.importId, 'second')).toMatchObject({ state: 'active' })
    expect(world.contents('bad')).toHaveLength(11)
  })

  it('that replaces becomes active on a list that has only lost what it takes away', async () => {
    await world.import('bad', lines(0, 10))
    const preview = await world.import('bad', lines(0, 5), { dryRun: true })
    await world.imports.removeEntries('bad', [entry(7)], 'test')
    const record = await world.imports.activate(preview.importId, 'second')
    expect(record).toMatchObject({ state: 'active', counts: { removed: 4, unchanged: 5 } })
  })

  it('that somebody has looked at needs no second look when it does no more than then', async () => {
    await world.import('bad', lines(0, 4_000))
    const held = await world.import('bad', lines(0, 1_500), { mode: 'remove' })
    expect(held).toMatchObject({ state: 'held', counts: { removed: 1_500 } })
    await world.imports.addEntries('bad', [entry(5_000)], 'test')
    const record = await world.imports.activate(held.importId, 'second')
    expect(record).toMatchObject({ state: 'active', counts: { removed: 1_500, unchanged: 2_501 } })
    expect(world.contents('bad')).toContain(String(number(5_000)))
  })

  it('keeps its findings when its activation fails', async () => {
    await world.import('bad', lines(0, 10))
    const preview = await world.import('bad', lines(0, 5), { mode: 'append', dryRun: true })
    await world.imports.removeEntries('bad', [entry(1)], 'test')
    world.store.stageVersion = async () => {
      throw new ScreeningError('STORAGE_FULL', 'The disk is full.')
    }
    await expect(world.imports.activate(preview.importId, 'second')).rejects.toMatchObject({ code: 'STORAGE_FULL' })
    expect(world.imports.get(preview.importId)).toEqual(preview)
  })

  it('names clashes with allow and protected lists, and holds what would block protected numbers', async () => {
    await world.createList('friends', 'allow')
    await world.createList('banks', 'protected')
    await world.import('friends', '+79160000001\n+79170000000-+79170000009\n')
    await world.import('banks', '+79160000002\n')
    const record = await world.import('bad', '+79160000001\n+79160000002\n+79170000005\n+7918*\n')
    expect(record).toMatchObject({ state: 'held', problem: { code: 'HELD_BLOCKS_PROTECTED' } })
    expect(record.impact?.clashes).toEqual({
      count: 3,
      protectedCount: 1,
      sample: [
        { number: '+79160000002', list: 'banks', kind: 'protected' },
        { number: '+79160000001', list: 'friends', kind: 'allow' },
        { number: '+79170000005', list: 'friends', kind: 'allow' },
      ],
    })
    expect(world.store.list('bad')?.activeVersion).toBe(0)
    expect(await world.imports.activate(record.importId, 'second')).toMatchObject({ state: 'active' })
    expect(world.imports.get(record.importId).problem).toBeUndefined()
  })

  it.each([
    [10_000, 2_000, 'active'],
    [10_000, 2_001, 'held'],
    [1_100, 999, 'active'],
    [1_100, 1_000, 'held'],
    [999, 999, 'held'],
    [20, 20, 'held'],
    [19, 19, 'active'],
  ])('of %i rows removes %i: %s', async (rows, removed, state) => {
    await world.import('bad', lines(0, rows))
    const record = await world.import('bad', lines(0, removed), { mode: 'remove' })
    expect(record.state).toBe(state)
    const code = removed === rows ? 'HELD_EMPTIES_LIST' : 'HELD_REMOVES_MANY'
    if (state === 'held') expect(record.problem?.code).toBe(code)
  })

  it.each([
    ['protected', 20, 'held'],
    ['protected', 19, 'active'],
    ['allow', 20, 'held'],
    ['do-not-originate', 20, 'held'],
    ['own', 20, 'held'],
    ['deny', 20, 'active'],
    ['watch', 20, 'active'],
  ] as const)('that takes %2$i of 40 numbers from a %1$s list is %3$s', async (kind, removed, state) => {
    await world.createList('small', kind)
    await world.import('small', lines(0, 40))
    expect(await world.import('small', lines(removed, 40))).toMatchObject({ state })
  })

  it('is held when the list it was built on has changed into one that it takes much from', async () => {
    await world.import('bad', lines(0, 100))
    const preview = await world.import('bad', lines(0, 50), { mode: 'remove', dryRun: true })
    await world.import('bad', lines(0, 50))
    const activated = world.imports.activate(preview.importId, 'second')
    await expect(activated).rejects.toMatchObject({ code: 'LIST_CHANGED' })
    const record = world.imports.get(preview.importId)
    expect(record).toMatchObject({ counts: { removed: 50 }, problem: { code: 'HELD_EMPTIES_LIST' } })
    expect(world.contents('bad')).toHaveLength(50)
    expect(await world.imports.activate(preview.importId, 'second')).toMatchObject({ state: 'active' })
    expect(world.contents('bad')).toHaveLength(0)
  })

  it.each([
    [100_000, 1_000, 'active'],
    [100_000, 1_001, 'held'],
    [9_999, 9_999, 'active'],
  ])('of %i calls would have blocked %i: %s', async (totalCalls, calls, state) => {
    const impactOf = async () => ({ hours: 24, calls, callers: 7, totalCalls, complete: true })
    world.remove()
    world = createImportWorld({ traffic: { impactOf } })
    await world.createList('bad')
    await world.createList('good', 'allow')
    const record = await world.import('bad', lines(0, 10))
    expect(record).toMatchObject({ state, impact: { hours: 24, calls, totalCalls } })
    expect(await world.import('good', lines(0, 10))).toMatchObject({ state: 'active' })
  })

  describe('into a list whose callers call all day', () => {
    /** Callers 0-99 of our numbers, a hundred calls each, and one who is nowhere. */
    beforeEach(() =>
      recordTraffic(world, [
        [79990000000, 10_000],
        ...Array.from({ length: 100 }, (_, i) => [number(i), 100] as const),
      ]),
    )
    const calls = ({ impact }: { impact?: ImportImpact }) => [impact?.calls, impact?.callers]

    it('is held when it is new, and has no impact once it is there', async () => {
      const rows = `number,reason,expires\n${lines(0, 50).replaceAll('\n', ',r,\n')}+791600000*,,\n`
      const held = await world.import('bad', rows)
      expect(held).toMatchObject({ state: 'held', problem: { code: 'HELD_BLOCKS_MANY_CALLS' } })
      expect(calls(held)).toEqual([10_000, 100])
      await world.imports.activate(held.importId, 'second')
      for (const mode of ['replace', 'append'] as const) {
        const again = await world.import('bad', rows, { mode })
        expect(again.state).toBe('active')
        expect(calls(again)).toEqual([0, 0])
      }
    })

    it.each(['replace', 'append'] as const)('counts what it covers in another way as no change: %s', async (mode) => {
      world.remove()
      world = createImportWorld({ options: { heldCallsShare: 1 } })
      await world.createList('bad')
      await recordTraffic(
        world,
        Array.from({ length: 100 }, (_, i) => [number(i), 100] as const),
      )
      await world.import('bad', `${lines(0, 5)}+7916000001*\n`)
      // Numbers inside a range of before, a range around numbers of before, and seven new callers.
      const after = await world.import('bad', `${lines(15, 27)}+79160000000-+79160000004\n`, { mode })
      expect(calls(after)).toEqual([700, 7])
      expect(calls(await world.import('bad', lines(0, 5), { mode: 'remove' }))).toEqual([0, 0])
    })

    it('counts callers whose entry was taken off or is over', async () => {
      const past = 'number,expires\n'
      await world.import(
        'bad',
        `${past}+${number(1)},2020-01-01\n+${number(2)},\n+79160000003-+79160000004,2020-01-01\n`,
      )
      await world.imports.removeEntries('bad', [entry(2)], 'test')
      const back = await world.import('bad', lines(1, 5), { mode: 'append' })
      expect(calls(back)).toEqual([400, 4])
    })

    it('is held for a new range over busy callers, as an upload or as an entry', async () => {
      await world.import('bad', lines(0, 1))
      const wider = await world.import('bad', `${lines(0, 1)}+791600000*\n`)
      expect(wider).toMatchObject({ state: 'held', problem: { code: 'HELD_BLOCKS_MANY_CALLS' } })
      expect(calls(wider)).toEqual([9_900, 99])
      const range = { from: entry(0).from, to: entry(98).from, details: {} }
      const added = world.imports.addEntries('bad', [range], 'test')
      await expect(added).rejects.toMatchObject({ code: 'ENTRIES_NEED_PREVIEW' })
      await world.imports.activate(wider.importId, 'second')
      expect(await world.imports.addEntries('bad', [range], 'test')).toMatchObject({ added: 1 })
    })
  })

  it.each([
    ['', 'IMPORT_EMPTY'],
    [Buffer.from('504b030400000000', 'hex'), 'IMPORT_FORMAT'],
    [Array.from({ length: 10 }, (_, digit) => `${digit}*\n`).join(''), 'IMPORT_TOO_WIDE'],
  ])('fails without a trace', async (content, code) => {
    const record = await world.import('bad', content)
    expect(record).toMatchObject({ state: 'failed', problem: { code } })
    expect(world.store.list('bad')?.activeVersion).toBe(0)
    await world.jobs.clean()
    expect(world.store.contents.layerIds()).toEqual([])
    expect(readdirSync(path.join(world.root, 'imports'))).toEqual([])
  })

  it.each(['replace', 'append', 'remove'] as const)(
    'fails and changes nothing when no row can be used: %s',
    async (mode) => {
      await world.import('bad', lines(0, 3))
      const record = await world.import('bad', 'number,reason\n+7916,x\nBANK,y\n', { mode })
      expect(record).toMatchObject({ state: 'failed', problem: { code: 'IMPORT_EMPTY' } })
      // The findings stay: what was wrong with each row, and the file to mend.
      expect(record.counts).toMatchObject({ rows: 2, accepted: 0, rejected: 2 })
      expect(record.rejected.map(({ line }) => line)).toEqual([2, 3])
      const file = readFileSync(world.imports.rejectedCsvPath(record.importId) ?? '', 'utf8')
      expect(file.trim().split('\n')).toHaveLength(3)
      expect(world.store.list('bad')).toMatchObject({ activeVersion: 1, active: { entryCount: 3 } })
    },
  )

  it('is refused when list and upload together would be too wide, and can still take that away', async () => {
    expect(await world.import('bad', tenths(0, 5), { mode: 'append' })).toMatchObject({ state: 'active' })
    const second = await world.import('bad', tenths(5, 10), { mode: 'append' })
    expect(second).toMatchObject({ state: 'failed', problem: { code: 'IMPORT_TOO_WIDE' } })
    expect(second.problem?.detail).toContain('would cover 100 %')
    expect(await world.import('bad', tenths(4, 5), { mode: 'remove' })).toMatchObject({ state: 'active' })
    expect(await world.import('bad', tenths(5, 6), { mode: 'append' })).toMatchObject({ state: 'active' })
  })

  it('is refused when entries that came while it was built make it too wide', async () => {
    await world.import('bad', lines(0, 100))
    world.afterJob = async (job) => {
      if (job.kind !== 'stage-import') return
      world.afterJob = () => {}
      await world.imports.addEntries('bad', tenthEntries(0, 3), 'test')
    }
    const record = await world.import('bad', lines(100, 300) + tenths(5, 8), { mode: 'append' })
    expect(record).toMatchObject({ state: 'failed', problem: { code: 'IMPORT_TOO_WIDE' } })
    expect(world.store.list('bad')?.active.entryCount).toBe(103)
  })

  it('leaves no file when not even its outcome can be stored', async () => {
    const put = world.store.putDocument
    const full = new ScreeningError('STORAGE_FULL', 'The disk is full.')
    world.afterJob = (job) => {
      if (job.kind !== 'stage-import') return
      world.store.putDocument = async () => {
        throw full
      }
    }
    const record = await world.import('bad', lines(0, 10))
    expect(record).toMatchObject({ state: 'failed', problem: { code: 'STORAGE_FULL' } })
    await expect.poll(() => readdirSync(path.join(world.root, 'imports'))).toEqual([])
    expect(world.faults.splice(0)).toEqual([full])
    world.store.putDocument = put
    world.afterJob = () => {}
    expect(await world.import('bad', lines(0, 10))).toMatchObject({ state: 'active' })
  })

  it('is in the audit log from its beginning, with whoever held, activated or cancelled it', async () => {
    const deeds = (importId: string) =>
      world.store
        .audit(100)
        .filter(({ subject }) => subject === importId)
        .map(({ action, actor }) => `${action} by ${actor}`)
        .reverse()
    await world.import('bad', lines(0, 2_000))
    const held = await world.import('bad', lines(0, 10))
    await world.imports.activate(held.importId, 'second')
    expect(deeds(held.importId)).toEqual(['import.begin by test', 'import.hold by system', 'import.activate by second'])
    const preview = await world.import('bad', lines(0, 1), { dryRun: true })
    await world.imports.cancel(preview.importId, 'third')
    expect(deeds(preview.importId)).toEqual(['import.begin by test', 'import.cancel by third'])
    const [entry] = world.store.audit(1)
    expect(entry?.detail).toEqual({ list: 'bad', mode: 'replace', dryRun: true, state: 'cancelled' })
  })

  it.each([false, true])('that is held is for a second person, when that is asked for; preview: %s', async (dryRun) => {
    await world.import('bad', lines(0, 2_000))
    const { importId } = await world.import('bad', lines(0, 10), { dryRun })
    const second = { mustBeSecond: true }
    const own = world.imports.activate(importId, 'test', second)
    await expect(own).rejects.toMatchObject({ code: 'SECOND_PERSON_NEEDED', message: expect.stringContaining('90') })
    expect(world.contents('bad')).toHaveLength(2_000)
    expect(await world.imports.activate(importId, 'second', second)).toMatchObject({ state: 'active' })
    expect(await world.imports.activate(importId, 'test', second)).toMatchObject({ state: 'active' })
    const small = await world.import('bad', lines(0, 11), { dryRun: true })
    expect(await world.imports.activate(small.importId, 'test', second)).toMatchObject({ state: 'active' })
    const again = await world.import('bad', lines(0, 10), { dryRun: true })
    expect(await world.imports.activate(again.importId, 'test')).toMatchObject({ state: 'active' })
  })

  it('offers the rejected rows, which import once they are corrected', async () => {
    const record = await world.import('bad', 'number;reason\n+7916;first\n+79160000001;second\n')
    const file = world.imports.rejectedCsvPath(record.importId) ?? ''
    const corrected = readFileSync(file, 'utf8').replace('+7916;', '+79160000002;')
    expect(await world.import('bad', corrected, { mode: 'append' })).toMatchObject({
      state: 'active',
      counts: { rows: 1, accepted: 1, added: 1 },
    })
    expect(world.contents('bad')).toEqual(['79160000001', '79160000002'])
  })

  it('waits for somebody only so long: the oldest preview gives way', async () => {
    const first = await world.import('bad', lines(0, 1), { dryRun: true })
    for (let i = 0; i < IMPORTS_WAITING_MAX - 1; i++) await world.import('bad', lines(0, 1), { dryRun: true })
    expect(world.imports.get(first.importId).state).toBe('previewed')
    await world.import('bad', lines(0, 1), { dryRun: true })
    await expect.poll(() => world.imports.get(first.importId).state).toBe('cancelled')
    await expect.poll(() => world.store.audit(1)[0]).toMatchObject({ action: 'import.cancel', actor: 'system' })
    expect(world.imports.list().filter(({ state }) => state === 'previewed')).toHaveLength(IMPORTS_WAITING_MAX)
  })

  it('can be cancelled while it waits, runs, or is previewed, and not after', async () => {
    let release = () => {}
    world.beforeJob = (job) =>
      job.kind === 'stage-import'
        ? new Promise<void>((resolve) => {
            release = resolve
          })
        : undefined
    const running = await world.begin('bad', lines(0, 10))
    const waiting = await world.begin('bad', lines(0, 10))
    expect(await world.imports.cancel(waiting, 'test')).toMatchObject({ state: 'cancelled' })
    const cancelled = world.imports.cancel(running, 'test')
    release()
    expect(await cancelled).toMatchObject({ state: 'cancelled' })
    expect(world.store.audit(10)).toContainEqual(
      expect.objectContaining({ action: 'import.cancel', subject: running, actor: 'test' }),
    )
    world.beforeJob = () => {}
    const preview = await world.import('bad', lines(0, 10), { dryRun: true })
    expect(await world.imports.cancel(preview.importId, 'test')).toMatchObject({ state: 'cancelled' })
    expect(await world.imports.cancel(preview.importId, 'test')).toMatchObject({ state: 'cancelled' })
    const { importId } = await world.import('bad', lines(0, 10))
    const conflict = { code: 'IMPORT_STATE' }
    await expect(world.imports.cancel(importId, 'test')).rejects.toMatchObject(conflict)
    await expect(world.imports.activate(preview.importId, 'test')).rejects.toMatchObject(conflict)
    expect(() => world.imports.get('imp-none')).toThrow(expect.objectContaining({ code: 'IMPORT_UNKNOWN' }))
  })

  it('is refused for an unknown list or country, and beyond the queue, leaving no file', async () => {
    await expect(world.begin('none', lines(0, 1))).rejects.toMatchObject({ code: 'LIST_UNKNOWN' })
    await expect(world.begin('bad', lines(0, 1), { country: 'XX' })).rejects.toMatchObject({ code: 'QUERY_INVALID' })
    let release = () => {}
    const gate = new Promise<void>((resolve) => {
      release = resolve
    })
    world.beforeJob = (job) => (job.kind === 'stage-import' ? gate : undefined)
    const begun = [await world.begin('bad', lines(0, 1))]
    for (let i = 0; i < IMPORTS_QUEUED_MAX; i++) begun.push(await world.begin('bad', lines(0, 1)))
    await expect(world.begin('bad', lines(0, 1))).rejects.toMatchObject({ code: 'QUEUE_FULL' })
    release()
    for (const importId of begun) expect(await world.settled(importId)).toMatchObject({ state: 'active' })
    await world.jobs.clean()
    expect(readdirSync(path.join(world.root, 'imports'))).toEqual([])
  })
})

describe('activations that build again', () => {
  /** A preview on each of these lists, whose list has changed since. */
  async function stalePreviews(lists: readonly string[]): Promise<string[]> {
    const importIds: string[] = []
    for (const list of lists) {
      await world.createList(list)
      await world.import(list, lines(0, 10))
      const preview = await world.import(list, lines(10, 20), { mode: 'append', dryRun: true })
      await world.imports.addEntries(list, [entry(5_000)], 'test')
      importIds.push(preview.importId)
    }
    return importIds
  }

  it('run as few at a time as imports do, and entries do not wait for them', async () => {
    const importIds = await stalePreviews(['first', 'second', 'third'])
    let running = 0
    let most = 0
    let release = () => {}
    const gate = new Promise<void>((resolve) => {
      release = resolve
    })
    world.beforeJob = async (job) => {
      if (job.kind !== 'stage-import') return
      most = Math.max(most, ++running)
      await gate
    }
    world.afterJob = (job) => {
      if (job.kind === 'stage-import') running--
    }
    const uploaded = await world.begin('bad', lines(0, 10))
    const activations = importIds.map((importId) => world.imports.activate(importId, 'second'))
    await expect.poll(() => running).toBe(1)
    expect(await world.imports.addEntries('third', [entry(6_000)], 'test')).toMatchObject({ added: 1 })
    release()
    for (const record of await Promise.all(activations)) expect(record).toMatchObject({ state: 'active' })
    expect(await world.settled(uploaded)).toMatchObject({ state: 'active' })
    expect(most).toBe(1)
    expect(world.contents('third')).toHaveLength(22)
  })

  it('leave what is ready alone: it does not wait for an import of another list', async () => {
    await world.createList('other')
    const ready = await world.import('other', lines(0, 10), { dryRun: true })
    let release = () => {}
    const gate = new Promise<void>((resolve) => {
      release = resolve
    })
    world.beforeJob = (job) => (job.kind === 'stage-import' ? gate : undefined)
    const running = await world.begin('bad', lines(0, 10))
    expect(await world.imports.activate(ready.importId, 'second')).toMatchObject({ state: 'active' })
    release()
    expect(await world.settled(running)).toMatchObject({ state: 'active' })
  })
})

describe('entries', () => {
  it('are in force at once, alone or while an import runs, and neither loses the other', async () => {
    await world.import('bad', lines(0, 100))
    let release = () => {}
    const gate = new Promise<void>((resolve) => {
      release = resolve
    })
    world.afterJob = (job) => (job.kind === 'stage-import' ? gate : undefined)
    const importId = await world.begin('bad', lines(1_000, 3_000), { mode: 'append' })
    const changed = await world.imports.addEntries('bad', [entry(5_000), entry(1)], 'test')
    expect(changed).toMatchObject({ added: 1, removed: 0, unchanged: 100, updated: 1 })
    await world.imports.removeEntries('bad', [entry(0), entry(1_500)], 'test')
    expect(world.contents('bad')).toHaveLength(100)
    release()
    expect(await world.settled(importId)).toMatchObject({ state: 'active' })
    const contents = world.contents('bad')
    expect(contents).toHaveLength(2_100)
    expect(contents).toContain(String(number(5_000)))
    expect(contents).not.toContain(String(number(0)))
    expect(world.store.list('bad')?.active).toMatchObject({ entryCount: 2_100, layers: [{ numberCount: 3 }, {}] })
  })

  it('added while a replacement runs are the later word', async () => {
    await world.import('bad', lines(0, 100))
    world.afterJob = async (job) => {
      if (job.kind !== 'stage-import') return
      world.afterJob = () => {}
      await world.imports.addEntries('bad', [entry(5_000)], 'test')
      await world.imports.removeEntries('bad', [entry(50)], 'test')
    }
    const record = await world.import('bad', lines(10, 200))
    expect(record).toMatchObject({ state: 'active', counts: { added: 100, removed: 10, unchanged: 90 } })
    expect(world.contents('bad')).toContain(String(number(5_000)))
    expect(world.contents('bad')).not.toContain(String(number(50)))
    expect(world.contents('bad')).toHaveLength(190)
  })

  it('added while a replacement of an empty list runs are counted as removed', async () => {
    world.afterJob = async (job) => {
      if (job.kind !== 'stage-import') return
      world.afterJob = () => {}
      await world.imports.addEntries('bad', [entry(5_000), entry(1)], 'test')
    }
    const record = await world.import('bad', lines(0, 10))
    expect(record).toMatchObject({ state: 'active', counts: { added: 9, removed: 1, unchanged: 1 } })
    expect(world.contents('bad')).toHaveLength(10)
  })

  it.each([
    ['nothing else', false],
    ['and another entry was added', true],
  ])('that a restore took away stay away when an import built on them becomes active: %s', async (_name, isMore) => {
    await world.import('bad', lines(0, 100))
    await world.imports.addEntries('bad', [entry(5_000)], 'test')
    world.afterJob = async (job) => {
      if (job.kind !== 'stage-import') return
      world.afterJob = () => {}
      await world.store.activateVersion('bad', 1, {}, 'analyst')
      if (isMore) await world.imports.addEntries('bad', [entry(6_000)], 'test')
    }
    const record = await world.import('bad', lines(1_000, 3_000), { mode: 'append' })
    expect(record).toMatchObject({ state: 'active', counts: { added: 2_000, unchanged: isMore ? 101 : 100 } })
    const contents = world.contents('bad')
    expect(contents).not.toContain(String(number(5_000)))
    expect(contents.includes(String(number(6_000)))).toBe(isMore)
    expect(contents).toHaveLength(isMore ? 2_101 : 2_100)
  })

  it('that change nothing make no version', async () => {
    await world.imports.addEntries('bad', [entry(1)], 'test')
    expect(await world.imports.addEntries('bad', [entry(1)], 'test')).toMatchObject({ added: 0, unchanged: 1 })
    expect(await world.imports.removeEntries('bad', [entry(2)], 'test')).toMatchObject({ removed: 0, unchanged: 1 })
    expect(world.store.versions('bad')).toHaveLength(1)
    await expect(world.imports.addEntries('none', [entry(1)], 'test')).rejects.toMatchObject({ code: 'LIST_UNKNOWN' })
  })

  it('are refused when with them the list is too wide', async () => {
    const all = world.imports.addEntries('bad', tenthEntries(0, 10), 'test')
    await expect(all).rejects.toMatchObject({ code: 'IMPORT_TOO_WIDE' })
    expect(world.contents('bad')).toEqual([])
    await world.imports.addEntries('bad', tenthEntries(0, 5), 'test')
    const more = world.imports.addEntries('bad', tenthEntries(7, 8), 'test')
    await expect(more).rejects.toMatchObject({ code: 'IMPORT_TOO_WIDE' })
    expect(await world.imports.addEntries('bad', [entry(1)], 'test')).toMatchObject({ added: 1 })
  })

  it('that would block protected numbers need a preview, unless a person has looked at them', async () => {
    await world.createList('banks', 'protected')
    await world.import('banks', lines(5, 6))
    const add = world.imports.addEntries('bad', [entry(4), entry(5)], 'test')
    await expect(add).rejects.toMatchObject({ code: 'ENTRIES_NEED_PREVIEW', message: expect.stringContaining('1 of') })
    expect(world.contents('bad')).toEqual([])
    await world.createList('seen', 'watch')
    expect(await world.imports.addEntries('seen', [entry(5)], 'test')).toMatchObject({ added: 1 })
    const reviewed = await world.imports.addEntries('bad', [entry(5)], 'test', { isReviewed: true })
    expect(reviewed).toMatchObject({ added: 1 })
    const reworded = { ...entry(5), details: { reason: 'asked twice' } }
    expect(await world.imports.addEntries('bad', [reworded], 'test')).toMatchObject({ added: 0, updated: 1 })
    expect(await world.imports.removeEntries('bad', [entry(5)], 'test')).toMatchObject({ removed: 1 })
  })

  it.each([
    ['deny', 1_001, true],
    ['deny', 1_000, false],
    ['do-not-originate', 1_001, true],
    ['allow', 1_001, false],
  ] as const)(
    'that are ranges on a %s list and hit %i of 100,000 calls: refused is %s',
    async (kind, calls, isRefused) => {
      const impactOf = async () => ({ hours: 24, calls, callers: 7, totalCalls: 100_000, complete: true })
      world.remove()
      world = createImportWorld({ traffic: { impactOf } })
      await world.createList('bad', kind)
      const add = world.imports.addEntries('bad', tenthEntries(9, 10), 'test')
      if (isRefused) await expect(add).rejects.toMatchObject({ code: 'ENTRIES_NEED_PREVIEW' })
      else expect(await add).toMatchObject({ added: 1 })
    },
  )

  it('are refused beyond so many at once', async () => {
    const many = Array.from({ length: CHANGE_ENTRIES_MAX + 1 }, () => entry(1))
    await expect(world.imports.addEntries('bad', many, 'test')).rejects.toMatchObject({ code: 'BODY_TOO_LARGE' })
    expect(await world.imports.addEntries('bad', many.slice(1), 'test')).toMatchObject({ added: 1 })
  })

  it('added at the same moment are all there', async () => {
    await Promise.all(Array.from({ length: 30 }, (_, i) => world.imports.addEntries('bad', [entry(i)], 'test')))
    expect(world.contents('bad')).toHaveLength(30)
    await world.jobs.clean()
    const inUse = world.store.layersInUse()
    expect(world.store.contents.layerIds().every((layerId) => inUse.has(layerId))).toBe(true)
  })

  it('leave no pile of layers behind, whether they are taken or refused', async () => {
    await world.createList('banks', 'protected')
    await world.import('banks', lines(0, 1))
    for (let i = 1; i < 5 * VERSIONS_KEPT; i++) await world.imports.addEntries('bad', [entry(i)], 'test')
    for (let i = 0; i < 2 * VERSIONS_KEPT; i++) {
      await expect(world.imports.addEntries('bad', [entry(0)], 'test')).rejects.toThrow('protected')
    }
    await world.jobs.run({ kind: 'clean-lists', keepLayers: [], layerIdMax: 0 })
    expect(world.store.contents.layerIds().length).toBeLessThanOrEqual(2 * VERSIONS_KEPT + 1)
  })

  it('keep their details when the delta becomes a base', async () => {
    await world.imports.addEntries('bad', [entry(1)], 'test')
    await world.import('bad', lines(100, 300), { mode: 'append' })
    const layer = world.store.list('bad')?.active.layers[0]?.layerId ?? 0
    expect(world.store.contents.entry(layer, entry(1).from)?.details).toEqual({ reason: 'confirmed' })
  })
})

describe('import records', () => {
  it('forget the oldest finished import beyond so many', async () => {
    const records = createImportRecords(world.store)
    const { importId: template } = await world.import('bad', lines(0, 1))
    const { record } = world.store.document('imports', template) as StoredImport
    const put = (importId: string, state: 'active' | 'held') =>
      records.put({ record: { ...record, importId, state }, spool: 'x', spoolBytes: 1, attempts: 1 })
    await put('imp-0-held', 'held')
    for (let i = 1; i < IMPORTS_KEPT; i++) expect(await put(`imp-1-${i}`, 'active')).toEqual([])
    const forgotten = await put('imp-2', 'active')
    expect(forgotten.map((stored) => stored.record.importId)).toEqual(['imp-1-1'])
    expect([records.has('imp-0-held'), records.has('imp-1-1')]).toEqual([true, false])
    expect(world.store.document('imports', 'imp-1-1')).toBeUndefined()
  })
})

describe('after a restart', () => {
  it('an interrupted import begins again, and fails when it was interrupted twice', async () => {
    world.beforeJob = (job) => (job.kind === 'stage-import' ? new Promise<void>(() => {}) : undefined)
    const importId = await world.begin('bad', lines(0, 10))
    const second = world.restart()
    second.beforeJob = world.beforeJob
    await second.imports.resume()
    expect(second.imports.get(importId).state).toBe('parsing')
    const third = second.restart()
    await third.imports.resume()
    expect(await third.settled(importId)).toMatchObject({ state: 'failed', problem: { code: 'IMPORT_INTERRUPTED' } })
    expect(third.store.list('bad')?.activeVersion).toBe(0)
    const again = third.restart()
    await again.imports.resume()
    expect(await again.import('bad', lines(0, 10))).toMatchObject({ state: 'active' })
    expect(again.imports.list().map(({ state }) => state)).toEqual(['active', 'failed'])
  })

  it('an interrupted import is finished when its spool is whole', async () => {
    world.beforeJob = (job) => (job.kind === 'stage-import' ? new Promise<void>(() => {}) : undefined)
    const whole = await world.begin('bad', lines(0, 10))
    await world.createList('other')
    const cut = await world.begin('other', lines(0, 10))
    const [spool = ''] = readdirSync(path.join(world.root, 'imports')).sort().slice(-1)
    writeFileSync(path.join(world.root, 'imports', spool), '+791')
    writeFileSync(path.join(world.root, 'imports', 'abandoned.spool'), 'x')
    writeFileSync(path.join(world.root, 'gates', 'layer-77.gate'), 'x')
    const second = world.restart()
    await second.imports.resume()
    expect(await second.settled(whole)).toMatchObject({ state: 'active' })
    expect(await second.settled(cut)).toMatchObject({ state: 'failed', problem: { code: 'IMPORT_INTERRUPTED' } })
    await second.jobs.clean()
    expect(readdirSync(path.join(world.root, 'imports'))).toEqual([])
    expect(existsSync(path.join(world.root, 'gates', 'layer-77.gate'))).toBe(false)
  })

  it('an import that was active but not noted as such is', async () => {
    const record = await world.import('bad', lines(0, 10))
    const stored = world.store.document('imports', record.importId) as { record: { state: string } }
    await world.store.putDocument('imports', record.importId, {
      ...stored,
      record: { ...stored.record, state: 'activating' },
    })
    const second = world.restart()
    await second.imports.resume()
    expect(second.imports.get(record.importId)).toMatchObject({ state: 'active', version: 1 })
    expect(second.store.versions('bad')).toHaveLength(1)
  })

  it('an orderly stop is no interruption', async () => {
    let isOpen = false
    const beforeJob: ImportWorld['beforeJob'] = async (job) => {
      const isAsked = () => job.kind !== 'stage-import' || Atomics.load(new Int32Array(job.control), 0) !== 0
      while (!isOpen && !isAsked()) await new Promise((resolve) => setTimeout(resolve, 2))
    }
    let current = world
    current.beforeJob = beforeJob
    const importId = await world.begin('bad', lines(0, 10))
    for (let i = 0; i < 4; i++) {
      await current.imports.close()
      current = current.restart()
      current.beforeJob = beforeJob
      await current.imports.resume()
      expect(current.imports.get(importId).state).toBe('parsing')
    }
    isOpen = true
    expect(await current.settled(importId)).toMatchObject({ state: 'active' })
  })

  it('a preview can still be activated', async () => {
    const preview = await world.import('bad', lines(0, 10), { dryRun: true })
    const second = world.restart()
    await second.imports.resume()
    expect(await second.imports.activate(preview.importId, 'second')).toMatchObject({ state: 'active' })
    expect(second.contents('bad')).toHaveLength(10)
  })
})
