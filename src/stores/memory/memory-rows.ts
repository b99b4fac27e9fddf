/** The rows of a layer (layer-rows.ts) from contents in memory and back. */
import type { EntryDetails } from '../../domain/number-list.ts'
import type { LayerRow, LayerRowWriter, LayerShape, StoredLayer } from '../layer-rows.ts'
import { createRowChecker } from '../lmdb/check-row.ts'
import {
  BLOCK_BYTES_MAX,
  blockEnd,
  CHUNK_DICTIONARY,
  CHUNK_RANGES,
  copyBlock,
  decodeRanges,
  encodeBlock,
  encodeRanges,
  stampBlock,
} from '../lmdb/layer-format.ts'
import { decodeJson, encodeJson } from '../lmdb/values.ts'
import { dictionaryExpiries } from '../lmdb/write-layer.ts'
import type { LayerContents } from '../ports.ts'

export function shapeOf(contents: LayerContents, stamp: number | undefined): StoredLayer {
  let blockCount = 0
  for (let at = 0; at < contents.numbers.length; at = blockEnd(contents.numbers, at)) blockCount++
  return {
    numberCount: contents.numbers.length,
    rangeCount: contents.rangesFrom.length,
    blockCount,
    dictionaryCount: contents.dictionary.length,
    ...(stamp === undefined ? {} : { stamp }),
  }
}

export function* rowsOf(contents: LayerContents, stamp: number): Generator<LayerRow> {
  const { numbers, rangesFrom, dictionary } = contents
  const expiries = dictionaryExpiries(dictionary)
  for (let start = 0; start < numbers.length; ) {
    const end = blockEnd(numbers, start)
    const block = Buffer.alloc(BLOCK_BYTES_MAX)
    const bytes = encodeBlock(contents, expiries, start, end, block)
    stampBlock(block, stamp)
    yield { part: 'numbers', bytes: block.subarray(0, bytes) }
    start = end
  }
  for (let start = 0; start < rangesFrom.length; start += CHUNK_RANGES) {
    const end = Math.min(start + CHUNK_RANGES, rangesFrom.length)
    yield { part: 'ranges', bytes: encodeRanges(contents, start, end) }
  }
  for (let start = 0; start < dictionary.length; start += CHUNK_DICTIONARY) {
    yield { part: 'dictionary', bytes: encodeJson(dictionary.slice(start, start + CHUNK_DICTIONARY)) }
  }
}

export function createMemoryRowWriter(
  shape: LayerShape,
  place: { put(contents: LayerContents): void; drop(): void },
): LayerRowWriter {
  const checker = createRowChecker(shape)
  const rows: LayerRow[] = []
  return {
    write(row) {
      if (rows.length === 0) place.drop()
      checker.check(row)
      rows.push({ part: row.part, bytes: Buffer.from(row.bytes) })
    },
    finish() {
      checker.end()
      place.put(contentsOf(rows, shape))
    },
    abandon: () => place.drop(),
  }
}

function contentsOf(rows: readonly LayerRow[], shape: LayerShape): LayerContents {
  const numbers = new Float64Array(shape.numberCount)
  const numberDetails = new Uint32Array(shape.numberCount)
  const rangesFrom = new Float64Array(shape.rangeCount)
  const rangesTo = new Float64Array(shape.rangeCount)
  const rangeDetails = new Uint32Array(shape.rangeCount)
  const dictionary: EntryDetails[] = []
  let numbersAt = 0
  let rangesAt = 0
  for (const { part, bytes } of rows) {
    if (part === 'numbers') {
      const block = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
      numbersAt = copyBlock(block, 0, numbersAt, { into: numbers, detailsInto: numberDetails })
    } else if (part === 'ranges') {
      rangesAt += decodeRanges(bytes, rangesAt, rangesFrom, rangesTo, rangeDetails)
    } else dictionary.push(...decodeJson<EntryDetails[]>(bytes))
  }
  return { numbers, numberDetails, rangesFrom, rangesTo, rangeDetails, dictionary }
}
