import type { RowReason } from '../domain/import.ts'
import {
  type DiallingRules,
  type NumberRange,
  numberLength,
  parsePhoneNumber,
  prefixRanges,
} from '../domain/parse-phone-number.ts'
import {
  isPhoneNumber,
  isShortCode,
  NOT_A_NUMBER,
  type ParsedNumber,
  type PhoneNumber,
} from '../domain/phone-number.ts'
import { coveredShare } from './covered-share.ts'

/** What the first column says: one number, ranges (a prefix has one for each length), or why it is refused. */
export type NumberField =
  | { readonly kind: 'number'; readonly number: PhoneNumber }
  | { readonly kind: 'ranges'; readonly ranges: readonly NumberRange[] }
  | { readonly kind: 'refused'; readonly reason: RowReason }

/** Hyphen, the dashes a word processor makes of it, and the minus sign. */
const DASH = /[-\u2010-\u2015\u2212]/g

/** Two long runs of digits with a dash between them were meant as a range, whatever is wrong with one of them. */
const RANGE_LIKE = /\d{7}\s*[-\u2010-\u2015\u2212]\s*\+?\d{7}/

/**
 * Reads a number, `prefix*` or `from-to`. A dash is a range only between two complete numbers of equal length:
 * `8-916-000-00-02` is a number, and so is `98765-43210` where that is one, although both halves are short codes.
 * `rowShareMax` is the largest share of a calling code's numbers that one row may cover.
 */
export function parseNumberField(text: string, rules: DiallingRules, rowShareMax: number): NumberField {
  const trimmed = text.trim()
  if (trimmed.endsWith('*')) return parsePrefix(trimmed.slice(0, -1), rules, rowShareMax)
  const { ends, separateNumbers } = trimmed.search(DASH) < 0 ? NO_DASHES : readDashes(trimmed, rules)
  if (ends !== undefined && !isShortCode(ends.from)) return makeRange(ends.from, ends.to, rowShareMax)
  const number = parsePhoneNumber(trimmed.replace(DASH, '-'), rules, 'list')
  if (isPhoneNumber(number) && (ends === undefined || !isShortCode(number))) return { kind: 'number', number }
  if (ends !== undefined) return makeRange(ends.from, ends.to, rowShareMax)
  if (separateNumbers) return refused('range-lengths-differ')
  return refused(RANGE_LIKE.test(trimmed) ? 'bad-range' : reasonOf(number, trimmed))
}

function parsePrefix(prefix: string, rules: DiallingRules, rowShareMax: number): NumberField {
  if (prefix.trim() === '' || prefix.trim() === '+') return refused('too-wide')
  const ranges = prefixRanges(prefix, rules)
  if (ranges.length === 0) return refused(/^\+?\d{1,2}$/.test(prefix.trim()) ? 'too-wide' : 'bad-prefix')
  if (ranges.some((range) => coveredShare(range.from, range.to) > rowShareMax)) return refused('too-wide')
  return ranges.every((range) => range.from === range.to) && ranges.length === 1
    ? { kind: 'number', number: (ranges[0] as NumberRange).from }
    : { kind: 'ranges', ranges }
}

/** What the dashes of a text separate: two numbers of equal length, or numbers at least. */
type Dashes = { readonly ends: NumberRange | undefined; readonly separateNumbers: boolean }

const NO_DASHES: Dashes = { ends: undefined, separateNumbers: false }

function readDashes(text: string, rules: DiallingRules): Dashes {
  let separateNumbers = false
  for (const { index } of text.matchAll(DASH)) {
    const from = parsePhoneNumber(text.slice(0, index).trim(), rules, 'list')
    const to = parsePhoneNumber(text.slice(index + 1).trim(), rules, 'list')
    if (!isPhoneNumber(from) || !isPhoneNumber(to)) continue
    if (numberLength(from) === numberLength(to) && isWrittenAlike(text, index))
      return { ends: { from, to }, separateNumbers }
    separateNumbers = true
  }
  return { ends: undefined, separateNumbers }
}

/** Whether both sides of the dash are written with the same number of digits. */
function isWrittenAlike(text: string, dash: number): boolean {
  const left = text.slice(0, dash).replace(/\D/g, '').length
  const right = text.slice(dash + 1).replace(/\D/g, '').length
  return left === right
}

/** A range of two parsed ends, also used for the rows of range files. */
export function makeRange(from: PhoneNumber, to: PhoneNumber, rowShareMax: number): NumberField {
  if (to < from) return refused('range-reversed')
  if (numberLength(from) !== numberLength(to)) return refused('range-lengths-differ')
  if (from === to) return { kind: 'number', number: from }
  if (coveredShare(from, to) > rowShareMax) return refused('too-wide')
  return { kind: 'ranges', ranges: [{ from, to }] }
}

function refused(reason: RowReason): NumberField {
  return { kind: 'refused', reason }
}

/** The stable reason for a parse result below 0. Text without any digit and letters is simply no number. */
export function reasonOf(parsed: ParsedNumber, text: string): RowReason {
  if (parsed === NOT_A_NUMBER.tooShort) return 'too-short'
  if (parsed === NOT_A_NUMBER.tooLong) return 'too-long'
  if (parsed === NOT_A_NUMBER.alphanumeric && text !== '') return 'alphanumeric'
  return 'not-a-number'
}
