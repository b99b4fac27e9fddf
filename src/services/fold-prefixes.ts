import { POWERS_OF_TEN } from '../domain/numbering-plan.ts'
import { internationalPrefixRanges } from '../domain/parse-phone-number.ts'
import type { ExportedEntry } from './export-list.ts'

type FindRange = (from: number, to: number) => ExportedEntry | undefined

/**
 * Prefixes as whoever uploaded them wrote them: where all the ranges that a prefix stands for are there with the same
 * details, the shortest becomes the prefix and the longer ones go. Exact, since a range is part of one prefix only, and
 * the prefix reads back as just these ranges. `ranges` ascend by (from, to); `find` knows them all.
 */
export function foldPrefixes(ranges: readonly ExportedEntry[], find: FindRange): ExportedEntry[] {
  const folded: ExportedEntry[] = []
  const longer = new Set<ExportedEntry>()
  const last = ranges.at(-1)?.from ?? 0
  for (const row of ranges) {
    // Longer numbers are greater: their ranges come after the shortest one, which has named them.
    if (longer.delete(row)) continue
    // A range with one digit more begins ten times as high: the million ranges of a list without any pass here.
    const prefix = row.from * 10 <= last ? prefixOf(row) : undefined
    const parts = prefix === undefined ? [] : partsOf(prefix, row, find)
    folded.push(prefix === undefined || parts.length === 0 ? row : { ...row, prefix })
    for (const part of parts) longer.add(part)
  }
  return folded
}

/** The digits that the numbers of the range, and no others of their length, begin with. */
function prefixOf({ from, to }: ExportedEntry): string | undefined {
  const size = to - from + 1
  return from % size === 0 && POWERS_OF_TEN.includes(size) ? String(from / size) : undefined
}

/** The longer ranges of a prefix; none when the row is not its shortest, one is missing or has other details. */
function partsOf(prefix: string, { from, to, details }: ExportedEntry, find: FindRange): ExportedEntry[] {
  const [shortest, ...others] = internationalPrefixRanges(prefix)
  if (shortest?.from !== from || shortest.to !== to) return []
  const parts = others.map((range) => find(range.from, range.to))
  return parts.every((part) => part !== undefined && hasDetails(part, details)) ? parts.filter((part) => !!part) : []
}

function hasDetails({ details }: ExportedEntry, { reason, source, expiresMs }: ExportedEntry['details']): boolean {
  return details.reason === reason && details.source === source && details.expiresMs === expiresMs
}
