/**
 * Rejected rows, in a file that can be corrected and uploaded as it is: the columns of the original come first, under
 * its own header or the one that says what the columns meant, then the line and the reason, which an upload ignores. A
 * control character stands there as U+FFFD: with U+0000 in it the file would be no text.
 */
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs'
import type { RejectedRow, RowReason } from '../domain/import.ts'
import { CONTROL_CHARACTER } from '../domain/number-list.ts'
import { guardFormula } from './field-text.ts'
import { DEFAULT_HEADER, type ListDialect } from './list-dialect.ts'

/** Rows in the import record: what a person reads. The file has all. */
export const REJECTED_SAMPLE_ROWS = 100
const SAMPLE_TEXT_CHARS_MAX = 120
const BUFFER_CHARS = 65_536
const CONTROL_CHARACTERS = new RegExp(CONTROL_CHARACTER, 'gu')
const EXTRA_COLUMNS = ['rejected_line', 'rejected_because']
/** Spreadsheets take a file without it for the local 8-bit encoding. */
const BYTE_ORDER_MARK = '\ufeff'

export type RejectedRows = {
  readonly sample: RejectedRow[]
  count: number
  /** `fields` are the columns of the row as text; `text` is what the record shows. */
  add(line: number, fields: readonly string[], reason: RowReason): void
  /** Writes what is left, durably. Without rows there is no file. */
  close(): void
}

/** `path` undefined: only counts and keeps the sample. */
export function createRejectedRows(path: string | undefined, dialect: ListDialect): RejectedRows {
  const delimiter = dialect.delimiter < 0 ? ',' : String.fromCharCode(dialect.delimiter)
  const header = dialect.header ?? DEFAULT_HEADER
  let file: number | undefined
  let buffer = ''

  function line(fields: readonly string[]): string {
    return `${fields.map((field) => quoteField(guardFormula(field), delimiter)).join(delimiter)}\r\n`
  }

  function flush(): void {
    if (path === undefined || buffer === '') return
    if (file === undefined) file = openSync(path, 'w', 0o600)
    writeSync(file, buffer)
    buffer = ''
  }

  const rows: RejectedRows = {
    sample: [],
    count: 0,
    add(lineNumber, original, reason) {
      const fields = original.map((field) => field.replace(CONTROL_CHARACTERS, '\ufffd'))
      if (rows.sample.length < REJECTED_SAMPLE_ROWS) {
        rows.sample.push({ line: lineNumber, text: fields.join(delimiter).slice(0, SAMPLE_TEXT_CHARS_MAX), reason })
      }
      if (path !== undefined) {
        if (rows.count === 0) buffer = BYTE_ORDER_MARK + line([...header, ...EXTRA_COLUMNS])
        const columns = header.map((_, index) => fields[index] ?? '')
        buffer += line([...columns, String(lineNumber), reason, ...fields.slice(header.length)])
        if (buffer.length >= BUFFER_CHARS) flush()
      }
      rows.count++
    },
    close() {
      flush()
      if (file === undefined) return
      fsyncSync(file)
      closeSync(file)
      file = undefined
    },
  }
  return rows
}

function quoteField(text: string, delimiter: string): string {
  const needsQuotes = text.includes('"') || text.includes(delimiter) || /[\r\n]|^\s|\s$/.test(text)
  return needsQuotes ? `"${text.replaceAll('"', '""')}"` : text
}
