import type { DiallingRules } from '../domain/dialling-rules.ts'
import { type FieldError, ScreeningError } from '../domain/errors.ts'
import type { RowReason } from '../domain/import.ts'
import {
  CONTROL_CHARACTER,
  type EntryDetails,
  type ListEntry,
  REASON_CHARS_MAX,
  SOURCE_CHARS_MAX,
} from '../domain/number-list.ts'
import { IMPORT_LIMITS } from '../jobs/list-jobs.ts'
import { parseNumberField } from '../jobs/number-field.ts'
import type { ExpiryParser } from '../jobs/parse-expiry.ts'
import { parseTime } from './parse-time.ts'

/** One entry as the API takes it, in the forms of a list file's first column. */
export type EntryBody = {
  /** A number, `prefix*`, or a range `from-to` of two complete numbers of equal length. */
  readonly number: string
  readonly reason?: string
  readonly source?: string
  /** A moment, or a bare date: until that day ends in the home time zone. */
  readonly expires?: string | number
}

export type EntryRules = {
  readonly home: DiallingRules
  /** Of the home time zone: a bare date ends with that day there. */
  readonly expiry: ExpiryParser
}

type FieldName = keyof EntryBody

const FIELD_HINTS: Readonly<Record<FieldName, string>> = {
  number: 'Write a number, a prefix followed by *, or from-to with two numbers of equal length.',
  reason: `A reason is text of at most ${REASON_CHARS_MAX} characters.`,
  source: `A source is text of at most ${SOURCE_CHARS_MAX} characters.`,
  expires: 'Write an expiry as a date such as 2026-12-31, as 2026-12-31T18:00:00+03:00, or as epoch milliseconds.',
}

/**
 * Reads all entries or refuses all, with a pointer to everything that is wrong: NUMBER_INVALID when a number is, else
 * BODY_INVALID. The very reader of uploads, so that what one takes the other takes.
 */
export function parseEntries(bodies: readonly EntryBody[], rules: EntryRules): ListEntry[] {
  const errors: FieldError[] = []
  const wrong = new Set<FieldName>()
  const entries: ListEntry[] = []
  for (const [index, body] of bodies.entries()) {
    const refuse = (field: FieldName, detail: string): void => {
      wrong.add(field)
      errors.push({ pointer: `/entries/${index}/${field}`, detail })
    }
    const details = parseDetails(body, rules, refuse)
    const field = parseNumberField(body.number, rules.home, IMPORT_LIMITS.rowShareMax)
    if (field.kind === 'number') entries.push({ from: field.number, to: field.number, details })
    else if (field.kind === 'ranges') entries.push(...field.ranges.map((range) => ({ ...range, details })))
    else refuse('number', describeRefusal(field.reason))
  }
  if (errors.length === 0) return entries
  const message = `${errors.length} fields of ${bodies.length} entries cannot be read; nothing was changed.`
  throw new ScreeningError(wrong.has('number') ? 'NUMBER_INVALID' : 'BODY_INVALID', message, {
    errors,
    hint: Array.from(wrong, (field) => FIELD_HINTS[field]).join(' '),
  })
}

function parseDetails(
  body: EntryBody,
  { expiry }: EntryRules,
  refuse: (field: FieldName, detail: string) => void,
): EntryDetails {
  const { expires } = body
  const reason = body.reason?.trim()
  const source = body.source?.trim()
  const reasonFault = faultOf(reason, REASON_CHARS_MAX)
  const sourceFault = faultOf(source, SOURCE_CHARS_MAX)
  if (reasonFault !== undefined) refuse('reason', reasonFault)
  if (sourceFault !== undefined) refuse('source', sourceFault)
  const expiresMs = expires === undefined ? undefined : parseExpiry(expires, expiry)
  if (Number.isNaN(expiresMs)) refuse('expires', 'This is neither a date, nor a time with a zone, nor milliseconds.')
  return {
    ...(reason === undefined || reason === '' ? {} : { reason }),
    ...(source === undefined || source === '' ? {} : { source }),
    ...(expiresMs === undefined ? {} : { expiresMs }),
  }
}

/** What is wrong with text that will stand beside an entry; undefined: nothing. */
export function faultOf(text: string | undefined, charsMax: number): string | undefined {
  if (text === undefined) return undefined
  if (CONTROL_CHARACTER.test(text)) return 'This has a control character.'
  return text.length > charsMax ? `This has ${text.length} characters, at most ${charsMax} are taken.` : undefined
}

/** Epoch milliseconds, or NaN. Everything our APIs take as a moment, and the dates of uploads. */
function parseExpiry(value: string | number, expiry: ExpiryParser): number {
  return parseTime(value) ?? (typeof value === 'string' ? expiry.parse(value.trim()) : Number.NaN)
}

const DESCRIPTIONS: Readonly<Partial<Record<RowReason, string>>> = {
  'too-short': 'This has fewer digits than any number.',
  'too-long': 'This has more digits than a number can have.',
  alphanumeric: 'This is a name, not a number.',
  'bad-prefix': 'No number begins with this prefix.',
  'bad-range': 'One end of the range is not a number.',
  'range-reversed': 'The range ends before it begins.',
  'range-lengths-differ': 'Both ends of a range need equal length.',
  'too-wide': `One entry may cover at most ${100 * IMPORT_LIMITS.rowShareMax} % of the numbers of a country code.`,
}

/** Why a row is refused, for people. */
export function describeRefusal(reason: RowReason): string {
  return DESCRIPTIONS[reason] ?? 'This is not a telephone number.'
}
