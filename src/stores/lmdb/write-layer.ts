/**
 * Writing and dropping layers: batches of synced transactions, so that other threads' writes wait for one batch at most
 * and a power cut at any point leaves a sound file. (Leaving the sync out would save little and risk everything: without
 * it the meta page may reach the disk before the pages it points to, and the file also holds the lists in use.)
 *
 * The header says `isComplete: false` until everything is there; the directory, without which nothing of a layer can be read,
 * comes with the last transaction. What a crash leaves is a layer nobody points to.
 */
import { ScreeningError } from '../../domain/errors.ts'
import type { EntryDetails } from '../../domain/number-list.ts'
import type { LayerContents, LayerId, PutLayerOptions } from '../ports.ts'
import type { Environment } from './environment.ts'
import { keyAfterPrefix, LISTS_SPACE, makeKey } from './keys.ts'
import {
  BLOCK_BYTES_MAX,
  blockEnd,
  CHUNK_DICTIONARY,
  CHUNK_RANGES,
  encodeBlock,
  encodeDirectory,
  encodeRanges,
  type LayerHeader,
  stampBlock,
} from './layer-format.ts'
import { encodeJson } from './values.ts'

/** About 60,000 numbers, 250 KB to 1 MB: some milliseconds with the sync. */
const BATCH_BLOCKS = 64
/** 1 MB of ranges. */
const BATCH_RANGE_CHUNKS = 5
const BATCH_DICTIONARY_CHUNKS = 40
const BATCH_REMOVED_ROWS = 512

/** All but the header, which stays until the rest is gone. */
const CONTENT_SPACES = [
  LISTS_SPACE.layerDirectory,
  LISTS_SPACE.layerNumbers,
  LISTS_SPACE.layerRanges,
  LISTS_SPACE.layerDictionary,
]

export const headerKey = (layerId: LayerId): Buffer => makeKey(LISTS_SPACE.layer, { u32: layerId })

export function writeLayer(
  environment: Environment,
  layerId: LayerId,
  contents: LayerContents,
  { stamp, onProgress = () => {} }: PutLayerOptions,
): void {
  const { db } = environment
  const header: LayerHeader = {
    numberCount: contents.numbers.length,
    rangeCount: contents.rangesFrom.length,
    blockCount: 0,
    dictionaryCount: contents.dictionary.length,
    ...(stamp === undefined ? {} : { stamp }),
    isComplete: false,
  }
  db.transactionSync(() => void db.put(headerKey(layerId), encodeJson(header)))
  const firsts = writeBlocks(environment, layerId, contents, { stamp, onProgress })
  writeChunks(environment, LISTS_SPACE.layerRanges, layerId, {
    count: Math.ceil(header.rangeCount / CHUNK_RANGES),
    perBatch: BATCH_RANGE_CHUNKS,
    encode: (chunk) =>
      encodeRanges(contents, chunk * CHUNK_RANGES, Math.min(header.rangeCount, (chunk + 1) * CHUNK_RANGES)),
  })
  writeChunks(environment, LISTS_SPACE.layerDictionary, layerId, {
    count: Math.ceil(header.dictionaryCount / CHUNK_DICTIONARY),
    perBatch: BATCH_DICTIONARY_CHUNKS,
    encode: (chunk) => encodeJson(contents.dictionary.slice(chunk * CHUNK_DICTIONARY, (chunk + 1) * CHUNK_DICTIONARY)),
  })
  db.transactionSync(() => {
    db.put(makeKey(LISTS_SPACE.layerDirectory, { u32: layerId }), encodeDirectory(firsts, stamp ?? 0))
    db.put(headerKey(layerId), encodeJson({ ...header, blockCount: firsts.length, isComplete: true }))
  })
  onProgress(1)
}

/** Removes a layer in batches; readers that are at it see it whole or not at all, row by row. */
export function removeLayer(environment: Environment, layerId: LayerId, header: LayerHeader): void {
  const { db } = environment
  db.transactionSync(() => {
    db.put(headerKey(layerId), encodeJson({ ...header, isComplete: false }))
    db.remove(makeKey(LISTS_SPACE.layerDirectory, { u32: layerId }))
  })
  for (const space of CONTENT_SPACES) {
    const prefix = makeKey(space, { u32: layerId })
    for (;;) {
      environment.refresh()
      const keys = [...db.getKeys({ start: prefix, end: keyAfterPrefix(prefix), limit: BATCH_REMOVED_ROWS })]
      if (keys.length === 0) break
      db.transactionSync(() => {
        for (const key of keys) db.remove(key)
      })
    }
  }
  db.transactionSync(() => void db.remove(headerKey(layerId)))
}

function writeBlocks(
  environment: Environment,
  layerId: LayerId,
  contents: LayerContents,
  { stamp = 0, onProgress }: { stamp: number | undefined; onProgress: (share: number) => void },
): number[] {
  const { db } = environment
  const { numbers } = contents
  const expiries = dictionaryExpiries(contents.dictionary)
  const block = Buffer.allocUnsafeSlow(BLOCK_BYTES_MAX)
  const firsts: number[] = []
  let start = 0
  while (start < numbers.length) {
    db.transactionSync(() => {
      for (let count = 0; count < BATCH_BLOCKS && start < numbers.length; count++) {
        const end = blockEnd(numbers, start)
        const bytes = encodeBlock(contents, expiries, start, end, block)
        stampBlock(block, stamp)
        db.put(makeKey(LISTS_SPACE.layerNumbers, { u32: layerId }, { u32: firsts.length }), block.subarray(0, bytes))
        firsts.push(numbers[start]!)
        start = end
      }
    })
    onProgress(start / (numbers.length + 1))
  }
  return firsts
}

function writeChunks(
  environment: Environment,
  space: number,
  layerId: LayerId,
  chunks: { count: number; perBatch: number; encode: (chunk: number) => Buffer },
): void {
  const { db } = environment
  for (let start = 0; start < chunks.count; start += chunks.perBatch) {
    const end = Math.min(chunks.count, start + chunks.perBatch)
    db.transactionSync(() => {
      for (let chunk = start; chunk < end; chunk++) {
        db.put(makeKey(space, { u32: layerId }, { u32: chunk }), chunks.encode(chunk))
      }
    })
  }
}

/** Undefined when nothing in the dictionary ever expires, as usual. */
export function dictionaryExpiries(dictionary: readonly EntryDetails[]): Float64Array | undefined {
  if (!dictionary.some((details) => details.expiresMs !== undefined)) return undefined
  return Float64Array.from(dictionary, (details) => details.expiresMs ?? Number.POSITIVE_INFINITY)
}

export function layerMissing(layerId: LayerId): ScreeningError {
  return new ScreeningError('STORAGE_FAILED', `Layer ${layerId} is not stored, or not whole.`, {
    layerId,
    hint: 'The list version it belonged to was dropped meanwhile; look at the list again.',
  })
}
