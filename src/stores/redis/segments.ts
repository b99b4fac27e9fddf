import { promisify } from 'node:util'
import { deflate, inflate } from 'node:zlib'
import type { FactEntry } from './fact-streams.ts'

/**
 * Older facts of a partition, sealed out of its stream: deflated (RFC 1950), inside a format byte, the first sequence and
 * the count (big endian doubles), then per entry its epoch, the length of its id and the id, the length of its payload
 * and the payload. Sequences count on from the first.
 */
const SEGMENT_FORMAT = 1
const HEADER_BYTES = 17
const ENTRY_BYTES = 13
/** A segment is packed from at most a quarter of this. */
const INFLATED_BYTES_MAX = 256 * 1024 * 1024

export async function packSegment(entries: readonly FactEntry[]): Promise<Buffer> {
  const header = Buffer.alloc(HEADER_BYTES)
  header.writeUInt8(SEGMENT_FORMAT)
  header.writeDoubleBE(entries[0]?.position.sequence ?? 0, 1)
  header.writeDoubleBE(entries.length, 9)
  const parts: Buffer[] = [header]
  for (const { position, factId, payload } of entries) {
    const fixed = Buffer.alloc(ENTRY_BYTES)
    fixed.writeDoubleBE(position.epoch)
    fixed.writeUInt8(factId.length, 8)
    fixed.writeUInt32BE(payload.length, 9)
    parts.push(fixed, Buffer.from(factId, 'latin1'), payload)
  }
  return await deflated(Buffer.concat(parts))
}

const deflated = promisify<Buffer, Buffer>(deflate)

/** The entries with sequence > after, up to `limit`. Undefined when the bytes are no segment. */
export async function unpackSegment(bytes: Buffer, after: number, limit: number): Promise<FactEntry[] | undefined> {
  try {
    const raw = await inflateBounded(bytes)
    return raw.readUInt8() === SEGMENT_FORMAT ? readEntries(raw, after, limit) : undefined
  } catch {
    return undefined
  }
}

function inflateBounded(bytes: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    inflate(bytes, { maxOutputLength: INFLATED_BYTES_MAX }, (error, raw) => (error ? reject(error) : resolve(raw)))
  })
}

function readEntries(raw: Buffer, after: number, limit: number): FactEntry[] {
  const first = raw.readDoubleBE(1)
  const count = raw.readDoubleBE(9)
  const entries: FactEntry[] = []
  let at = HEADER_BYTES
  for (let index = 0; index < count && entries.length < limit; index++) {
    const idEnd = at + ENTRY_BYTES + raw.readUInt8(at + 8)
    const end = idEnd + raw.readUInt32BE(at + 9)
    const sequence = first + index
    if (sequence > after) {
      const factId = raw.toString('latin1', at + ENTRY_BYTES, idEnd)
      entries.push({ position: { epoch: raw.readDoubleBE(at), sequence }, factId, payload: raw.subarray(idEnd, end) })
    }
    at = end
  }
  return entries
}
