/**
 * The contents of a layer as rows that move between nodes: the rows of lists.mdb as they lie there
 * (lmdb/layer-format.ts), numbers first, then ranges, then the dictionary, each part in its order.
 */
import type { LayerRef } from './ports.ts'

export const LAYER_PARTS = ['numbers', 'ranges', 'dictionary'] as const
export type LayerPart = (typeof LAYER_PARTS)[number]

/** One block of numbers, or one chunk of ranges or of the dictionary. */
export type LayerRow = { readonly part: LayerPart; readonly bytes: Buffer }

/** What a whole layer counts, for whoever writes one from rows. */
export type LayerShape = {
  readonly numberCount: number
  readonly rangeCount: number
  /** Rows of the part `numbers`. */
  readonly blockCount: number
  /** Entries of the dictionary. */
  readonly dictionaryCount: number
  /** As in LayerRef. Missing: unknown. */
  readonly stamp?: number
}

export type StoredLayer = LayerShape

export type LayerRowWriter = {
  /** Checks rows and writes them in batches. Throws RECORD_DAMAGED when they cannot be rows of this layer; STORAGE_FULL, STORAGE_FAILED. */
  write(row: LayerRow): void
  /** The layer is whole and durable when it returns. Throws as `write` does, also when rows are missing. */
  finish(): void
  /** Removes what was written. After it, or after a crash without it, there is no such layer. */
  abandon(): void
}

/** `<layerId>-<stamp>`, with 0 for an unknown stamp: what a layer is called in Redis. */
export function layerName({ layerId, stamp = 0 }: Pick<LayerRef, 'layerId' | 'stamp'>): string {
  return `${layerId}-${stamp}`
}
