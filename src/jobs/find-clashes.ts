import type { ImportImpact } from '../domain/import.ts'
import { formatE164 } from '../domain/parse-phone-number.ts'
import type { PhoneNumber } from '../domain/phone-number.ts'
import type { ListContents } from '../stores/ports.ts'
import { createDetailsDictionary } from './details-dictionary.ts'
import { firstAtLeast } from './first-at-least.ts'
import { rangesOfVersion } from './layer-rows.ts'
import type { JobList } from './list-jobs.ts'
import type { SortedEntries } from './sorted-entries.ts'
import { createVersionCursor } from './version-cursor.ts'

const CLASH_SAMPLE = 20

export type Clashes = ImportImpact['clashes']

/**
 * Which numbers of an upload are on the lists it is held against, as a number or inside a range of either. Each list is
 * read once, side by side with the upload: allow and protected lists are small beside what is imported.
 */
export function findClashes(
  upload: SortedEntries,
  lists: readonly JobList[],
  { contents, onBlock }: { contents: ListContents; onBlock: () => void },
): Clashes {
  const clashes: Clashes = { count: 0, protectedCount: 0, sample: [] }
  for (const list of lists) {
    const note = (from: number, to: number, count = 1): void => {
      clashes.count += count
      if (list.kind === 'protected') clashes.protectedCount += count
      if (clashes.sample.length >= CLASH_SAMPLE) return
      const text = formatE164(from as PhoneNumber)
      const number = from === to ? text : `${text}-${formatE164(to as PhoneNumber)}`
      clashes.sample.push({ number, list: list.name, kind: list.kind })
    }
    const dictionary = createDetailsDictionary()
    const listed = rangesOfVersion({ contents, dictionary, onBlock }, list.layers)
    clashNumbers(upload, createVersionCursor(contents, list.layers, dictionary, onBlock), note)
    clashListedRanges(upload, listed, note)
  }
  return clashes
}

type Note = (from: number, to: number, count?: number) => void

/** Listed numbers that the upload names, or that lie in one of its ranges. */
function clashNumbers(upload: SortedEntries, cursor: ReturnType<typeof createVersionCursor>, note: Note): void {
  const { numbers, ranges } = upload
  let i = 0
  let r = 0
  let reachedTo = -1
  for (; cursor.number !== Number.POSITIVE_INFINITY; cursor.advance()) {
    const { number } = cursor
    while (i < numbers.length && (numbers[i] as number) < number) i++
    while (r < ranges.from.length && (ranges.from[r] as number) <= number) {
      reachedTo = Math.max(reachedTo, ranges.to[r++] as number)
    }
    if (numbers[i] === number || number <= reachedTo) note(number, number)
  }
}

/** Listed ranges with numbers of the upload in them, or that overlap one of its ranges. */
function clashListedRanges(
  { numbers, ranges }: SortedEntries,
  listed: { from: Float64Array; to: Float64Array },
  note: Note,
): void {
  const reach = reachOf(ranges.to)
  for (let r = 0; r < listed.from.length; r++) {
    const from = listed.from[r] as number
    const to = listed.to[r] as number
    const first = firstAtLeast(numbers, from)
    const inside = firstAtLeast(numbers, to + 1) - first
    if (inside > 0) note(numbers[first] as number, numbers[first] as number, inside)
    // Of the uploaded ranges that start at or before `to`, one overlaps when the furthest of them reaches `from`.
    const before = firstAtLeast(ranges.from, to + 1)
    if (before > 0 && (reach[before - 1] as number) >= from) note(from, to)
  }
}

/** The largest end among the ranges up to each one. */
function reachOf(ends: Float64Array): Float64Array {
  let furthest = -1
  return ends.map((end) => {
    furthest = Math.max(furthest, end)
    return furthest
  })
}
