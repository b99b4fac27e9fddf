/** An upload, from bytes to sorted entries, with every row accounted for: accepted + rejected = rows. */
import { ScreeningError } from '../domain/errors.ts'
import type { RowReason } from '../domain/import.ts'
import { CONTROL_CHARACTER, type EntryDetails, REASON_CHARS_MAX, SOURCE_CHARS_MAX } from '../domain/number-list.ts'
import { E164_DIGITS_MAX } from '../domain/numbering-plan.ts'
import { type DiallingRules, diallingRules, parsePhoneNumber, readPlainDigits } from '../domain/parse-phone-number.ts'
import { isPhoneNumber, type PhoneNumber } from '../domain/phone-number.ts'
import type { DetailsDictionary } from './details-dictionary.ts'
import { createEntryCollector, type EntryCollector } from './entry-collector.ts'
import { fieldText, unguardFormula } from './field-text.ts'
import type { JobControl } from './job-control.ts'
import { detectDialect, type ListDialect } from './list-dialect.ts'
import type { ImportLimits, RefusedUpload } from './list-jobs.ts'
import { makeRange, type NumberField, parseNumberField, reasonOf } from './number-field.ts'
import { createExpiryParser, type ExpiryParser } from './parse-expiry.ts'
import { takePlainRows } from './plain-lane.ts'
import { createRejectedRows, type RejectedRows } from './rejected-rows.ts'
import { createRowReader, type RowReader } from './row-reader.ts'
import type { SortedEntries } from './sorted-entries.ts'
import { createTailCache, type TailCache } from './tail-cache.ts'
import { openTextSource, type TextSource } from './text-source.ts'

/** Rows read thoroughly between two looks at the control. */
const CHECK_ROWS = 8_192

export type ReadListOptions = {
  readonly path: string
  readonly rejectedPath: string | undefined
  readonly country: string
  readonly timeZone: string
  readonly limits: ImportLimits
}

export type ReadList = {
  readonly entries: SortedEntries
  readonly dictionary: DetailsDictionary
  readonly rows: number
  readonly accepted: number
  readonly rejected: RejectedRows
  readonly duplicates: number
}

/**
 * Reads an upload whole. Throws IMPORT_EMPTY, IMPORT_FORMAT, IMPORT_TOO_LARGE, or whatever the control throws to stop.
 * `onProgress` gets the share of the bytes read.
 */
export function readList(
  options: ReadListOptions,
  { control, onProgress }: { control: JobControl; onProgress: (share: number, rows: number, rejected: number) => void },
): ReadList {
  const source = openTextSource(options.path, { bytesMax: options.limits.bytesMax })
  const dialect = detectDialect(source)
  const rejected = createRejectedRows(options.rejectedPath, dialect)
  try {
    const capacity = Math.min(source.lineEnds + 1, options.limits.rowsMax)
    const state: ReadState = {
      options,
      source,
      dialect,
      reader: createRowReader(source, dialect.delimiter),
      collector: createEntryCollector(capacity),
      rejected,
      rules: diallingRules(options.country),
      expiry: createExpiryParser(options.timeZone),
      tails: createTailCache(),
      rows: 0,
    }
    readRows(state, control, onProgress)
    assertAnyAccepted(state)
    control.check()
    const { entries, distinct } = state.collector.finish()
    const accepted = state.rows - rejected.count
    return {
      entries,
      dictionary: state.collector.dictionary,
      rows: state.rows,
      accepted,
      rejected,
      duplicates: Math.max(0, accepted - distinct),
    }
  } finally {
    source.close()
    rejected.close()
  }
}

/** Whatever the mode: a list replaced by nothing is lost, and nothing to append or to remove is another file than meant. */
function assertAnyAccepted({ rows, rejected }: ReadState): void {
  if (rows === 0) throw new ScreeningError('IMPORT_EMPTY', 'The upload has no rows.')
  if (rejected.count < rows) return
  const refused: RefusedUpload = {
    counts: { rows, accepted: 0, rejected: rejected.count, duplicates: 0 },
    rejected: rejected.sample,
  }
  throw new ScreeningError('IMPORT_EMPTY', `No row of the upload could be taken over, ${rows} were refused.`, {
    hint: 'Check the file and its country; every refused row has its reason.',
    ...refused,
  })
}

type ReadState = {
  readonly options: ReadListOptions
  readonly source: TextSource
  readonly dialect: ListDialect
  readonly reader: RowReader
  readonly collector: EntryCollector
  readonly rejected: RejectedRows
  readonly rules: DiallingRules
  readonly expiry: ExpiryParser
  readonly tails: TailCache
  rows: number
}

function readRows(
  state: ReadState,
  control: JobControl,
  onProgress: (share: number, rows: number, rejected: number) => void,
): void {
  const { reader, collector, dialect, source, rules } = state
  const { rowsMax } = state.options.limits
  const hasLane = dialect.columns.number === 0
  let isHeader = dialect.header !== undefined
  let untilCheck = 0
  while (reader.fill()) {
    if (--untilCheck <= 0) {
      untilCheck = CHECK_ROWS
      control.check()
      onProgress(source.consumed() / source.bytes, state.rows, state.rejected.count)
    }
    if (hasLane && !isHeader) {
      const taken = takePlainRows(reader, collector, rules, rowsMax - state.rows)
      state.rows += taken
      // A whole window went through the lane: count it as the rows it stands for.
      if (taken > CHECK_ROWS) untilCheck = 0
    }
    if (!reader.next()) break
    if (isBlank(reader)) continue
    if (isHeader) {
      isHeader = false
      continue
    }
    if (state.rows >= rowsMax) {
      throw new ScreeningError('IMPORT_TOO_LARGE', `The upload has more than ${rowsMax} rows.`, {
        hint: 'Split it and import the parts with mode append.',
      })
    }
    state.rows++
    const reason = readRow(state)
    if (reason !== undefined) state.rejected.add(reader.startLine, rowFields(state), reason)
  }
}

