import type { RowReason } from '../domain/import.ts'
import {
  type DiallingRules,
  type NumberRange,
  numberLength,
  parsePhoneNumber,
  prefixRanges,
} from '../domain/parse-phone-number.ts'
import { isPhoneNumber, NOT_A_NUMBER, type ParsedNumber, type PhoneNumber } from '../domain/phone-number.ts'
import { coveredShare } from './covered-share.ts'

/** What the first column says: one number, ranges (a prefix has one for each length), or why it is refused. */
export type NumberField =
  | { readonly kind: 'number'; readonly number: PhoneNumber }
  | { readonly kind: 'ranges'; readonly ranges: readonly NumberRange[] }
  | { readonly kind: 'refused'; readonly reason: RowReason }

/** Hyphen, the dashes a word processor makes of it, and the minus sign. */
const DASH = /[-\u2010-\u2015\u2212]/g

/**
 * Reads a number, `prefix*` or `from-to`. A dash is a range only between two complete numbers of equal length:
 * `8-916-000-00-02` is a number. `rowShareMax` is the largest share of a calling code's numbers that one row may cover.
 */
export function parseNumberField(text: string, rules: DiallingRules, rowShareMax: number): NumberField {
  const trimmed = text.trim()
  if (trimmed.endsWith('*')) return parsePrefix(trimmed.slice(0, -1), rules, rowShareMax)
  if (trimmed.search(DASH) > 0) {
    const range = parseRange(trimmed, rules, rowShareMax)
    if (range !== undefined) return range
  }
  const number = parsePhoneNumber(trimmed.replace(DASH, '-'), rules, 'list')
  return isPhoneNumber(number) ? { kind: 'number', number } : refused(reasonOf(number, trimmed))
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

/** Undefined when the text is no range but may be a number. */
function parseRange(text: string, rules: DiallingRules, rowShareMax: number): NumberField | undefined {
  let fault: RowReason | undefined
  for (const match of text.matchAll(DASH)) {
    const from = parsePhoneNumber(text.slice(0, match.index).trim(), rules, 'list')
    const to = parsePhoneNumber(text.slice(match.index + 1).trim(), rules, 'list')
    if (!isPhoneNumber(from) || !isPhoneNumber(to)) continue
    const ends = numberLength(from) === numberLength(to) && digitsIn(text, match.index)
    if (ends === 'equal') return makeRange(from, to, rowShareMax)
    fault = 'range-lengths-differ'
  }
  if (fault === undefined)
    return /\d{7}\s*[-\u2010-\u2015\u2212]\s*\+?\d{7}/.test(text) ? refused('bad-range') : undefined
  return isPhoneNumber(parsePhoneNumber(text.replace(DASH, '-'), rules, 'list')) ? undefined : refused(fault)
}

/** Whether both sides of the dash are written with the same number of digits. */
function digitsIn(text: string, dash: number): 'equal' | 'different' {
  const left = text.slice(0, dash).replace(/\D/g, '').length
  const right = text.slice(dash + 1).replace(/\D/g, '').length
  return left === right ? 'equal' : 'different'
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
