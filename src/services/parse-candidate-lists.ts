import type { DiallingRules } from '../domain/dialling-rules.ts'
import { type FieldError, ScreeningError } from '../domain/errors.ts'
import type { ListKind } from '../domain/number-list.ts'

export { CANDIDATE_LISTS_MAX } from '../jobs/candidate-list.ts'
export { TIPPING_CAUSES } from '../jobs/tipped-by.ts'

import { CANDIDATE_ENTRIES_MAX, type CandidateList } from '../jobs/candidate-list.ts'
import { IMPORT_LIMITS } from '../jobs/list-jobs.ts'
import { parseNumberField } from '../jobs/number-field.ts'
import { describeRefusal } from './parse-entry.ts'

/** A list to rehearse, as the API takes it: entries in the forms of a list file's first column. */
export type CandidateListBody = { readonly kind: ListKind; readonly entries: readonly string[] }

/** A file of another kind has thousands of mistakes; the first ones say which. */
const ERRORS_MAX = 100

/**
 * Reads all lists or refuses all, with the very reader of uploads and of single entries. Throws NUMBER_INVALID with a pointer to
 * each of the first mistakes, BODY_INVALID when there are more than CANDIDATE_ENTRIES_MAX entries.
 */
export function parseCandidateLists(bodies: readonly CandidateListBody[], home: DiallingRules): CandidateList[] {
  const count = bodies.reduce((sum, { entries }) => sum + entries.length, 0)
  if (count > CANDIDATE_ENTRIES_MAX) {
    const detail = `The lists hold ${count} entries together, at most ${CANDIDATE_ENTRIES_MAX} are taken.`
    throw new ScreeningError('BODY_INVALID', detail, {
      errors: [{ pointer: '/lists', detail }],
      hint: 'Longer lists are previewed: POST /v1/lists/{name}/imports?dryRun=true says which calls they would meet.',
    })
  }
  const errors: FieldError[] = []
  const lists = bodies.map(({ kind, entries }, list) => {
    const numbers = new Set<number>()
    const ranges = new Map<string, { from: number; to: number }>()
    for (const [index, text] of entries.entries()) {
      const field = parseNumberField(text, home, IMPORT_LIMITS.rowShareMax)
      if (field.kind === 'number') numbers.add(field.number)
      else if (field.kind === 'ranges') for (const range of field.ranges) ranges.set(`${range.from}-${range.to}`, range)
      else errors.push({ pointer: `/lists/${list}/entries/${index}`, detail: describeRefusal(field.reason) })
    }
    const sorted = [...ranges.values()].sort((a, b) => a.from - b.from || a.to - b.to)
    return {
      kind,
      numbers: Float64Array.from(numbers).sort(),
      rangesFrom: Float64Array.from(sorted, ({ from }) => from),
      rangesTo: Float64Array.from(sorted, ({ to }) => to),
    }
  })
  if (errors.length === 0) return lists
  throw new ScreeningError('NUMBER_INVALID', `${errors.length} of ${count} entries cannot be read.`, {
    errors: errors.slice(0, ERRORS_MAX),
    hint: 'Write a number, a prefix followed by *, or from-to with two numbers of equal length.',
  })
}
