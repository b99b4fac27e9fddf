import { readFileSync } from 'node:fs'
import { parse } from 'csv-parse/sync'
import { type DiallingRules, parsePhoneNumber } from '../../src/domain/parse-phone-number.ts'
import { isPhoneNumber, type PhoneNumber } from '../../src/domain/phone-number.ts'
import { EvaluateUsageError } from '../lib/evaluate-usage-error.ts'

/** Numbers of a file in its order, with what could not be read. */
export type NumberFile = {
  readonly numbers: readonly PhoneNumber[]
  /** Epoch ms of each, ascending; undefined when the file has no times. */
  readonly timesMs: readonly number[] | undefined
  /** For each row that is no telephone number in this country, how many numbers stand before it. */
  readonly rejectedAt: readonly number[]
}

/** Headers of a column of numbers, best first. */
const NUMBER_HEADERS = [/^(pattern|number)$/i, /phone.*number/i, /number|phone|caller/i]
const TIME_HEADER = /^created/i

/**
 * Reads a CSV file with a header (`pattern`, `number`, or a column whose name says number or phone; a column beginning with
 * Created has UTC times), or without one, when the first number of its first row shows the column, or a plain list of numbers.
 * Callers are read as a switch would send them. Throws EvaluateUsageError when the file is missing, has no row, or none that
 * is a number, and when no name of several columns says which one has the numbers: a guess would take row ids for callers.
 */
export function readNumbers(file: string, rules: DiallingRules, what: string): NumberFile {
  const rows = readRows(file, what)
  const columns = columnsOf(rows[0] ?? [], rules)
  if (columns.number < 0) {
    const names = (rows[0] ?? []).join(', ')
    throw new EvaluateUsageError(
      `No column of the ${what} file ${file} is called pattern or number, nor says number or phone: ${names}.`,
    )
  }
  const body = columns.hasHeader ? rows.slice(1) : rows
  if (body.length === 0) throw new EvaluateUsageError(`The ${what} file ${file} has no row with a number.`)

  const numbers: PhoneNumber[] = []
  const timesMs: number[] = []
  const rejectedAt: number[] = []
  let newestMs = 0
  for (const row of body) {
    const number = parsePhoneNumber(row[columns.number], rules, 'call')
    if (!isPhoneNumber(number)) {
      rejectedAt.push(numbers.length)
      continue
    }
    numbers.push(number)
    if (columns.time < 0) continue
    const atMs = Date.parse(`${(row[columns.time] ?? '').replace(' ', 'T')}Z`)
    // A row without a time, or out of order, came when the one before it did.
    newestMs = Math.max(newestMs, Number.isNaN(atMs) ? 0 : atMs)
    timesMs.push(newestMs)
  }
  if (numbers.length === 0) throw new EvaluateUsageError(`No row of the ${what} file ${file} is a telephone number.`)
  const hasTimes = columns.time >= 0 && newestMs > 0
  return { numbers, timesMs: hasTimes ? timesMs : undefined, rejectedAt }
}

function readRows(file: string, what: string): string[][] {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    throw new EvaluateUsageError(`The ${what} file ${file} cannot be read.`, { cause })
  }
  try {
    return parse(text, { bom: true, relax_column_count: true, relax_quotes: true, skip_empty_lines: true, trim: true })
  } catch (cause) {
    throw new EvaluateUsageError(`The ${what} file ${file} is not a CSV file.`, { cause })
  }
}

function columnsOf(head: readonly string[], rules: DiallingRules) {
  const first = head.findIndex((cell) => isPhoneNumber(parsePhoneNumber(cell, rules, 'call')))
  if (first >= 0) return { hasHeader: false, number: first, time: -1 }
  const found = NUMBER_HEADERS.map((header) => head.findIndex((cell) => header.test(cell))).find((at) => at >= 0)
  const alone = head.length <= 1 ? 0 : -1
  return { hasHeader: true, number: found ?? alone, time: head.findIndex((cell) => TIME_HEADER.test(cell)) }
}
