import type { RowReader } from './row-reader.ts'
import type { TextSource } from './text-source.ts'

const QUOTE = 34
/** A spreadsheet shows a cell that starts like this as a formula; we write an apostrophe before it, and read past one. */
const FORMULA_START = /^[=+\-@\t\r]/

/** Field `index` of the reader's row as text: decoded, doubled quotes made one. '' when the row has fewer fields. */
export function fieldText(reader: RowReader, index: number, source: Pick<TextSource, 'decode'>): string {
  const { row, bytes } = reader
  if (index < 0 || index >= row.fieldCount) return ''
  const start = row.starts[index] ?? 0
  const end = row.ends[index] ?? 0
  if (start === end) return ''
  const text = asciiText(bytes, start, end) ?? source.decode(bytes.subarray(start, end))
  return row.quoted[index] === 1 && text.includes('"') ? text.replaceAll('""', '"') : text
}

/** Short ASCII fields are made without a decoder call, which costs about 300 ns however short the text is. */
function asciiText(bytes: Uint8Array, start: number, end: number): string | undefined {
  if (end - start > 24) return undefined
  let text = ''
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number
    if (byte >= 0x80 || byte === QUOTE) return undefined
    text += String.fromCharCode(byte)
  }
  return text
}

/** Undoes `guardFormula`: what a spreadsheet or our own file of rejected rows put before a formula character. */
export function unguardFormula(text: string): string {
  return text.charCodeAt(0) === 39 && FORMULA_START.test(text.slice(1)) ? text.slice(1) : text
}

/**
 * Makes a cell safe to open in a spreadsheet (OWASP, CSV injection). Numbers and what only holds the characters of
 * numbers, `+7 (916) 000-00-02` or `+7916*`, stay as they are: they cannot be more than a sum.
 */
export function guardFormula(text: string): string {
  return FORMULA_START.test(text) && !/^[+-][\d\s()*.–-]*$/.test(text) ? `'${text}` : text
}
