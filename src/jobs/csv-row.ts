/**
 * One CSV row (RFC 4180, read leniently) out of a window of bytes. Fields are offsets into the window, so a row costs no
 * allocation. A quote opens a quoted field only as the first character of the field; inside it, `""` is one quote and
 * line ends are text. Quoting that does not end before a delimiter or a line end is broken: the reader then gives up the
 * first physical line only, so one stray quote costs one line and not the rest of the file.
 */

const TAB = 9
const LF = 10
const CR = 13
const SPACE = 32
const QUOTE = 34
const COMMA = 44
const SEMICOLON = 59

/** Columns beyond it are not looked at. */
export const FIELDS_MAX = 256

/** What may stand between columns; a number holds none of them. */
export const DELIMITERS: readonly number[] = [SEMICOLON, COMMA, TAB]
/** Instead of a delimiter: every row is one column. */
export const NO_DELIMITER = -1
/** Instead of a delimiter: each row is split at the one it uses first. */
export const ANY_DELIMITER = -2

export const ROW_OK = 0
/** The row ends beyond the window. */
export const ROW_CUT = 1
/** A quoted field does not end, or does not end where it should. */
export const ROW_BROKEN = 2

export type CsvRow = {
  /** Fields found, at most FIELDS_MAX. */
  fieldCount: number
  readonly starts: Int32Array
  readonly ends: Int32Array
  /** 1: the field stood in quotes (its offsets exclude them) and `""` in it means one quote. */
  readonly quoted: Uint8Array
  /** Offset of the first byte after the row's text, before its line end. */
  end: number
  /** Offset of the next row. */
  next: number
  /** Physical lines the row took. */
  lines: number
}

export function createCsvRow(): CsvRow {
  return {
    fieldCount: 0,
    starts: new Int32Array(FIELDS_MAX),
    ends: new Int32Array(FIELDS_MAX),
    quoted: new Uint8Array(FIELDS_MAX),
    end: 0,
    next: 0,
    lines: 0,
  }
}

/**
 * Scans the row that starts at `start`. `limit` is the end of the bytes in the window, `isLast` says that the text ends
 * there too. `delimiter` is a byte or NO_DELIMITER.
 */
export function scanCsvRow(
  row: CsvRow,
  bytes: Uint8Array,
  start: number,
  limit: number,
  isLast: boolean,
  delimiter: number,
): typeof ROW_OK | typeof ROW_CUT | typeof ROW_BROKEN {
  row.fieldCount = 0
  row.lines = 1
  let at = start
  for (;;) {
    const isQuoted = at < limit && bytes[at] === QUOTE
    const from = isQuoted ? at + 1 : at
    let to: number
    if (isQuoted) {
      to = endOfQuoted(row, bytes, from, limit)
      if (to < 0) return isLast ? ROW_BROKEN : ROW_CUT
      at = to + 1
    } else {
      at = endOfPlain(bytes, at, limit, delimiter)
      to = at
    }
    if (at >= limit && !isLast) return ROW_CUT
    const byte = at < limit ? (bytes[at] as number) : LF
    if (byte !== delimiter && byte !== LF && byte !== CR) return ROW_BROKEN
    if (row.fieldCount < FIELDS_MAX) {
      row.starts[row.fieldCount] = from
      row.ends[row.fieldCount] = to
      row.quoted[row.fieldCount] = isQuoted ? 1 : 0
      row.fieldCount++
    }
    if (byte === delimiter) {
      at++
      continue
    }
    row.end = at
    return finishRow(row, bytes, at, limit, isLast)
  }
}

/**
 * The delimiter that the row at `start` uses first, or NO_DELIMITER. Blanks around the row are none. Of a row that is cut
 * by the end of the window, what is there is looked at.
 */
export function findDelimiter(row: CsvRow, bytes: Uint8Array, start: number, limit: number): number {
  let at = start
  if (bytes[start] === QUOTE) {
    at = endOfQuoted(row, bytes, start + 1, limit) + 1
    if (at === 0) return NO_DELIMITER
  } else while (at < limit && (bytes[at] === SPACE || bytes[at] === TAB)) at++
  let isAfterTab = false
  for (; at < limit; at++) {
    const byte = bytes[at]
    if (byte === LF || byte === CR) break
    if (byte === TAB) isAfterTab = true
    else if (byte !== SPACE) {
      if (isAfterTab) return TAB
      if (byte === SEMICOLON || byte === COMMA) return byte
    }
  }
  return NO_DELIMITER
}

/** Steps over the line end at `at`: LF, CRLF, CR, or the end of the text. */
function finishRow(row: CsvRow, bytes: Uint8Array, at: number, limit: number, isLast: boolean) {
  if (at >= limit) row.next = limit
  else if (bytes[at] === LF) row.next = at + 1
  else if (at + 1 < limit) row.next = bytes[at + 1] === LF ? at + 2 : at + 1
  else if (isLast) row.next = limit
  else return ROW_CUT // A CR at the end of the window: the LF may be the next byte.
  return ROW_OK
}

function endOfPlain(bytes: Uint8Array, start: number, limit: number, delimiter: number): number {
  let at = start
  while (at < limit) {
    const byte = bytes[at] as number
    if (byte === delimiter || byte === LF || byte === CR) return at
    at++
  }
  return limit
}

/** The offset of the closing quote, or -1 when the window holds none. A quote as its last byte counts as closing. */
function endOfQuoted(row: CsvRow, bytes: Uint8Array, start: number, limit: number): number {
  let at = start
  while (at < limit) {
    const byte = bytes[at] as number
    if (byte === QUOTE) {
      if (bytes[at + 1] !== QUOTE || at + 1 >= limit) return at
      at += 2
    } else {
      if (byte === LF || (byte === CR && (bytes[at + 1] !== LF || at + 1 >= limit))) row.lines++
      at++
    }
  }
  return -1
}

/** The text between two offsets up to the first line end: what is given up when quoting is broken. */
export function endOfLine(bytes: Uint8Array, start: number, limit: number): number {
  return endOfPlain(bytes, start, limit, NO_DELIMITER)
}
