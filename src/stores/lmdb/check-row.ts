/**
 * Rows that come from another node are checked before they become part of a layer: a checksum says that nothing was
 * damaged on the way, this says that they are rows of this layer, in their order, and that reading them is safe.
 */
import { ScreeningError } from '../../domain/errors.ts'
import { LAYER_PARTS, type LayerRow, type LayerShape } from '../layer-rows.ts'
import { NO_DETAILS, REMOVED } from '../ports.ts'
import {
  BLOCK_HEADER_BYTES,
  BLOCK_NUMBERS,
  blockStamp,
  CHUNK_DICTIONARY,
  CHUNK_RANGES,
  HAS_DETAILS,
  HAS_EXPIRY,
  LAYER_FORMAT,
  RANGE_BYTES,
} from './layer-format.ts'
import { decodeJson } from './values.ts'

export type RowChecker = {
  /** The index of the row within its part, and for a block its first number. Throws RECORD_DAMAGED. */
  check(row: LayerRow): { index: number; first: number }
  /** Throws RECORD_DAMAGED when rows are missing. */
  end(): void
  /** The stamp that the blocks carry. */
  readonly blocksStamp: number
}

export function createRowChecker(shape: LayerShape): RowChecker {
  const rows = { numbers: 0, ranges: 0, dictionary: 0 }
  const counts = { numbers: 0, ranges: 0, dictionary: 0 }
  const expected = { numbers: shape.numberCount, ranges: shape.rangeCount, dictionary: shape.dictionaryCount }
  let part = 0
  let last = 0
  let lastRange: readonly [number, number] = [0, 0]
  let stamp: number | undefined

  function checkBlock(bytes: Buffer): { count: number; first: number } {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    const count = assertBlockHead(bytes)
    const first = bytes.readDoubleLE(8)
    stamp ??= blockStamp(view)
    if (blockStamp(view) !== stamp || (stamp !== 0 && shape.stamp && stamp !== shape.stamp)) {
      throw damaged('a block of numbers belongs to another layer')
    }
    if (!Number.isSafeInteger(first) || first <= last) throw damaged('its numbers are not ascending')
    last = first + assertAscending(bytes, count)
    if (bytes[1] !== 0) assertDetails(bytes, BLOCK_HEADER_BYTES + count * 4, count, shape.dictionaryCount)
    return { count, first }
  }

  function checkRanges(bytes: Buffer): number {
    const count = bytes.length < 8 ? 0 : bytes.readUInt32LE(4)
    if (bytes[0] !== LAYER_FORMAT || count === 0 || count > CHUNK_RANGES || bytes.length !== 8 + count * RANGE_BYTES) {
      throw damaged('a chunk of ranges is malformed')
    }
    for (let index = 0; index < count; index++) {
      const from = bytes.readDoubleLE(8 + index * 8)
      const to = bytes.readDoubleLE(8 + (count + index) * 8)
      const isAfter = from > lastRange[0] || (from === lastRange[0] && to > lastRange[1])
      if (!isAfter || !Number.isSafeInteger(from) || !Number.isSafeInteger(to) || from >= to) {
        throw damaged('its ranges are not ascending')
      }
      lastRange = [from, to]
    }
    assertDetails(bytes, 8 + count * 16, count, shape.dictionaryCount)
    return count
  }

  return {
    check({ part: name, bytes }) {
      const next = LAYER_PARTS.indexOf(name)
      if (next < part) throw damaged('its rows are not in order')
      part = next
      let first = 0
      let count: number
      if (name === 'numbers') ({ count, first } = checkBlock(bytes))
      else if (name === 'ranges') count = checkRanges(bytes)
      else count = assertDictionary(bytes)
      // Rows are found by their index: only the last one of ranges and of the dictionary may be short.
      const isFull = count === (name === 'ranges' ? CHUNK_RANGES : CHUNK_DICTIONARY)
      counts[name] += count
      if (name !== 'numbers' && !isFull && counts[name] !== expected[name]) throw damaged('a row in it is too short')
      if (counts[name] > expected[name]) throw damaged(`it has more ${name} than it says`)
      return { index: rows[name]++, first }
    },
    end() {
      for (const name of LAYER_PARTS) {
        if (counts[name] !== expected[name]) {
          throw damaged(`it has ${counts[name]} ${name} and says ${expected[name]}`)
        }
      }
      if (rows.numbers !== shape.blockCount) throw damaged(`it has ${rows.numbers} blocks and says ${shape.blockCount}`)
    },
    get blocksStamp() {
      return stamp ?? shape.stamp ?? 0
    },
  }
}

function assertBlockHead(bytes: Buffer): number {
  const count = bytes.length < BLOCK_HEADER_BYTES ? 0 : bytes.readUInt16LE(2)
  const flags = bytes[1] ?? 0
  const isKnown = flags === 0 || flags === HAS_DETAILS || flags === (HAS_DETAILS | HAS_EXPIRY)
  const width = 4 + (flags & HAS_DETAILS ? 4 : 0) + (flags & HAS_EXPIRY ? 8 : 0)
  if (bytes[0] !== LAYER_FORMAT || !isKnown || count === 0 || count > BLOCK_NUMBERS) {
    throw damaged('a block of numbers is malformed')
  }
  if (bytes.length !== BLOCK_HEADER_BYTES + count * width) throw damaged('a block of numbers has another length')
  return count
}

/** Returns the greatest difference. */
function assertAscending(bytes: Buffer, count: number): number {
  let last = -1
  for (let index = 0; index < count; index++) {
    const difference = bytes.readUInt32LE(BLOCK_HEADER_BYTES + index * 4)
    if (difference <= last || (index === 0 && difference !== 0)) throw damaged('its numbers are not ascending')
    last = difference
  }
  return last
}

function assertDetails(bytes: Buffer, at: number, count: number, dictionaryCount: number): void {
  for (let index = 0; index < count; index++) {
    const details = bytes.readUInt32LE(at + index * 4)
    if (details !== NO_DETAILS && details !== REMOVED && details > dictionaryCount) {
      throw damaged('a row names details that are not there')
    }
  }
}

function assertDictionary(bytes: Buffer): number {
  let entries: unknown
  try {
    entries = decodeJson<unknown>(bytes)
  } catch (cause) {
    throw damaged('its details cannot be read', cause)
  }
  if (!Array.isArray(entries) || entries.length === 0 || entries.length > CHUNK_DICTIONARY) {
    throw damaged('a chunk of its details is malformed')
  }
  if (!entries.every((entry) => typeof entry === 'object' && entry !== null)) throw damaged('its details are malformed')
  return entries.length
}

function damaged(how: string, cause?: unknown): ScreeningError {
  const hint = 'A node that has the list must push it again: import it there once more, or restore the version.'
  return new ScreeningError('RECORD_DAMAGED', `The copy of a list is damaged: ${how}.`, { hint }, { cause })
}
