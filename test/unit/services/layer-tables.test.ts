import { describe, expect, it } from 'vitest'
import { ENTRY_ABSENT, ENTRY_EXPIRED, ENTRY_PRESENT, ENTRY_REMOVED, EXPIRES_NEVER } from '../../../src/domain/lookup.ts'
import { createLayerTables } from '../../../src/services/layer-tables.ts'
import {
  createNumberTable,
  numberTableBytesUsed,
  numberTableState,
  openNumberTable,
} from '../../../src/shm/number-table.ts'
import { memoryContents } from '../../../src/stores/memory/memory-contents.ts'
import { type LayerContents, type LayerRef, NO_DETAILS, REMOVED } from '../../../src/stores/ports.ts'

const NONE = new Float64Array(0)
const NOW = 10_000

function world(bytesMax: number) {
  const { contents } = memoryContents(() => undefined)
  const refused: number[] = []
  let reads = 0
  let beforeRead = () => {}
  const tables = createLayerTables(
    { bytesMax },
    {
      contents: {
        layer: contents.layer,
        readExpiries(...asked) {
          reads++
          beforeRead()
          return contents.readExpiries(...asked)
        },
      },
      onRefused: ({ layerId }) => refused.push(layerId),
    },
  )
  return {
    tables,
    contents,
    refused,
    reads: () => reads,
    onRead: (what: () => void) => {
      beforeRead = what
    },
    layer(layerId: number, numbers: Float64Array, more: Partial<LayerContents> & { stamp?: number } = {}): LayerRef {
      const { stamp = layerId, ...given } = more
      contents.putLayer(layerId, { numbers, rangesFrom: NONE, rangesTo: NONE, dictionary: [], ...given }, { stamp })
      return { layerId, numberCount: numbers.length, rangeCount: 0, stamp }
    },
    state(layer: LayerRef, number: number) {
      const memory = tables.of(layer)
      return memory && numberTableState(openNumberTable(memory), number, NOW)
    },
  }
}

const numbersFrom = (first: number, count: number) => Float64Array.from({ length: count }, (_, index) => first + index)

/** What a table of so many numbers without a gap takes. */
function bytes(count: number): number {
  const table = createNumberTable({ capacity: count, hasExpiries: false })
  table.add(numbersFrom(1, count), new Float64Array(count).fill(EXPIRES_NEVER), count)
  table.finish()
  return numberTableBytesUsed(table.memory)
}

describe('the tables of layers', () => {
  it('say of every number what the store says', async () => {
    const { tables, layer, state } = world(2 ** 24)
    const plain = layer(1, numbersFrom(79_000_000_000, 40_000))
    const delta = layer(2, Float64Array.of(5, 6, 7, 8), {
      numberDetails: Uint32Array.of(NO_DETAILS, 1, 2, REMOVED),
      dictionary: [{ expiresMs: NOW - 1 }, { expiresMs: NOW }],
    })
    await tables.update([delta, plain])
    expect([79_000_000_000, 79_000_039_999].map((number) => state(plain, number))).toEqual([
      ENTRY_PRESENT,
      ENTRY_PRESENT,
    ])
    expect(state(plain, 79_000_040_000)).toBe(ENTRY_ABSENT)
    const states = [ENTRY_ABSENT, ENTRY_PRESENT, ENTRY_EXPIRED, ENTRY_PRESENT, ENTRY_REMOVED, ENTRY_ABSENT]
    expect([4, 5, 6, 7, 8, 9].map((number) => state(delta, number))).toEqual(states)
  })

  it('take as much memory as they may, and not a byte more', async () => {
    const both = bytes(1_000) + bytes(500)
    for (const [bytesMax, fits] of [
      [both, true],
      [both - 1, false],
    ] as const) {
      const { tables, layer, refused } = world(bytesMax)
      const [first, second] = [layer(1, numbersFrom(1, 1_000)), layer(2, numbersFrom(1, 500))]
      await tables.update([first, second])
      expect(tables.of(first)).toBeDefined()
      expect(tables.of(second) !== undefined).toBe(fits)
      expect(refused).toEqual(fits ? [] : [2])
      expect(tables.bytes).toBe(fits ? both : bytes(1_000))
    }
  })

  it('make room when a layer is not in force any more, and say once that there was none', async () => {
    const { tables, layer, refused } = world(bytes(1_000))
    const [first, second] = [layer(1, numbersFrom(1, 1_000)), layer(2, numbersFrom(1, 500))]
    await tables.update([first, second])
    await tables.update([first, second])
    expect(refused).toEqual([2])
    await tables.update([second])
    expect(tables.of(second)).toBeDefined()
    expect(tables.of(first)).toBeUndefined()
  })

  it('are made once', async () => {
    const { tables, layer, reads } = world(2 ** 24)
    const first = layer(1, numbersFrom(1, 1_000))
    await tables.update([first])
    const memory = tables.of(first)
    const before = reads()
    await tables.update([first, layer(2, numbersFrom(1, 1))])
    expect(tables.of(first)).toBe(memory)
    expect(reads()).toBe(before + 2)
  })

  it('are not made of two layers that follow each other under one id', async () => {
    const { tables, layer, onRead, refused, reads } = world(2 ** 24)
    const first = layer(1, numbersFrom(1, 40_000))
    // The second page and those after it come from other contents, as many, also ascending.
    onRead(() => {
      if (reads() === 2)
        layer(
          1,
          numbersFrom(1, 40_000).map((number) => number + (number > 20_000 ? 1 : 0)),
          { stamp: 99 },
        )
    })
    await tables.update([first])
    expect(tables.of(first)).toBeUndefined()
    expect(refused).toEqual([1])
    const second = { ...first, stamp: 99 }
    await tables.update([second])
    expect(tables.of(second)).toBeDefined()
  })

  it('are not made of a layer that is not the one meant, nor tried again', async () => {
    const { tables, layer, refused, reads } = world(2 ** 24)
    const other = { ...layer(1, numbersFrom(1, 10)), stamp: 5 }
    await tables.update([other])
    await tables.update([other])
    expect(tables.of(other)).toBeUndefined()
    expect(refused).toEqual([1])
    expect(reads()).toBe(0)
  })

  it('are not there when they may take no memory', async () => {
    const { tables, layer, reads } = world(0)
    const first = layer(1, numbersFrom(1, 10))
    await tables.update([first])
    expect(tables.of(first)).toBeUndefined()
    expect(reads()).toBe(0)
  })

  it('fail when the layer goes while it is read', async () => {
    const { tables, layer, onRead, contents } = world(2 ** 24)
    const first = layer(1, numbersFrom(1, 10))
    onRead(() => contents.dropLayer(1))
    await expect(tables.update([first])).rejects.toMatchObject({ code: 'STORAGE_FAILED' })
  })
})
