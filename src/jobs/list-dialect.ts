/**
 * How an upload is laid out: delimiter, header, which column says what. Decided once from its first rows.
 *
 * The first column of a list is a number and numbers contain no delimiter, so the first `,` `;` or tab of a row is the
 * delimiter; rows vote. Where the first rows have none, each later row is split at its own. A header may order the columns otherwise. A regulator's range file is known by its header.
 */

import { ANY_DELIMITER, DELIMITERS, NO_DELIMITER } from './csv-row.ts'
import { fieldText } from './field-text.ts'
import { createRowReader } from './row-reader.ts'
import type { TextSource } from './text-source.ts'

type ListColumn = 'number' | 'reason' | 'expires' | 'source'

export type ListDialect = {
  /** Byte of the delimiter, or ANY_DELIMITER: the first rows have none. */
  readonly delimiter: number
  /**
   * The header as it stands in the file; undefined: there is none. One that names only the number goes on with the
   * columns that rows without a header have, so that nothing a row says is lost.
   */
  readonly header: readonly string[] | undefined
  /** Column index of each; -1: not there. */
  readonly columns: Readonly<Record<ListColumn, number>>
  /** Present when this is a range file: code, first and last subscriber number. */
  readonly ranges: { readonly code: number; readonly from: number; readonly to: number } | undefined
}

const SAMPLE_ROWS = 100

/** Columns of rows without a header. */
export const DEFAULT_HEADER = ['number', 'reason', 'expires', 'source'] as const
const DEFAULT_COLUMNS: ListDialect['columns'] = { number: 0, reason: 1, expires: 2, source: 3 }

/** Normalised column names: lower case, words joined by one space. */
const COLUMN_NAMES: Readonly<Record<ListColumn, readonly string[]>> = {
  number: [
    ...['number', 'numbers', 'phone', 'phones', 'phone number', 'phonenumber', 'telephone', 'tel', 'msisdn', 'caller'],
    ...['caller number', 'caller id', 'callerid', 'a number', 'anumber', 'cli', 'pattern', 'prefix', 'range', 'e164'],
    ...[
      'company phone number',
      'calling number',
      'from number',
      'entry',
      'номер',
      'номера',
      'телефон',
      'номер телефона',
    ],
    ...['абонент', 'номер а', 'а номер', 'номер абонента', 'вызывающий', 'номер вызывающего', 'префикс', 'диапазон'],
  ],
  reason: ['reason', 'comment', 'note', 'why', 'причина', 'основание', 'комментарий', 'примечание'],
  expires: ['expires', 'expiry', 'expires at', 'expiration', 'valid until', 'until', 'истекает', 'действует до'].concat(
    ['срок', 'срок действия', 'дата окончания', 'годен до', 'до даты'],
  ),
  source: ['source', 'origin', 'источник', 'откуда'],
}

/** The regulator writes АВС/ DEF;От;До;Емкость;Оператор;Регион;… in Cyrillic or Latin letters. */
const RANGE_NAMES = {
  code: ['авс def', 'abc def', 'авс', 'abc', 'def', 'код', 'code', 'ndc', 'код авс def', 'код abc def'],
  from: ['от', 'from', 'start', 'начало', 'range from'],
  to: ['до', 'to', 'end', 'конец', 'range to'],
} as const

/** Reads the first rows of the source and rewinds it. */
export function detectDialect(source: TextSource): ListDialect {
  const first = sampleRows(source, NO_DELIMITER)
  const votes = new Map<number, number>()
  for (const [line = ''] of first) {
    const delimiter = firstDelimiter(line.trim())
    if (delimiter >= 0) votes.set(delimiter, (votes.get(delimiter) ?? 0) + 1)
  }
  const byVotes = DELIMITERS.filter((delimiter) => votes.has(delimiter)).sort(
    (a, b) => (votes.get(b) ?? 0) - (votes.get(a) ?? 0),
  )
  // A header tells more than votes: reasons may hold any delimiter.
  for (const delimiter of [...byVotes, ANY_DELIMITER]) {
    const header = sampleRows(source, delimiter, 1)[0]
    const dialect = header === undefined ? undefined : dialectOfHeader(delimiter, header)
    if (dialect !== undefined) return dialect
  }
  return {
    delimiter: byVotes[0] ?? ANY_DELIMITER,
    header: undefined,
    columns: DEFAULT_COLUMNS,
    ranges: undefined,
  }
}

function dialectOfHeader(delimiter: number, header: readonly string[]): ListDialect | undefined {
  const names = header.map(normaliseName)
  const find = (known: readonly string[]) => names.findIndex((name) => known.includes(name))
  const ranges = { code: find(RANGE_NAMES.code), from: find(RANGE_NAMES.from), to: find(RANGE_NAMES.to) }
  const isRangeFile = ranges.code >= 0 && ranges.from >= 0 && ranges.to >= 0
  const columns = {
    number: find(COLUMN_NAMES.number),
    reason: find(COLUMN_NAMES.reason),
    expires: find(COLUMN_NAMES.expires),
    source: find(COLUMN_NAMES.source),
  }
  if (isRangeFile && columns.number < 0) return { delimiter, header, columns, ranges }
  if (Object.values(columns).every((column) => column < 0)) return undefined
  // A row of data may hold a word such as `comment`; a header holds no number.
  if (header.some((name) => /\d{3}/.test(name.replace(/[\s()+-]/g, '')))) return undefined
  if (header.length === 1 && columns.number === 0) {
    return { delimiter, header: [...header, ...DEFAULT_HEADER.slice(1)], columns: DEFAULT_COLUMNS, ranges: undefined }
  }
  if (columns.number < 0) columns.number = firstFree(columns, header.length)
  return columns.number < 0 ? undefined : { delimiter, header, columns, ranges: undefined }
}

/** The first column nobody claims: `foo;reason` has its numbers in `foo`. */
function firstFree(columns: Readonly<Record<ListColumn, number>>, count: number): number {
  const taken = Object.values(columns)
  for (let index = 0; index < count; index++) if (!taken.includes(index)) return index
  return -1
}

function normaliseName(name: string): string {
  return name
    .toLowerCase()
    .replace(/[\s_\-./\\#№:*]+/g, ' ')
    .trim()
}

function firstDelimiter(line: string): number {
  let isQuoted = false
  for (let i = 0; i < line.length; i++) {
    const code = line.charCodeAt(i)
    if (code === 34) isQuoted = !isQuoted
    else if (!isQuoted && DELIMITERS.includes(code)) return code
  }
  return -1
}

/** The first rows that are not blank, as text. With NO_DELIMITER each row is one field: the line, quotes and all. */
function sampleRows(source: TextSource, delimiter: number, count = SAMPLE_ROWS): string[][] {
  source.rewind()
  const reader = createRowReader(source, delimiter)
  const rows: string[][] = []
  while (rows.length < count && reader.next()) {
    const fields: string[] = []
    for (let i = 0; i < reader.row.fieldCount; i++) fields.push(fieldText(reader, i, source))
    if (reader.problem !== undefined) fields.push(source.decode(reader.problemText))
    if (fields.length > 1 || fields[0]?.trim() !== '') rows.push(fields)
  }
  source.rewind()
  return rows
}
