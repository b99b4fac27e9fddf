import type { DiallingRules } from '../domain/dialling-rules.ts'
import { type FieldError, ScreeningError } from '../domain/errors.ts'
import type { RowReason } from '../domain/import.ts'
import type { EntryDetails, ListEntry } from '../domain/number-list.ts'
import { IMPORT_LIMITS } from '../jobs/list-jobs.ts'
import { parseNumberField } from '../jobs/number-field.ts'
import { parseTime } from './parse-time.ts'

/** One entry as the API takes it, in the forms of a list file's first column. */
export type EntryBody = {
  /** A number, `prefix*`, or a range `from-to` of two complete numbers of equal length. */
  readonly number: string
  readonly reason?: string
  readonly source?: string
  readonly expires?: string | number
}

/**
 * Reads all entries or refuses all: NUMBER_INVALID with a pointer to every one that is wrong. The very reader of uploads,
 * so that what one takes the other takes.
 */
export function parseEntries(bodies: readonly EntryBody[], rules: DiallingRules): ListEntry[] {
  const errors: FieldError[] = []
  const entries: ListEntry[] = []
  for (const [index, body] of bodies.entries()) {
    const expiresMs = body.expires === undefined ? undefined : parseTime(body.expires)
    if (body.expires !== undefined && expiresMs === undefined) {
      const detail = 'Expected RFC 3339 with a zone, or epoch milliseconds.'
      errors.push({ pointer: `/entries/${index}/expires`, detail })
      continue
    }
    const details: EntryDetails = {
      ...(body.reason === undefined ? {} : { reason: body.reason }),
      ...(body.source === undefined ? {} : { source: body.source }),
      ...(expiresMs === undefined ? {} : { expiresMs }),
    }
    const field = parseNumberField(body.number, rules, IMPORT_LIMITS.rowShareMax)
    if (field.kind === 'number') entries.push({ from: field.number, to: field.number, details })
    else if (field.kind === 'ranges') entries.push(...field.ranges.map((range) => ({ ...range, details })))
    else errors.push({ pointer: `/entries/${index}/number`, detail: describe(field.reason) })
  }
  if (errors.length === 0) return entries
  const message = `${errors.length} of ${bodies.length} entries cannot be read; nothing was changed.`
  throw new ScreeningError('NUMBER_INVALID', message, {
    errors,
    hint: 'Write a number, a prefix followed by *, or from-to with two numbers of equal length.',
  })
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

function describe(reason: RowReason): string {
  return DESCRIPTIONS[reason] ?? 'This is not a telephone number.'
}