function isBlank(reader: RowReader): boolean {
  const { row, bytes } = reader
  if (reader.problem !== undefined || row.fieldCount !== 1 || row.quoted[0] === 1) return false
  for (let at = row.starts[0] ?? 0; at < (row.ends[0] ?? 0); at++) {
    const byte = bytes[at]
    if (byte !== 32 && byte !== 9) return false
  }
  return true
}

/** All columns as text, for the file of rejected rows. */
function rowFields({ reader, source }: ReadState): string[] {
  if (reader.problem !== undefined) return [source.decode(reader.problemText)]
  return Array.from({ length: reader.row.fieldCount }, (_, index) => unguardFormula(fieldText(reader, index, source)))
}

/** Takes the reader's row in, or says why not. */
function readRow(state: ReadState): RowReason | undefined {
  const { reader, collector } = state
  if (reader.problem !== undefined) return reader.problem
  const plain = readPlainField(state)
  const field: NumberField = plain > 0 ? { kind: 'number', number: plain as PhoneNumber } : readNumber(state)
  if (field.kind === 'refused') return field.reason
  const details = findDetails(state)
  if (typeof details === 'string') return details
  if (field.kind === 'number') collector.addNumber(field.number, details)
  else {
    for (const range of field.ranges) {
      if (range.from === range.to) collector.addNumber(range.from, details)
      else collector.addRange(range.from, range.to, details)
    }
  }
  return undefined
}

/** The number column when it is only digits, perhaps after a plus; 0 when it must be read thoroughly. */
function readPlainField({ reader: { row, bytes }, dialect, rules }: ReadState): number {
  const column = dialect.columns.number
  if (column < 0 || column >= row.fieldCount) return 0
  const start = row.starts[column] as number
  const end = row.ends[column] as number
  const hasPlus = start < end && bytes[start] === 43
  const digitsStart = hasPlus ? start + 1 : start
  if (end - digitsStart > E164_DIGITS_MAX) return 0
  let value = 0
  for (let at = digitsStart; at < end; at++) {
    const digit = (bytes[at] as number) - 48
    if (digit < 0 || digit > 9) return 0
    value = value * 10 + digit
  }
  return readPlainDigits(value, end - digitsStart, hasPlus, rules, 'list')
}

function column(state: ReadState, index: number): string {
  return unguardFormula(fieldText(state.reader, index, state.source).trim())
}

function readNumber(state: ReadState): NumberField {
  const { dialect, rules, options } = state
  const { ranges } = dialect
  if (ranges === undefined)
    return parseNumberField(column(state, dialect.columns.number), rules, options.limits.rowShareMax)
  const code = column(state, ranges.code)
  const texts = [column(state, ranges.from), column(state, ranges.to)].map((text) => code + text)
  const [from = 0, to = 0] = texts.map((text) => parsePhoneNumber(text, rules, 'list'))
  if (!isPhoneNumber(from)) return { kind: 'refused', reason: reasonOf(from, texts[0] ?? '') }
  if (!isPhoneNumber(to)) return { kind: 'refused', reason: reasonOf(to, texts[1] ?? '') }
  return makeRange(from, to, options.limits.rowShareMax)
}

/** The details id of the row: from the cache when the number comes first and the rest is bytes that we have read. */
function findDetails(state: ReadState): number | RowReason {
  const { reader, dialect, tails, collector } = state
  const { row, bytes } = reader
  if (row.fieldCount === 1) return 0
  const isTail = dialect.columns.number === 0
  if (isTail) {
    const known = tails.find(bytes, row.ends[0] as number, row.end)
    if (known >= 0) return known
  }
  const details = readDetails(state)
  if (typeof details === 'string') return details
  const id = collector.dictionary.idOf(details)
  if (isTail) tails.keep(id)
  return id
}

/** The optional columns. */
function readDetails(state: ReadState): EntryDetails | RowReason {
  const { columns } = state.dialect
  const reason = columns.reason < 0 ? '' : column(state, columns.reason)
  const source = columns.source < 0 ? '' : column(state, columns.source)
  const expires = columns.expires < 0 ? '' : column(state, columns.expires)
  if (reason.length > REASON_CHARS_MAX || source.length > SOURCE_CHARS_MAX) return 'field-too-long'
  if (CONTROL_CHARACTER.test(reason) || CONTROL_CHARACTER.test(source)) return 'control-character'
  const expiresMs = expires === '' ? undefined : state.expiry.parse(expires)
  if (Number.isNaN(expiresMs)) return 'bad-expiry'
  return {
    ...(reason === '' ? {} : { reason }),
    ...(source === '' ? {} : { source }),
    ...(expiresMs === undefined ? {} : { expiresMs }),
  }
}
