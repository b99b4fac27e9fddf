/**
 * Layers that come and go as rows (layer-rows.ts). Written as write-layer.ts does: batches of synced transactions, the
 * directory last.
 */
import type { LayerRow, LayerRowWriter, LayerShape } from '../layer-rows.ts'
import type { LayerId } from '../ports.ts'
import { createRowChecker } from './check-row.ts'
import type { Environment } from './environment.ts'
import { keyAfterPrefix, LISTS_SPACE, makeKey } from './keys.ts'
import { encodeDirectory, type LayerHeader } from './layer-format.ts'
import { storageError } from './storage-error.ts'
import { encodeJson } from './values.ts'
import { headerKey, layerMissing } from './write-layer.ts'

/** As much as write-layer.ts writes at once: some milliseconds with the sync. */
const BATCH_BYTES = 2 ** 20

const SPACES = {
  numbers: LISTS_SPACE.layerNumbers,
  ranges: LISTS_SPACE.layerRanges,
  dictionary: LISTS_SPACE.layerDictionary,
} as const

/** Reads a row when it is asked for, so that whoever consumes them may take its time. */
export function* readRows(environment: Environment, layerId: LayerId): Generator<LayerRow> {
  environment.refresh()
  const header = environment.json<LayerHeader>(headerKey(layerId))
  if (!header?.isComplete) throw layerMissing(layerId)
  for (let block = 0; block < header.blockCount; block++) {
    yield { part: 'numbers', bytes: rowAt(environment, SPACES.numbers, layerId, block) }
  }
  for (const part of ['ranges', 'dictionary'] as const) {
    const count = rowsOf(environment, SPACES[part], layerId)
    for (let row = 0; row < count; row++) yield { part, bytes: rowAt(environment, SPACES[part], layerId, row) }
  }
}

function rowAt(environment: Environment, space: number, layerId: LayerId, row: number): Buffer {
  environment.refresh()
  const bytes = environment.bytes(makeKey(space, { u32: layerId }, { u32: row }))
  if (bytes === undefined) throw layerMissing(layerId)
  return bytes
}

function rowsOf(environment: Environment, space: number, layerId: LayerId): number {
  environment.refresh()
  const prefix = makeKey(space, { u32: layerId })
  return environment.db.getKeysCount({ start: prefix, end: keyAfterPrefix(prefix) })
}

/** `dropOld` removes whatever has this id; it is called once, before the first row is written. */
export function createRowWriter(
  environment: Environment,
  layerId: LayerId,
  shape: LayerShape,
  dropOld: () => void,
): LayerRowWriter {
  const { db } = environment
  const { numberCount, rangeCount, blockCount, dictionaryCount, stamp } = shape
  const header = { numberCount, rangeCount, blockCount, dictionaryCount, ...(stamp ? { stamp } : {}) }
  const checker = createRowChecker(shape)
  const firsts: number[] = []
  let batch: { key: Buffer; bytes: Buffer }[] = []
  let batchBytes = 0
  let isBegun = false

  function guard(write: () => void): void {
    try {
      write()
    } catch (error) {
      throw storageError(error, 'writing the list', environment.path)
    }
  }

  function begin(): void {
    if (isBegun) return
    dropOld()
    isBegun = true
    db.transactionSync(() => void db.put(headerKey(layerId), encodeJson({ ...header, isComplete: false })))
  }

  function flush(): void {
    begin()
    const rows = batch
    batch = []
    batchBytes = 0
    db.transactionSync(() => {
      for (const { key, bytes } of rows) db.put(key, bytes)
    })
  }

  return {
    write(row) {
      const { index, first } = checker.check(row)
      if (row.part === 'numbers') firsts.push(first)
      batch.push({ key: makeKey(SPACES[row.part], { u32: layerId }, { u32: index }), bytes: row.bytes })
      batchBytes += row.bytes.length
      if (batchBytes >= BATCH_BYTES) guard(flush)
    },
    finish() {
      checker.end()
      guard(() => {
        flush()
        db.transactionSync(() => {
          const directory = encodeDirectory(firsts, checker.blocksStamp)
          db.put(makeKey(LISTS_SPACE.layerDirectory, { u32: layerId }), directory)
          db.put(headerKey(layerId), encodeJson({ ...header, isComplete: true }))
        })
      })
    },
    abandon() {
      batch = []
      if (isBegun) dropOld()
    },
  }
}
