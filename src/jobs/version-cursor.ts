import type { ListContents } from '../stores/ports.ts'
import { REMOVED } from '../stores/ports.ts'
import type { DetailsDictionary } from './details-dictionary.ts'
import type { JobLayer } from './list-jobs.ts'

/** Numbers read at a time: 768 KB of buffers a layer, and often enough to notice a cancellation. */
const BLOCK_NUMBERS = 65_536

/** Steps through the numbers of one layer, or of a version, ascending. */
export type NumberCursor = {
  /** Infinity at the end. */
  number: number
  /** Details id in the dictionary the cursor was opened with, or REMOVED (single layers only). */
  id: number
  advance(): void
}

/** Turns the ids of one dictionary into those of another, adding what is missing when it is first met. */
function createIdMapping(from: readonly unknown[], lookUp: (index: number) => number): (id: number) => number {
  const mapped = new Uint32Array(from.length + 1)
  return (id) => {
    if (id === 0 || id === REMOVED) return id
    const known = mapped[id] as number
    if (known !== 0) return known
    const fresh = lookUp(id - 1)
    mapped[id] = fresh
    return fresh
  }
}

/** Ids of a stored layer in the terms of `dictionary`. */
export function layerIdMapping(
  contents: ListContents,
  layerId: number,
  dictionary: DetailsDictionary,
): (id: number) => number {
  const stored = contents.dictionary(layerId)
  return createIdMapping(stored, (index) => dictionary.idOf(stored[index] ?? {}))
}

/** Opens a cursor on one layer. `onBlock` runs before every block read and may throw to stop. */
function createLayerCursor(
  contents: ListContents,
  layerId: number,
  dictionary: DetailsDictionary,
  onBlock: () => void,
): NumberCursor {
  const numbers = new Float64Array(BLOCK_NUMBERS)
  const ids = new Uint32Array(BLOCK_NUMBERS)
  const mapId = layerIdMapping(contents, layerId, dictionary)
  let count = 0
  let index = 0
  let isLast = false
  const cursor: NumberCursor = {
    number: -1,
    id: 0,
    advance() {
      if (++index >= count && !readBlock()) {
        cursor.number = Number.POSITIVE_INFINITY
        return
      }
      cursor.number = numbers[index] as number
      const id = ids[index] as number
      cursor.id = id === 0 ? 0 : mapId(id)
    },
  }

  function readBlock(): boolean {
    if (isLast) return false
    onBlock()
    count = contents.readNumbers(layerId, cursor.number, numbers, ids)
    isLast = count < BLOCK_NUMBERS
    index = 0
    return count > 0
  }

  cursor.advance()
  return cursor
}

/** Opens a cursor on a version: its layers, newest first, laid over each other; what a delta removes is skipped. */
export function createVersionCursor(
  contents: ListContents,
  layers: readonly JobLayer[],
  dictionary: DetailsDictionary,
  onBlock: () => void,
): NumberCursor {
  const [upper, lower] = layers
    .filter((layer) => layer.numberCount > 0)
    .map((layer) => createLayerCursor(contents, layer.layerId, dictionary, onBlock))
  if (upper === undefined) return { number: Number.POSITIVE_INFINITY, id: 0, advance() {} }
  const cursor: NumberCursor = {
    number: -1,
    id: 0,
    advance() {
      for (;;) {
        if (lower === undefined || upper.number <= lower.number) {
          cursor.number = upper.number
          cursor.id = upper.id
          if (cursor.number === Number.POSITIVE_INFINITY) return
          if (lower !== undefined && lower.number === upper.number) lower.advance()
          upper.advance()
          if (cursor.id !== REMOVED) return
        } else {
          cursor.number = lower.number
          cursor.id = lower.id
          lower.advance()
          return
        }
      }
    },
  }
  cursor.advance()
  return cursor
}
