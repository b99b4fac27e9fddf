/**
 * Chunks of a layer in Redis: some rows, deflated, with a head that says which chunk of which layer they are.
 *
 * ```
 *  0 u8 x 4  'ZLC1'
 *  4 u32     crc32 of all that follows
 *  8 u32     layer id
 * 12 u32     stamp
 * 16 u32     chunk, from 0
 * 20 u32     bytes of the rows, inflated
 * 24 ...     raw deflate (RFC 1951): u8 part, u32 bytes, row; repeated
 * ```
 * All little-endian.
 */
import { crc32, deflateRawSync, inflateRawSync } from 'node:zlib'
import { ScreeningError } from '../../domain/errors.ts'
import { LAYER_PARTS, type LayerRow, layerName } from '../layer-rows.ts'
import type { LayerRef } from '../ports.ts'

const MAGIC = Buffer.from('ZLC1')
const HEAD_BYTES = 24
const ROW_HEAD_BYTES = 5

/** 64 blocks of numbers: a thousand numbers are one block of 4 KiB, so 10 M make 155 chunks. */
const ROWS_BYTES = 256 * 2 ** 10
/** One row may be larger than a chunk should be (long details): 256 entries of 16 KiB at most. */
const ROWS_BYTES_MAX = 4 * 2 ** 20
/** The fastest: 4.0 bytes a number become 3.1, and 16 with details and expiry become 7.1 (npm run bench -- redis-lists). */
const DEFLATE_LEVEL = 1

/** Packs rows into bodies of about ROWS_BYTES. */
export function* packRows(rows: Iterable<LayerRow>): Generator<Buffer> {
  let parts: Buffer[] = []
  let bytes = 0
  for (const row of rows) {
    const rowBytes = ROW_HEAD_BYTES + row.bytes.length
    if (bytes > 0 && bytes + rowBytes > ROWS_BYTES) {
      yield Buffer.concat(parts)
      parts = []
      bytes = 0
    }
    const head = Buffer.allocUnsafe(ROW_HEAD_BYTES)
    head.writeUInt8(LAYER_PARTS.indexOf(row.part), 0)
    head.writeUInt32LE(row.bytes.length, 1)
    parts.push(head, row.bytes)
    bytes += rowBytes
  }
  if (bytes > 0) yield Buffer.concat(parts)
}

export function encodeChunk(layer: LayerRef, chunk: number, rows: Buffer): Buffer {
  const body = deflateRawSync(rows, { level: DEFLATE_LEVEL })
  const bytes = Buffer.allocUnsafe(HEAD_BYTES + body.length)
  MAGIC.copy(bytes)
  bytes.writeUInt32LE(layer.layerId, 8)
  bytes.writeUInt32LE(layer.stamp ?? 0, 12)
  bytes.writeUInt32LE(chunk, 16)
  bytes.writeUInt32LE(rows.length, 20)
  body.copy(bytes, HEAD_BYTES)
  bytes.writeUInt32LE(crc32(bytes.subarray(8)), 4)
  return bytes
}

/** Throws RECORD_DAMAGED when the bytes are not that chunk, every bit of it. */
export function decodeChunk(layer: LayerRef, chunk: number, bytes: Buffer): LayerRow[] {
  if (bytes.length <= HEAD_BYTES || !bytes.subarray(0, 4).equals(MAGIC)) {
    throw layerDamaged(layer, `chunk ${chunk} is no chunk`)
  }
  if (crc32(bytes.subarray(8)) !== bytes.readUInt32LE(4)) {
    throw layerDamaged(layer, `chunk ${chunk} does not match its checksum`)
  }
  const isIts =
    bytes.readUInt32LE(8) === layer.layerId &&
    bytes.readUInt32LE(12) === (layer.stamp ?? 0) &&
    bytes.readUInt32LE(16) === chunk
  if (!isIts) throw layerDamaged(layer, `chunk ${chunk} belongs elsewhere`)
  return unpackRows(layer, chunk, inflate(layer, chunk, bytes))
}

function inflate(layer: LayerRef, chunk: number, bytes: Buffer): Buffer {
  const rowsBytes = bytes.readUInt32LE(20)
  try {
    if (rowsBytes > ROWS_BYTES_MAX) throw new RangeError(`${rowsBytes} bytes are too many.`)
    const rows = inflateRawSync(bytes.subarray(HEAD_BYTES), { maxOutputLength: Math.max(1, rowsBytes) })
    if (rows.length !== rowsBytes) throw new RangeError(`Got ${rows.length} bytes, expected ${rowsBytes}.`)
    return rows
  } catch (cause) {
    throw layerDamaged(layer, `chunk ${chunk} cannot be inflated`, cause)
  }
}

function unpackRows(layer: LayerRef, chunk: number, rows: Buffer): LayerRow[] {
  const unpacked: LayerRow[] = []
  for (let at = 0; at < rows.length; ) {
    const start = at + ROW_HEAD_BYTES
    const part = LAYER_PARTS[rows[at] ?? -1]
    const end = start <= rows.length ? start + rows.readUInt32LE(at + 1) : Number.POSITIVE_INFINITY
    if (part === undefined || end > rows.length) throw layerDamaged(layer, `the rows of chunk ${chunk} are malformed`)
    unpacked.push({ part, bytes: rows.subarray(start, end) })
    at = end
  }
  return unpacked
}

export function layerDamaged(layer: LayerRef, how: string, cause?: unknown): ScreeningError {
  const hint = 'Push it again from a node that has the list, or restore another version of the list.'
  const message = `The copy of layer ${layerName(layer)} in Redis is damaged: ${how}.`
  return new ScreeningError('RECORD_DAMAGED', message, { layerId: layer.layerId, hint }, { cause })
}
