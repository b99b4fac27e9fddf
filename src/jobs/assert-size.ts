import { ScreeningError } from '../domain/errors.ts'
import type { AppliedChange } from './apply-change.ts'

/** For changes that add entries: taking some away is always possible. Throws IMPORT_TOO_LARGE. */
export function assertSize({ entryCount }: Pick<AppliedChange, 'entryCount'>, entriesMax: number): void {
  if (entryCount <= entriesMax) return
  throw new ScreeningError(
    'IMPORT_TOO_LARGE',
    `With this change the list would have ${entryCount} entries, at most ${entriesMax} are possible.`,
    { hint: 'Put the entries on several lists, or list prefixes and ranges.', entryCount, entriesMax },
  )
}
