/**
 * Keys of both LMDB environments: big-endian bytes, so that they sort as their parts do.
 *
 * ```
 * u8 key space | u16 realm (0) | parts
 *
 * live.mdb                                     key parts                          value
 *   1 meta                  name                                  JSON   `format`, `counters`
 *   2 report                report id, NUL, number in digits      JSON   report, sequence, outcome
 *   3 report by number      u64 number, u64 sequence              report id
 *   4 counted reporter      number, 16 bytes pseudonym            f64    receivedMs of the report that counted last
 *   5 reputation            number                                binary, domain/reputation.ts
 *   6 list                  name                                  JSON   ListRecord with its active version
 *   7 list version          u16 list id, u32 version              JSON   ListVersion
 *   8 numbering plan        name                                  JSON   NumberingPlan
 *   9 policy version        u32 version                           JSON   PolicyVersion
 *  10 review                review id                             JSON   Review
 *  11 newest review         number                                review id
 *  12 open review           u8 100 - score, review id             (empty)
 *  13 closed review         u64 closedMs, review id               (empty)
 *  14 change                u64 sequence                          JSON   Change without its sequence
 *  15 audit                 u64 sequence                          JSON   AuditEntry without its sequence
 *  16 document              u8 document space + 1, key            JSON   whatever the service keeps
 *  17 position              u8 partition                          2 x f64 epoch, sequence of the last fact applied
 *  18 applied fact          u8 partition, u64 sequence            binary, applied-fact-row.ts
 *  19 outbox                u64 order                             16 bytes fact id, f64 atMs, u8 partition, the fact
 *  20 report by reporter    16 bytes pseudonym, u64 receivedMs, u64 number   u8 OPINIONS index
 *  21 reporter outcomes     16 bytes pseudonym                    4 x f64 confirmed, refuted, newest and oldest judgement
 *
 * lists.mdb
 *   1 meta                  name                                  JSON   `format`
 *   2 layer                 u32 layer id                          JSON   LayerHeader
 *   3 layer directory       u32 layer id                          binary, layer-format.ts
 *   4 layer numbers         u32 layer id, u32 block               binary, layer-format.ts
 *   5 layer ranges          u32 layer id, u32 chunk               binary, layer-format.ts
 *   6 layer dictionary      u32 layer id, u32 chunk               JSON   EntryDetails[]
 * ```
 *
 * A key space number is never used for anything else, even after its rows are gone. JSON values start with one format
 * byte (values.ts). Numbers are stored as u64 although they fit 50 bits: the width is what sorts.
 */
import { ScreeningError } from '../../domain/errors.ts'

/** The operator. Later: one per virtual operator on the same network. */
const REALM = 0

export const LIVE_SPACE = {
  meta: 1,
  report: 2,
  reportByNumber: 3,
  countedReporter: 4,
  reputation: 5,
  list: 6,
  listVersion: 7,
  numberingPlan: 8,
  policyVersion: 9,
  review: 10,
  newestReview: 11,
  openReview: 12,
  closedReview: 13,
  change: 14,
  audit: 15,
  document: 16,
  position: 17,
  appliedFact: 18,
  outbox: 19,
  reporterReport: 20,
  reporterOutcomes: 21,
} as const

export const LISTS_SPACE = {
  meta: 1,
  layer: 2,
  layerDirectory: 3,
  layerNumbers: 4,
  layerRanges: 5,
  layerDictionary: 6,
} as const

/** Space and realm. */
export const KEY_PREFIX_BYTES = 3

/** LMDB would take 1,978; nothing we store under a name needs more than this. */
const NAME_BYTES_MAX = 512

export type KeyPart =
  | { readonly u8: number }
  | { readonly u16: number }
  | { readonly u32: number }
  | { readonly u64: number }
  | { readonly text: string }
  | { readonly bytes: Uint8Array }

/** A key of fixed-width parts; a text may only come last. */
export function makeKey(space: number, ...parts: readonly KeyPart[]): Buffer {
  const texts = parts.map((part) => ('text' in part ? Buffer.from(part.text) : undefined))
  let bytes = KEY_PREFIX_BYTES
  for (const [index, part] of parts.entries()) bytes += partBytes(part, texts[index])
  const key = Buffer.allocUnsafe(bytes)
  key.writeUInt8(space, 0)
  key.writeUInt16BE(REALM, 1)
  let at = KEY_PREFIX_BYTES
  for (const [index, part] of parts.entries()) {
    writePart(key, at, part, texts[index])
    at += partBytes(part, texts[index])
  }
  return key
}

/** What follows the fixed bytes of a key, as text. */
export function textPart(key: Buffer, at: number): string {
  return key.toString('utf8', at)
}

export function u64Part(key: Buffer, at: number): number {
  return key.readUInt32BE(at) * 4_294_967_296 + key.readUInt32BE(at + 4)
}

/** The first key after every key that starts with `prefix`. */
export function keyAfterPrefix(prefix: Buffer): Buffer {
  const end = Buffer.from(prefix)
  for (let at = end.length - 1; at >= 0; at--) {
    if (end[at]! < 255) {
      end[at]!++
      return end.subarray(0, at + 1)
    }
  }
  throw new RangeError('A key prefix of 0xff bytes has no end; key spaces stay below 255.')
}

function partBytes(part: KeyPart, text: Buffer | undefined): number {
  if ('u8' in part) return 1
  if ('u16' in part) return 2
  if ('u32' in part) return 4
  if ('u64' in part) return 8
  if ('bytes' in part) return part.bytes.length
  const bytes = text?.length ?? 0
  if (bytes === 0 || bytes > NAME_BYTES_MAX) {
    throw new ScreeningError('BODY_INVALID', `A key must have 1 to ${NAME_BYTES_MAX} bytes, got ${bytes}.`)
  }
  return bytes
}

function writePart(key: Buffer, at: number, part: KeyPart, text: Buffer | undefined): void {
  if ('u8' in part) key.writeUInt8(part.u8, at)
  else if ('u16' in part) key.writeUInt16BE(part.u16, at)
  else if ('u32' in part) key.writeUInt32BE(part.u32, at)
  else if ('u64' in part) {
    key.writeUInt32BE(Math.floor(part.u64 / 4_294_967_296), at)
    key.writeUInt32BE(part.u64 % 4_294_967_296, at + 4)
  } else if ('bytes' in part) key.set(part.bytes, at)
  else if (text !== undefined) key.set(text, at)
}
