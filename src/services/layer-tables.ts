import { createNumberTable, numberTableBytesLeast, numberTableBytesUsed } from '../shm/number-table.ts'
import { isSameLayer, layerName } from '../stores/layer-rows.ts'
import type { LayerRef, ListContents } from '../stores/ports.ts'
import { nextTurn, ROWS_PER_TURN } from './scan-rows.ts'

/**
 * The exact tables (shm/number-table.ts) of the layers in force, within a bound of memory. A layer without one is looked up in
 * the store, which says the same and takes longer. While lists change, those of before live until the last thread has left them.
 */
export type LayerTables = {
  /** Makes those that are missing and fit, and lets go of those of layers that are not in force any more. */
  update(layers: readonly LayerRef[]): Promise<void>
  of(layer: Pick<LayerRef, 'layerId' | 'stamp'>): SharedArrayBuffer | undefined
  /** Of the tables in force. */
  readonly bytes: number
}

export type LayerTablesOptions = {
  readonly bytesMax: number
}

export type LayerTablesDependencies = {
  readonly contents: Pick<ListContents, 'layer' | 'readExpiries'>
  /** A layer has no table: it does not fit into `bytesMax` beside the others, or its numbers lie too far apart. */
  readonly onRefused: (layer: LayerRef) => void
}

/** Why a layer has none. One that found no room is tried again when lists change. */
type Refusal = 'no-room' | 'unfit'

export function createLayerTables(options: LayerTablesOptions, dependencies: LayerTablesDependencies): LayerTables {
  const { contents, onRefused } = dependencies
  /** By layerName. */
  let tables = new Map<string, SharedArrayBuffer | Refusal | undefined>()

  async function update(layers: readonly LayerRef[]): Promise<void> {
    const before = tables
    tables = new Map(layers.map((layer) => [layerName(layer), before.get(layerName(layer))]))
    for (const layer of layers) {
      const name = layerName(layer)
      const known = before.get(name)
      if (known !== undefined && known !== 'no-room') continue
      const made = await make(layer, options.bytesMax - bytesOf(tables.values()))
      tables.set(name, made)
      if (typeof made === 'string' && made !== known) onRefused(layer)
    }
  }

  /** Whether anything expires is not known before it is met, mostly in the first page. */
  async function make(layer: LayerRef, room: number): Promise<SharedArrayBuffer | Refusal> {
    for (const hasExpiries of [false, true]) {
      if (numberTableBytesLeast({ capacity: layer.numberCount, hasExpiries }) > room) return 'no-room'
      const made = await fill(layer, hasExpiries, room)
      if (made !== undefined) return made
    }
    return 'unfit'
  }

  /** Undefined when such a table cannot hold the layer. */
  async function fill(
    layer: LayerRef,
    hasExpiries: boolean,
    room: number,
  ): Promise<SharedArrayBuffer | 'no-room' | undefined> {
    const stored = contents.layer(layer.layerId)
    if (stored === undefined || !isSameLayer(stored, layer)) return undefined
    const table = createNumberTable({ capacity: layer.numberCount, hasExpiries })
    const page = new Float64Array(Math.min(ROWS_PER_TURN, layer.numberCount))
    const expires = new Float64Array(page.length)
    for (let after = 0; ; after = page[page.length - 1] ?? 0) {
      const count = contents.readExpiries(layer.layerId, after, page, expires)
      if (!table.add(page, expires, count)) return undefined
      if (table.bytesUsed > room) return 'no-room'
      if (count < page.length) break
      await nextTurn()
    }
    // Pages of two layers that follow each other under one id would make neither.
    const isSame = contents.layer(layer.layerId)?.stamp === stored.stamp
    if (!table.finish() || !isSame) return undefined
    return table.bytesUsed > room ? 'no-room' : table.memory
  }

  return {
    update,
    of(layer) {
      const table = tables.get(layerName(layer))
      return typeof table === 'string' ? undefined : table
    },
    get bytes() {
      return bytesOf(tables.values())
    },
  }
}

function bytesOf(tables: Iterable<SharedArrayBuffer | Refusal | undefined>): number {
  let bytes = 0
  for (const table of tables) if (typeof table === 'object') bytes += numberTableBytesUsed(table)
  return bytes
}
