/**
 * The fast lane: rows that are nothing but a number, `+79160000002` or bare digits, straight from bytes into the array
 * of numbers. No string and no object is made for a row. Whatever is not certainly such a row is left for the thorough
 * reader, so the lane never decides anything on its own: both give the same numbers (test/property/plain-lane.test.ts).
 */
import { E164_DIGITS_MAX } from '../domain/numbering-plan.ts'
import { type DiallingRules, readPlainDigits } from '../domain/parse-phone-number.ts'
import type { EntryCollector } from './entry-collector.ts'
import type { RowReader } from './row-reader.ts'

const LF = 10
const CR = 13
const PLUS = 43
const ZERO = 48

/**
 * Takes plain rows and empty lines from the reader's window until one is neither, the window ends, or `rowsMax` rows
 * are taken. Moves `reader.at`, `reader.line` and `collector.plainCount` along. Returns how many rows it took.
 */
export function takePlainRows(
  reader: RowReader,
  collector: EntryCollector,
  rules: DiallingRules,
  rowsMax: number,
): number {
  const { bytes, limit } = reader
  const { plain } = collector
  let count = collector.plainCount
  const first = count
  const last = Math.min(collector.capacity, first + rowsMax)
  let lines = 0
  let rowStart = reader.at
  while (count < last) {
    let at = rowStart
    const hasPlus = at < limit && bytes[at] === PLUS
    if (hasPlus) at++
    const digitsStart = at
    let value = 0
    let digit = 0
    while (at < limit) {
      digit = (bytes[at] as number) - ZERO
      if (digit < 0 || digit > 9) break
      value = value * 10 + digit
      at++
    }
    // The last byte of the window may be half of a CRLF, and the last row of a text may have no line end.
    if (at + 1 >= limit) break
    const byte = bytes[at] as number
    if (byte !== LF && byte !== CR) break
    const digitCount = at - digitsStart
    if (digitCount > 0) {
      if (digitCount > E164_DIGITS_MAX) break
      const number = readPlainDigits(value, digitCount, hasPlus, rules, 'list')
      if (number <= 0) break
      plain[count++] = number
    } else if (hasPlus) break
    lines++
    rowStart = byte === CR && bytes[at + 1] === LF ? at + 2 : at + 1
  }
  reader.at = rowStart
  reader.line += lines
  collector.plainCount = count
  return count - first
}
