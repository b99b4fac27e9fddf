import { isPlainByte, leafSpan, SPANS_PER_EVENT } from './scan-event.ts'

const AMPERSAND = 0x26
const EQUALS = 0x3d
const PERCENT = 0x25
const SPACE = 0x20

/** By character code: what a hexadecimal digit stands for, -1 for anything else. */
const HEX = Int8Array.from({ length: 128 }, (_, code) => {
  const digit = Number.parseInt(String.fromCharCode(code), 16)
  return Number.isNaN(digit) ? -1 : digit
})

/**
 * The query of a call found as scanEvent finds an event: for queries as switches write them, and no others. The names are those
 * of the leaves of an event. Whatever is doubtful (a name nobody knows or one that stands twice, a value with anything but
 * printable ASCII in it, an escape that is none) is left to parseQuery.
 *
 * @param bytes gets the query with its escapes undone; one that does not fit is left to parseQuery, too
 * @param spans where in `bytes` values are found, by SPAN; of no meaning when it answers false
 */
export function scanQuery(query: string, bytes: Buffer, spans: Int32Array): boolean {
  // No value begins at 0, which stands for none.
  const end = query.length + 1
  if (end > bytes.length || bytes.write(query, 1, 'utf8') !== query.length) return false
  for (let i = 0; i < SPANS_PER_EVENT; i++) spans[i] = 0
  // Escapes are undone where they stand: `at` is never ahead of `i`.
  let at = 1
  let from = 1
  let span = -1
  for (let i = 1; i < end; i++) {
    let code = bytes[i]!
    if (code === EQUALS && span < 0) {
      span = leafSpan(bytes, from, at)
      if (span < 0 || spans[span] !== 0) return false
      spans[span] = at
      from = at
      continue
    }
    if (code === AMPERSAND) {
      if (span < 0) return false
      spans[span + 1] = at
      span = -1
      from = at
      continue
    }
    if (code === PERCENT) {
      const byte = i + 2 < end ? escaped(bytes[i + 1]!, bytes[i + 2]!) : -1
      if (byte < 0) return false
      code = byte
      i += 2
    }
    // A space before a number may be a plus that a proxy has decoded.
    if (!isPlainByte(code) || (code === SPACE && at === from)) return false
    bytes[at++] = code
  }
  if (span < 0) return false
  spans[span + 1] = at
  return true
}

function escaped(high: number, low: number): number {
  if (high > 127 || low > 127) return -1
  const upper = HEX[high]!
  const lower = HEX[low]!
  return upper < 0 || lower < 0 ? -1 : upper * 16 + lower
}
