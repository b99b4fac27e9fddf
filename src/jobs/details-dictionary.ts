import { ScreeningError } from '../domain/errors.ts'
import type { EntryDetails } from '../domain/number-list.ts'

/**
 * Different (reason, source, expiry) combinations in one layer. About 250 bytes each in memory while a job runs, so
 * 125 MB at the most; a list with more belongs in a case management system.
 */
export const DETAILS_DISTINCT_MAX = 500_000

/** Details of rows, each distinct combination kept once. Id 0 means no details; ids are indexes into `entries` plus 1. */
export type DetailsDictionary = {
  readonly entries: EntryDetails[]
  /** Throws IMPORT_TOO_LARGE beyond DETAILS_DISTINCT_MAX. */
  idOf(details: EntryDetails): number
}

export function createDetailsDictionary(): DetailsDictionary {
  const entries: EntryDetails[] = []
  const ids = new Map<string, number>()
  return {
    entries,
    idOf(details) {
      if (details.reason === undefined && details.source === undefined && details.expiresMs === undefined) return 0
      const key = detailsKey(details)
      const known = ids.get(key)
      if (known !== undefined) return known
      if (entries.length >= DETAILS_DISTINCT_MAX) {
        throw new ScreeningError(
          'IMPORT_TOO_LARGE',
          `The list has more than ${DETAILS_DISTINCT_MAX} different combinations of reason, source and expiry.`,
          { hint: 'Leave out per-row remarks, or round the expiry to days.' },
        )
      }
      entries.push(details)
      ids.set(key, entries.length)
      return entries.length
    },
  }
}

/** Equal for equal details, and only for them: the length says where the source ends, whatever is in it. */
function detailsKey({ expiresMs, source = '', reason = '' }: EntryDetails): string {
  return `${expiresMs ?? ''}/${source.length}/${source}${reason}`
}
