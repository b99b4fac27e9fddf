import { describe, expect, it } from 'vitest'
import { ENTRY_PRESENT } from '../../../src/domain/lookup.ts'
import { createSnapshotBuilder } from '../../../src/services/build-snapshot.ts'
import { createGate, gateAddAll, gateHas, gateToBytes, openGate } from '../../../src/shm/gate.ts'
import { COVERING_TAGS_MAX, openIntervals } from '../../../src/shm/intervals.ts'
import { numberTableState, openNumberTable } from '../../../src/shm/number-table.ts'
import { memoryContents } from '../../../src/stores/memory/memory-contents.ts'
import type { LayerRef, ListRecord, NumberingPlan } from '../../../src/stores/ports.ts'
import { DEFAULT_POLICY } from '../../fixtures/screening-world.ts'

const NUMBERS = Float64Array.of(79_160_000_001, 79_160_000_002, 79_160_000_003)
const LAYER: LayerRef = { layerId: 1, numberCount: NUMBERS.length, rangeCount: 0, stamp: 77 }

function listOf(layers: readonly LayerRef[]): ListRecord {
  const active = { version: 1, layers, entryCount: NUMBERS.length, createdMs: 0, actor: 'test' }
  return { listId: 1, name: 'bad', kind: 'deny', title: '', createdMs: 0, activeVersion: 1, active }
}

function gateFile(numbers: Float64Array, stamp: number): Uint8Array {
  const memory = createGate(numbers.length)
  gateAddAll(openGate(memory), numbers)
  return gateToBytes(memory, stamp)
}

type Options = {
  readonly policyVersion?: () => number
  readonly onRangesRefused?: (error: unknown) => void
  readonly numberingPlans?: () => NumberingPlan[]
  readonly gateFile?: Uint8Array | undefined
  readonly lists: () => ListRecord[]
  readonly tableBytesMax?: number
}

function builderOver(options: Options) {
  const { contents } = memoryContents(() => undefined)
  let filesRead = 0
  const rebuilt: { layerId: number; cause: unknown }[] = []
  const builder = createSnapshotBuilder(
    { trunks: [], withGates: true, tableBytesMax: options.tableBytesMax ?? 0 },
    {
      store: {
        lists: options.lists,
        policy: () => ({
          version: options.policyVersion?.() ?? 1,
          text: '',
          document: DEFAULT_POLICY,
          activatedMs: 0,
          actor: 'test',
        }),
        numberingPlans: options.numberingPlans ?? (() => []),
        readReputationNumbers: () => 0,
      },
      contents,
      async readGateFile() {
        filesRead++
        return options.gateFile
      },
      onGateRebuilt: ({ layerId }, _gate, cause) => void rebuilt.push({ layerId, cause }),
      onRangesRefused:
        options.onRangesRefused ??
        ((error) => {
          throw error
        }),
    },
  )
  contents.putLayer(1, {
    numbers: NUMBERS,
    rangesFrom: new Float64Array(),
    rangesTo: new Float64Array(),
    dictionary: [],
  })
  return { builder, contents, rebuilt, filesRead: () => filesRead }
}

