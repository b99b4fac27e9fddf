import type { EntryDetails } from '../domain/number-list.ts'
import type { EntryRows } from './entry-rows.ts'

/**
 * Entries in layer order: numbers ascending and distinct, ranges ascending by (from, to) and distinct. Ids are 0 (no
 * details), REMOVED, or an index into `dictionary` plus 1; without `numberIds` all numbers have none.
 */
export type SortedEntries = {
  readonly numbers: Float64Array
  readonly numberIds: Uint32Array | undefined
  readonly ranges: EntryRows
  readonly dictionary: readonly EntryDetails[]
}
