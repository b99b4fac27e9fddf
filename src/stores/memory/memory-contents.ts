import { ScreeningError } from '../../domain/errors.ts'
import {
  ENTRY_ABSENT,
  ENTRY_EXPIRED,
  ENTRY_PRESENT,
  ENTRY_REMOVED,
  type EntryState,
  EXPIRES_NEVER,
  EXPIRES_REMOVED,
  type NumberLookup,
} from '../../domain/lookup.ts'
import { type LayerContents, type LayerId, type ListContents, NO_DETAILS, REMOVED } from '../ports.ts'
import { createMemoryRowWriter, rowsOf, shapeOf } from './memory-rows.ts'

type Layer = LayerContents & { readonly details: ReadonlyMap<number, number>; readonly stamp: number | undefined }

/** List contents in Maps, and the look-up of calls over the same Maps. */
export function memoryContents(reputation: NumberLookup['reputation']): {
  contents: ListContents
  lookup: NumberLookup
} {
  const layers = new Map<LayerId, Layer>()

  const require = (layerId: LayerId): Layer => {
    const layer = layers.get(layerId)
    if (layer === undefined) {
      throw new ScreeningError('STORAGE_FAILED', `Layer ${layerId} is not stored, or not whole.`, { layerId })
    }
    return layer
  }

  const contents: ListContents = {
    putLayer(layerId, given, { stamp, onProgress } = {}) {
      const copy = structuredClone(given)
      const details = new Map<number, number>()
      for (const [index, number] of copy.numbers.entries()) {
        details.set(number, copy.numberDetails?.[index] ?? NO_DETAILS)
      }
      layers.set(layerId, { ...copy, details, stamp })
      onProgress?.(1)
    },
    dropLayer: (layerId) => void layers.delete(layerId),
    layer(layerId) {
      const layer = layers.get(layerId)
      return layer === undefined ? undefined : shapeOf(layer, layer.stamp)
    },
    *layerRows(layerId) {
      const layer = require(layerId)
      yield* rowsOf(layer, layer.stamp ?? 0)
    },
    writeLayerRows: (layerId, shape) =>
      createMemoryRowWriter(shape, {
        put: (whole) => contents.putLayer(layerId, whole, shape.stamp ? { stamp: shape.stamp } : {}),
        drop: () => contents.dropLayer(layerId),
      }),
    layerIds: () => [...layers.keys()].sort((a, b) => a - b),
    readNumbers: (layerId, after, into, detailsInto) => readNumbers(require(layerId), after, into, detailsInto),
    readExpiries(layerId, after, into, expiresInto) {
      const layer = require(layerId)
      const details = new Uint32Array(into.length)
      const count = readNumbers(layer, after, into, details)
      for (let index = 0; index < count; index++) expiresInto[index] = expiresOf(layer, details[index])
      return count
    },
    readRanges(layerId) {
      const { rangesFrom, rangesTo, rangeDetails, dictionary } = require(layerId)
      const details = rangeDetails ?? new Uint32Array(rangesFrom.length)
      return { numbers: new Float64Array(0), rangesFrom, rangesTo, rangeDetails: details, dictionary }
    },
    dictionary: (layerId) => layers.get(layerId)?.dictionary ?? [],
    entry(layerId, number) {
      const layer = layers.get(layerId)
      const details = layer?.details.get(number)
      if (layer === undefined || details === undefined) return undefined
      if (details === REMOVED) return { removed: true, details: {} }
      return { removed: false, details: (details === NO_DETAILS ? undefined : layer.dictionary[details - 1]) ?? {} }
    },
    close: async () => {},
  }

  return { contents, lookup: lookupIn(contents, reputation) }
}

function readNumbers(layer: LayerContents, after: number, into: Float64Array, detailsInto?: Uint32Array): number {
  let count = 0
  for (const [index, number] of layer.numbers.entries()) {
    if (number <= after) continue
    if (count === into.length) break
    if (detailsInto !== undefined) detailsInto[count] = layer.numberDetails?.[index] ?? NO_DETAILS
    into[count++] = number
  }
  return count
}

function expiresOf({ dictionary }: LayerContents, details = NO_DETAILS): number {
  if (details === REMOVED) return EXPIRES_REMOVED
  return (details === NO_DETAILS ? undefined : dictionary[details - 1]?.expiresMs) ?? EXPIRES_NEVER
}

function lookupIn(contents: ListContents, reputation: NumberLookup['reputation']): NumberLookup {
  return {
    entry(layerId, number, nowMs): EntryState {
      const entry = contents.entry(layerId, number)
      if (entry === undefined) return ENTRY_ABSENT
      if (entry.removed) return ENTRY_REMOVED
      return nowMs > (entry.details.expiresMs ?? Number.POSITIVE_INFINITY) ? ENTRY_EXPIRED : ENTRY_PRESENT
    },
    reputation,
  }
}
