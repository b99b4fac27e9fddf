import { ScreeningError } from '../../domain/errors.ts'
import type { FactEntry } from '../redis/fact-streams.ts'

/** What a fact found in the rows it wrote: put back in reverse order, it never happened. Undefined: no row. */
export type Undo = { readonly key: Buffer; readonly before: Buffer | undefined }

export type AppliedFactRow = Omit<FactEntry, 'position'> & {
  readonly epoch: number
  /** Of the fact before it in its partition; 0: there was none. */
  readonly epochBefore: number
  readonly undo: readonly Undo[]
}

const ROW_FORMAT = 1
const HEADER_BYTES = 1 + 8 + 8 + 16 + 4 + 2
const NO_ROW = 0xffffffff

/**
 * ```
 *  0 u8   format        then  payload
 *  1 f64  epoch         then, for each row undone:
 *  9 f64  epoch before        u16 key bytes, u32 value bytes (0xffffffff: there was no row), key, value
 * 17 16 x fact id
 * 33 u32  payload bytes
 * 37 u16  rows
 * ```
 * All little-endian.
 */
export function encodeAppliedFact({ epoch, epochBefore, factId, payload, undo }: AppliedFactRow): Buffer {
  let bytes = HEADER_BYTES + payload.length
  for (const { key, before } of undo) bytes += 6 + key.length + (before?.length ?? 0)
  const row = Buffer.alloc(bytes)
  row[0] = ROW_FORMAT
  row.writeDoubleLE(epoch, 1)
  row.writeDoubleLE(epochBefore, 9)
  row.write(factId, 17, 16, 'hex')
  row.writeUInt32LE(payload.length, 33)
  row.writeUInt16LE(undo.length, 37)
  row.set(payload, HEADER_BYTES)
  let at = HEADER_BYTES + payload.length
  for (const { key, before } of undo) {
    row.writeUInt16LE(key.length, at)
    row.writeUInt32LE(before?.length ?? NO_ROW, at + 2)
    row.set(key, at + 6)
    at += 6 + key.length
    if (before !== undefined) row.set(before, at)
    at += before?.length ?? 0
  }
  return row
}

/** Throws STORAGE_FORMAT. The buffers it returns are views of `row`. */
export function decodeAppliedFact(row: Buffer): AppliedFactRow {
  if (row[0] !== ROW_FORMAT) {
    throw new ScreeningError('STORAGE_FORMAT', `An applied fact has format ${row[0]}, expected ${ROW_FORMAT}.`)
  }
  const payloadEnd = HEADER_BYTES + row.readUInt32LE(33)
  const undo: Undo[] = []
  let at = payloadEnd
  for (let count = row.readUInt16LE(37); count > 0; count--) {
    const keyEnd = at + 6 + row.readUInt16LE(at)
    const valueBytes = row.readUInt32LE(at + 2)
    const key = row.subarray(at + 6, keyEnd)
    at = keyEnd + (valueBytes === NO_ROW ? 0 : valueBytes)
    undo.push({ key, before: valueBytes === NO_ROW ? undefined : row.subarray(keyEnd, at) })
  }
  const factId = row.toString('hex', 17, 33)
  return {
    epoch: row.readDoubleLE(1),
    epochBefore: row.readDoubleLE(9),
    factId: /^0+$/.test(factId) ? '' : factId,
    payload: row.subarray(HEADER_BYTES, payloadEnd),
    undo,
  }
}
