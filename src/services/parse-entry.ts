import type { DiallingRules } from '../domain/dialling-rules.ts'
import { type FieldError, ScreeningError } from '../domain/errors.ts'
import type { EntryDetails, ListEntry } from '../domain/number-list.ts'
import { numberLength, type ParseMode, parsePhoneNumber, prefixRanges } from '../domain/parse-phone-number.ts'
import { isPhoneNumber, isShortCode, type PhoneNumber } from '../domain/phone-number.ts'
import { parseTime } from './parse-time.ts'

/** One entry as the API takes it, in the forms of a list file's first column. */
export type EntryBody = {
  /** A number, `prefix*`, or a range `from-to` of two complete numbers of equal length. */
  readonly number: string
  readonly reason?: string
  readonly source?: string
  readonly expires?: string | number
}

/** The widest single entry: a national mobile plan. An upload has the same bound. */
export const ENTRY_COVERS_MAX = 1_000_000_000

/** Hyphens between two complete numbers, not inside one: each side must read as a number by itself. */
const RANGE_SIDES = /^(.{5,40}?)\s*[-–]\s*(\+?\d[\d\s().]{3,40})$/

/** Reads all entries or refuses all: NUMBER_INVALID or BODY_INVALID with a pointer to every one that is wrong. */
export function parseEntries(bodies: readonly EntryBody[], rules: DiallingRules): ListEntry[] {
  const errors: FieldError[] = []
  const entries: ListEntry[] = []
  for (const [index, body] of bodies.entries()) {
    const expiresMs = body.expires === undefined ? undefined : parseTime(body.expires)
    if (body.expires !== undefined && expiresMs === undefined) {
      errors.push({
        pointer: `/entries/${index}/expires`,
        detail: 'Expected RFC 3339 with a zone, or epoch milliseconds.',
      })
      continue
    }
    const details: EntryDetails = {
      ...(body.reason === undefined ? {} : { reason: body.reason }),
      ...(body.source === undefined ? {} : { source: body.source }),
      ...(expiresMs === undefined ? {} : { expiresMs }),
    }
    const ranges = parseEntryText(body.number, rules)
    if (typeof ranges === 'string') errors.push({ pointer: `/entries/${index}/number`, detail: ranges })
    else for (const range of ranges) entries.push({ ...range, details })
  }
  if (errors.length === 0) return entries
  throw new ScreeningError(
    'NUMBER_INVALID',
    `${errors.length} of ${bodies.length} entries cannot be read; nothing was changed.`,
    {
      errors,
      hint: 'Write a number, a prefix followed by *, or from-to with two numbers of equal length.',
    },
  )
}

/** What an entry covers, or a sentence that says why it cannot be read. */
function parseEntryText(
  text: string,
  rules: DiallingRules,
): readonly { from: PhoneNumber; to: PhoneNumber }[] | string {
  const trimmed = text.trim()
  if (trimmed.endsWith('*')) {
    const ranges = prefixRanges(trimmed.slice(0, -1), rules)
    if (ranges.length === 0) return 'No number begins with this prefix.'
    const isTooWide = ranges.some(({ from, to }) => to - from >= ENTRY_COVERS_MAX)
    return isTooWide ? `A prefix may cover at most ${ENTRY_COVERS_MAX} numbers.` : ranges
  }
  const parse = (side: string, mode: ParseMode = 'list') => parsePhoneNumber(side, rules, mode)
  const number = parse(trimmed)
  if (isPhoneNumber(number)) return [{ from: number, to: number }]
  const [, left = '', right = ''] = RANGE_SIDES.exec(trimmed) ?? []
  const from = parse(left)
  const to = parse(right)
  if (left === '' || !isPhoneNumber(from) || !isPhoneNumber(to)) return 'This is not a telephone number.'
  if (isShortCode(from) || numberLength(from) !== numberLength(to)) return 'Both ends of a range need equal length.'
  if (from > to) return 'The range ends before it begins.'
  if (to - from >= ENTRY_COVERS_MAX) return `A range may cover at most ${ENTRY_COVERS_MAX} numbers.`
  return [{ from, to }]
}
