import { ScreeningError } from '../domain/errors.ts'
import type { AppliedChange } from './apply-change.ts'
import { largestCoveredShare } from './covered-share.ts'
import { type EntryRows, overlayRows } from './entry-rows.ts'
import { type LayerAccess, readLayerRanges } from './layer-rows.ts'
import type { SortedEntries } from './sorted-entries.ts'

/**
 * Looks at the list as it would be, not at what was sent: two halves of a country are as wide one after the other as they
 * are at once. For changes that add ranges; anything else covers no more than before, whatever that was. Throws
 * IMPORT_TOO_WIDE.
 */
export function assertWidth(change: AppliedChange, access: LayerAccess, shareMax: number): void {
  if (change.layer === undefined) return
  const share = largestCoveredShare(rangesAfter(change.layer, change.below, access))
  if (share <= shareMax) return
  throw new ScreeningError(
    'IMPORT_TOO_WIDE',
    `With this change the list would cover ${percent(share)} of the numbers of one country code, at most ` +
      `${percent(shareMax)} are taken.`,
    { hint: 'Look for prefixes and ranges that are too short, also among those on the list already.', share },
  )
}

function rangesAfter(layer: SortedEntries, below: AppliedChange['below'], access: LayerAccess): EntryRows {
  return overlayRows(readLayerRanges(access, below.at(-1)), layer.ranges, { keepRemovals: false })
}

function percent(share: number): string {
  return `${Math.ceil(share * 1000) / 10} %`
}
