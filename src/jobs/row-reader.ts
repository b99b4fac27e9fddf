/**
 * Rows of a text source, one at a time, through one window of bytes. The window slides: a row that is cut by its end is
 * moved to the front and completed. Memory does not depend on the size of the file.
 */
import { ANY_DELIMITER, type CsvRow, createCsvRow, endOfLine, findDelimiter, ROW_OK, scanCsvRow } from './csv-row.ts'
import type { TextSource } from './text-source.ts'

/** Longest row in bytes, line ends in quoted fields included. A number, a reason and a source fit many times over. */
export const ROW_BYTES_MAX = 16_384
/** Large enough that a read costs nothing beside the parsing of its rows (77,000 plain rows). */
const WINDOW_BYTES = 1_048_576
/** What is kept of a line that is no row: enough to find it in an editor. */
export const PROBLEM_BYTES_MAX = 200

const LF = 10
const CR = 13

type RowProblem = 'row-too-long' | 'quote-open'

export type RowReader = {
  readonly bytes: Uint8Array
  /** Offsets into `bytes`, valid until the next call. */
  readonly row: CsvRow
  /** The first byte not yet taken. Whoever takes rows out of the window himself moves `at` and `line` along. */
  at: number
  /** The end of the bytes in the window. */
  limit: number
  /** Physical line of `at`, from 1. */
  line: number
  /** Line in which the row of the last `next` starts. */
  startLine: number
  /** Set when the last line was no row; its first bytes are in `problemText`, `row` has no fields. */
  problem: RowProblem | undefined
  problemText: Uint8Array
  /** Makes sure that a whole row, or the rest of the text, lies in the window. False at the end of the text. */
  fill(): boolean
  /** Takes a row or gives up a line. False at the end of the text. A blank line is a row of one empty field. */
  next(): boolean
}

/** Reads on from the current position of the source. `delimiter` is a byte, NO_DELIMITER or ANY_DELIMITER. */
export function createRowReader(
  source: Pick<TextSource, 'read'>,
  delimiter: number,
  windowBytes = WINDOW_BYTES,
): RowReader {
  const bytes = Buffer.alloc(Math.max(windowBytes, 2 * ROW_BYTES_MAX))
  const none = new Uint8Array(0)
  let ended = false

  const reader: RowReader = {
    bytes,
    row: createCsvRow(),
    at: 0,
    limit: 0,
    line: 1,
    startLine: 1,
    problem: undefined,
    problemText: none,
    fill() {
      if (!ended && reader.limit - reader.at <= ROW_BYTES_MAX) slide()
      return reader.at < reader.limit
    },
    next() {
      if (!reader.fill()) return false
      const { row } = reader
      reader.startLine = reader.line
      reader.problem = undefined
      reader.problemText = none
      // The window holds more than ROW_BYTES_MAX bytes or the rest of the text, so a row that is cut is too long.
      const used = delimiter === ANY_DELIMITER ? findDelimiter(row, bytes, reader.at, reader.limit) : delimiter
      const outcome = scanCsvRow(row, bytes, reader.at, reader.limit, ended, used)
      if (outcome === ROW_OK && row.end - reader.at <= ROW_BYTES_MAX) {
        reader.line += row.lines
        reader.at = row.next
      } else giveUpLine()
      return true
    },
  }

  function slide(): void {
    bytes.copyWithin(0, reader.at, reader.limit)
    reader.limit -= reader.at
    reader.at = 0
    while (!ended && reader.limit < bytes.length) {
      const count = source.read(bytes, reader.limit)
      ended = count === 0
      reader.limit += count
    }
  }

  function giveUpLine(): void {
    const start = reader.at
    let end = endOfLine(bytes, start, reader.limit)
    // A short line can only be given up because its quotes reach too far.
    reader.problem = end - start > ROW_BYTES_MAX ? 'row-too-long' : 'quote-open'
    reader.problemText = bytes.slice(start, Math.min(end, start + PROBLEM_BYTES_MAX))
    reader.row.fieldCount = 0
    while (end === reader.limit && !ended) {
      reader.at = end
      slide()
      end = endOfLine(bytes, 0, reader.limit)
    }
    reader.at = end
    if (!ended && reader.limit - reader.at < 2) slide()
    if (reader.at < reader.limit) {
      const isCrLf = bytes[reader.at] === CR && reader.at + 1 < reader.limit && bytes[reader.at + 1] === LF
      reader.at += isCrLf ? 2 : 1
    }
    reader.line++
  }

  return reader
}
