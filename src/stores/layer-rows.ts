/**
 * The contents of a layer as rows that move between nodes: the rows of lists.mdb as they lie there
 * (lmdb/layer-format.ts), numbers first, then ranges, then the dictionary, each part in its order.
 */
import type { LayerRef, ListContents } from './ports.ts'

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

/** Whether the stored layer is the one meant: by its counts, and by its stamp where both sides know one. */
export function isSameLayer(stored: StoredLayer, layer: LayerRef): boolean {
  if (stored.numberCount !== layer.numberCount || stored.rangeCount !== layer.rangeCount) return false
  return !stored.stamp || !layer.stamp || stored.stamp === layer.stamp
}

/** `<layerId>-<stamp>`, with 0 for an unknown stamp: what a layer is called in Redis. */
export function layerName({ layerId, stamp = 0 }: Pick<LayerRef, 'layerId' | 'stamp'>): string {
  return `${layerId}-${stamp}`
}

/** What a transfer calls while it goes on. */
export type TransferControl = {
  /** Throws when the transfer shall stop; called before every chunk and every new attempt. */
  check(): void
  /** The share done, 0..1. */
  report(share: number): void
}

/** The layers that all nodes of a record share. Everything rejects with UNAVAILABLE when Redis does not answer in time. */
export type LayerStore = {
  /**
   * Copies a whole layer of this node into the store. `present`: it was there already, and all of it; a copy that a fetch
   * found damaged is replaced. Rejects with
   * STORAGE_FULL when Redis has no memory left, STORAGE_FAILED when the node does not have the layer.
   */
  push(
    layer: LayerRef,
    contents: Pick<ListContents, 'layer' | 'layerRows'>,
    control: TransferControl,
  ): Promise<'pushed' | 'present'>
  /**
   * Copies a layer into this node's contents; `gone`: the store does not have it, or was told to forget it meanwhile. Rejects
   * with RECORD_DAMAGED when the store's copy is not whole or not what it says. In both cases the node has nothing of it; a
   * layer of other contents under the same id may be gone then; and the layer is wanted for a minute.
   */
  fetch(
    layer: LayerRef,
    contents: Pick<ListContents, 'writeLayerRows'>,
    control: TransferControl,
  ): Promise<'fetched' | 'gone'>
  /** Names (layerName) of layers that a node tried to fetch in vain within the last minute, and nobody has pushed since. */
  wanted(): Promise<ReadonlySet<string>>
  /**
   * Deletes the layers that were pushed more than `olderThanMs` ago and are not among `inUse` (layerName), and what
   * interrupted pushes and sweeps left. Returns how many layers it took away. Any number of nodes may sweep at once.
   */
  sweep(inUse: ReadonlySet<string>, olderThanMs: number): Promise<number>
  close(): Promise<void>
}