describe('a snapshot', () => {
  it('follows a layer that is replaced under its id by one with another stamp', async () => {
    let layer = LAYER
    const { builder, contents } = builderOver({ lists: () => [listOf([layer])] })
    await builder.build()
    const numbers = Float64Array.of(79_260_000_001)
    const none = new Float64Array()
    contents.putLayer(1, { numbers, rangesFrom: none, rangesTo: none, dictionary: [] })
    layer = { layerId: 1, numberCount: 1, rangeCount: 0, stamp: 78 }
    const { globalGate, lists } = await builder.build()
    for (const memory of [globalGate, lists[0]?.layers[0]?.gate ?? createGate(1)]) {
      expect(gateHas(openGate(memory), 79_260_000_001)).toBe(true)
    }
  })

  it.each([
    ['there is none', undefined, 1],
    ['it is damaged', new Uint8Array(100), 1],
    ['it was made of other contents with the same layer id', gateFile(Float64Array.of(1, 2, 3), 76), 1],
    ['it is the one that was written', gateFile(NUMBERS, 77), 0],
  ])('lets every listed number through its gates whatever the gate file: %s', async (_what, file, rebuiltCount) => {
    const { builder, rebuilt } = builderOver({ gateFile: file, lists: () => [listOf([LAYER])] })
    const { globalGate, lists } = await builder.build()
    for (const memory of [globalGate, lists[0]?.layers[0]?.gate ?? createGate(1)]) {
      for (const number of NUMBERS) expect(gateHas(openGate(memory), number)).toBe(true)
    }
    expect(rebuilt).toHaveLength(rebuiltCount)
  })

  it('has one gate for everything where every layer has a table, and reads no gate file twice', async () => {
    const { builder, filesRead } = builderOver({ lists: () => [listOf([LAYER])], tableBytesMax: 2 ** 20 })
    const first = await builder.build()
    const [layer] = first.lists[0]?.layers ?? []
    expect(layer?.gate).toBe(first.globalGate)
    const table = openNumberTable(layer?.numbers ?? createGate(1))
    expect([...NUMBERS, 1].map((number) => numberTableState(table, number, 0) === ENTRY_PRESENT)).toEqual([
      true,
      true,
      true,
      false,
    ])
    const second = await builder.build()
    expect(second.globalGate).toBe(first.globalGate)
    expect(filesRead()).toBe(1)
  })

  it('has a gate of its own for a layer without a table', async () => {
    const { builder } = builderOver({ lists: () => [listOf([LAYER])] })
    const { globalGate, lists } = await builder.build()
    const [layer] = lists[0]?.layers ?? []
    expect(layer?.numbers).toBeUndefined()
    expect(layer?.gate).not.toBe(globalGate)
  })

  it('is made of the newer version when the one it was reading is dropped', async () => {
    const gone: LayerRef = { ...LAYER, layerId: 9 }
    let asked = 0
    const { builder } = builderOver({ lists: () => [listOf([asked++ === 0 ? gone : LAYER])] })
    const { lists } = await builder.build()
    expect(lists[0]?.layers.map(({ layerId }) => layerId)).toEqual([1])
  })

  it('fails when what is in force is not there', async () => {
    const { builder } = builderOver({ lists: () => [listOf([{ ...LAYER, layerId: 9 }])] })
    await expect(builder.build()).rejects.toMatchObject({ code: 'STORAGE_FAILED' })
  })

  it('keeps its intervals while the layers they are made of are the same, whatever else changes', async () => {
    let policyVersion = 1
    let layers = [rangeLayer(2, 5)]
    const plan = numberingPlan(3, 4)
    const { builder, contents } = builderOver({
      lists: () => [listOf(layers)],
      policyVersion: () => policyVersion++,
      numberingPlans: () => [{ ...plan, covers: [...plan.covers] }],
    })
    putRanges(contents, 2, 5)
    putRanges(contents, 3, 4)
    const first = await builder.build()
    layers = [...layers, LAYER]
    const second = await builder.build()
    expect(second.policyVersion).toBe(first.policyVersion + 1)
    expect(second.ranges).toBe(first.ranges)
    expect(second.rangeList).toBe(first.rangeList)
    expect(second.numbering[0]?.allocated).toBe(first.numbering[0]?.allocated)
    expect(openIntervals(second.ranges).segmentCount).toBe(5)
  })

  it('makes its intervals anew of a layer that is replaced under its id', async () => {
    let layer = rangeLayer(2, 5)
    let plan = numberingPlan(3, 5)
    const { builder, contents } = builderOver({ lists: () => [listOf([layer])], numberingPlans: () => [plan] })
    putRanges(contents, 2, 5)
    putRanges(contents, 3, 5)
    await builder.build()
    putRanges(contents, 2, 6)
    putRanges(contents, 3, 6)
    layer = rangeLayer(2, 6)
    plan = numberingPlan(3, 6)
    const { ranges, numbering } = await builder.build()
    expect(openIntervals(ranges).segmentCount).toBe(6)
    expect(numbering.map(({ allocated }) => openIntervals(allocated).segmentCount)).toEqual([6])
  })

  it('does not keep intervals of a layer that was another when it was read', async () => {
    let count = 5
    const { builder, contents } = builderOver({ lists: () => [listOf([rangeLayer(2, 6)])] })
    putRanges(contents, 2, count)
    await builder.build()
    count = 6
    putRanges(contents, 2, count)
    expect(openIntervals((await builder.build()).ranges).segmentCount).toBe(6)
  })

  it('says once that ranges do not fit together, and keeps those of before', async () => {
    const refused: unknown[] = []
    let layer = rangeLayer(2, 5)
    const { builder, contents } = builderOver({
      lists: () => Array.from({ length: COVERING_TAGS_MAX + 1 }, (_, i) => ({ ...listOf([layer]), listId: i + 1 })),
      onRangesRefused: (error) => void refused.push(error),
    })
    putRanges(contents, 2, 5)
    layer = { ...layer, rangeCount: 0 }
    const before = await builder.build()
    layer = rangeLayer(2, 5)
    const after = await builder.build()
    await builder.build()
    expect(after.ranges).toBe(before.ranges)
    expect(refused).toEqual([expect.objectContaining({ code: 'IMPORT_TOO_WIDE' })])
  })

  it.each([
    ['ascending', [10, 20, 30]],
    ['in any order', [30, 10, 20]],
    ['twice', [10, 10, 20, 30, 30]],
  ])('has every range of a layer that come %s', async (_how, starts) => {
    const { builder, contents } = builderOver({ lists: () => [listOf([rangeLayer(2, starts.length)])] })
    const rangesFrom = Float64Array.from(starts)
    const ranges = { rangesFrom, rangesTo: rangesFrom.map((from) => from + 4) }
    contents.putLayer(2, { numbers: new Float64Array(0), ...ranges, dictionary: [] }, { stamp: starts.length })
    expect([...openIntervals((await builder.build()).ranges).froms]).toEqual([10, 20, 30])
  })

  it('gives the event loop its turns while it makes intervals of many ranges', async () => {
    const count = 50_000
    const { builder, contents } = builderOver({ lists: () => [listOf([rangeLayer(2, count)])] })
    putRanges(contents, 2, count)
    let turns = 0
    let isBuilding = true
    const countTurns = () => {
      turns++
      if (isBuilding) setImmediate(countTurns)
    }
    setImmediate(countTurns)
    const { ranges } = await builder.build()
    isBuilding = false
    expect(openIntervals(ranges).segmentCount).toBe(count)
    // 2n boundaries of 4,096 a step, and the collecting before it: at least.
    expect(turns).toBeGreaterThan((count * 2) / 4_096)
  })
})

type Contents = ReturnType<typeof memoryContents>['contents']

function rangeLayer(layerId: number, rangeCount: number): LayerRef {
  return { layerId, numberCount: 0, rangeCount, stamp: rangeCount }
}

function numberingPlan(layerId: number, rangeCount: number): NumberingPlan {
  const covers = [{ from: 79_000_000_000, to: 79_999_999_999 }]
  return { name: 'ru', covers, layerId, rangeCount, stamp: rangeCount, asOfMs: 0, importedMs: 0, version: 1 }
}

function putRanges(contents: Contents, layerId: number, count: number): void {
  const rangesFrom = Float64Array.from({ length: count }, (_, i) => 79_000_000_000 + i * 10)
  contents.putLayer(
    layerId,
    { numbers: new Float64Array(0), rangesFrom, rangesTo: rangesFrom.map((from) => from + 4), dictionary: [] },
    { stamp: count },
  )
}
