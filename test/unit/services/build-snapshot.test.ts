import { describe, expect, it } from 'vitest'
import { ENTRY_PRESENT } from '../../../src/domain/lookup.ts'
import { createSnapshotBuilder } from '../../../src/services/build-snapshot.ts'
import { createGate, gateAddAll, gateHas, gateToBytes, openGate } from '../../../src/shm/gate.ts'
import { numberTableState, openNumberTable } from '../../../src/shm/number-table.ts'
import { memoryContents } from '../../../src/stores/memory/memory-contents.ts'
import type { LayerRef, ListRecord } from '../../../src/stores/ports.ts'
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
        policy: () => ({ version: 1, text: '', document: DEFAULT_POLICY, activatedMs: 0, actor: 'test' }),
        numberingPlans: () => [],
        readReputationNumbers: () => 0,
      },
      contents,
      async readGateFile() {
        filesRead++
        return options.gateFile
      },
      onGateRebuilt: ({ layerId }, _gate, cause) => void rebuilt.push({ layerId, cause }),
      onRangesRefused: (error) => {
        throw error
      },
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
})
