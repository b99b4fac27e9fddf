import type { LayerRef, ListContents } from '../stores/ports.ts'
import type { DetailsDictionary } from './details-dictionary.ts'
import { type EntryRows, overlayRows } from './entry-rows.ts'
import { layerIdMapping } from './version-cursor.ts'

/** Reading stored layers in the terms of one dictionary. */
export type LayerAccess = {
  readonly contents: ListContents
  /** Ids of everything read are ids of this one; what it lacks is added. */
  readonly dictionary: DetailsDictionary
  /** Runs before every block of numbers read; may throw to stop. */
  readonly onBlock: () => void
}

const NO_ROWS: EntryRows = { from: new Float64Array(0), to: new Float64Array(0), ids: new Uint32Array(0) }

/** All numbers of one layer: for deltas, which are small. */
export function readLayerNumbers({ contents, dictionary }: LayerAccess, layer: LayerRef | undefined): EntryRows {
  if (layer === undefined || layer.numberCount === 0) return NO_ROWS
  const numbers = new Float64Array(layer.numberCount)
  const ids = new Uint32Array(layer.numberCount)
  const count = contents.readNumbers(layer.layerId, 0, numbers, ids)
  const mapId = layerIdMapping(contents, layer.layerId, dictionary)
  const from = numbers.subarray(0, count)
  return { from, to: from, ids: ids.subarray(0, count).map(mapId) }
}

/** All ranges of one layer. */
export function readLayerRanges({ contents, dictionary }: LayerAccess, layer: LayerRef | undefined): EntryRows {
  if (layer === undefined || layer.rangeCount === 0) return NO_ROWS
  const stored = contents.readRanges(layer.layerId)
  const ids = stored.rangeDetails ?? new Uint32Array(stored.rangesFrom.length)
  const mapId = layerIdMapping(contents, layer.layerId, dictionary)
  return { from: stored.rangesFrom, to: stored.rangesTo, ids: ids.map(mapId) }
}

/** The ranges of a version, its layers (newest first) laid over each other. */
export function rangesOfVersion(access: LayerAccess, layers: readonly LayerRef[]): EntryRows {
  const [upper, lower] = layers.map((layer) => readLayerRanges(access, layer))
  if (upper === undefined) return NO_ROWS
  return lower === undefined ? upper : overlayRows(lower, upper, { keepRemovals: false })
}
