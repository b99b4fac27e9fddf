/**
 * Entries as they are read, in any order, on their way to a sorted layer. Plain numbers (no details) lie apart from the
 * few that carry some, so that ten million of them cost 80 MB and one native sort. The arrays are as long as the file
 * has lines; memory that no row touches is never given to the process by the kernel.
 */
import { ScreeningError } from '../domain/errors.ts'
import { createDetailsDictionary, type DetailsDictionary } from './details-dictionary.ts'
import { countRanges, rowsFromUnsorted } from './entry-rows.ts'
import { sortTagged } from './sort-tagged.ts'
import type { SortedEntries } from './sorted-entries.ts'

/** As many as shm/intervals.ts holds for all lists together. */
export const LIST_RANGES_MAX = 1_000_000

export type EntryCollector = {
  /** Plain numbers: the fast lane writes here and moves `plainCount` along. */
  readonly plain: Float64Array
  plainCount: number
  readonly capacity: number
  readonly dictionary: DetailsDictionary
  /** `id` is of `dictionary`, 0: no details. */
  addNumber(number: number, id: number): void
  /** Throws IMPORT_TOO_LARGE beyond LIST_RANGES_MAX. */
  addRange(from: number, to: number, id: number): void
  /** Sorts in place, removes duplicates, gives the arrays away. `distinct` counts a prefix once. Call once. */
  finish(): { entries: SortedEntries; distinct: number }
}

/** `capacity` is the most rows that can come. */
export function createEntryCollector(capacity: number): EntryCollector {
  const dictionary = createDetailsDictionary()
  const ranges: { from: number[]; to: number[]; ids: number[] } = { from: [], to: [], ids: [] }
  let detailed: { numbers: Float64Array; ids: Uint32Array; count: number } | undefined

  const collector: EntryCollector = {
    plain: new Float64Array(capacity),
    plainCount: 0,
    capacity,
    dictionary,
    addNumber(number, id) {
      if (id === 0) {
        collector.plain[collector.plainCount++] = number
        return
      }
      detailed ??= { numbers: new Float64Array(capacity), ids: new Uint32Array(capacity), count: 0 }
      detailed.numbers[detailed.count] = number
      detailed.ids[detailed.count++] = id
    },
    addRange(from, to, id) {
      if (ranges.from.length >= LIST_RANGES_MAX) {
        throw new ScreeningError('IMPORT_TOO_LARGE', `The list has more than ${LIST_RANGES_MAX} prefixes and ranges.`)
      }
      ranges.from.push(from)
      ranges.to.push(to)
      ranges.ids.push(id)
    },
    finish() {
      const plain = collector.plain.subarray(0, collector.plainCount).sort()
      const plainCount = distinct(plain)
      const marked = detailed === undefined ? undefined : finishDetailed(detailed)
      const numbers = mergeLanes(plain.subarray(0, plainCount), marked)
      const rangeRows = rowsFromUnsorted(ranges.from, ranges.to, ranges.ids)
      return {
        entries: { numbers: numbers.from, numberIds: numbers.ids, ranges: rangeRows, dictionary: dictionary.entries },
        distinct: numbers.from.length + countRanges(rangeRows),
      }
    },
  }
  return collector
}

/** Removes repeats from a sorted array in place. Returns how many are left. */
function distinct(sorted: Float64Array): number {
  if (sorted.length === 0) return 0
  let kept = 1
  let last = sorted[0] as number
  for (let i = 1; i < sorted.length; i++) {
    const number = sorted[i] as number
    if (number !== last) {
      sorted[kept++] = number
      last = number
    }
  }
  return kept
}

type Lane = { from: Float64Array; ids: Uint32Array }

/** Of several rows with details for one number the last in the file stands. */
function finishDetailed(detailed: { numbers: Float64Array; ids: Uint32Array; count: number }): Lane {
  const { numbers, ids, count } = detailed
  const order = new Uint32Array(count)
  for (let i = 0; i < count; i++) order[i] = i
  sortTagged(numbers, order, count)
  let kept = 0
  for (let i = 0; i < count; i++) {
    if (i + 1 < count && numbers[i + 1] === numbers[i]) continue
    numbers[kept] = numbers[i] as number
    order[kept++] = ids[order[i] as number] as number
  }
  return { from: numbers.subarray(0, kept), ids: order.subarray(0, kept) }
}

/** Puts the two lanes together. A number in both keeps its details: the row that says more stands. */
function mergeLanes(
  plain: Float64Array,
  marked: Lane | undefined,
): { from: Float64Array; ids: Uint32Array | undefined } {
  if (marked === undefined) return { from: plain, ids: undefined }
  if (plain.length === 0) return marked
  const from = new Float64Array(plain.length + marked.from.length)
  const ids = new Uint32Array(from.length)
  let p = 0
  let m = 0
  let count = 0
  while (p < plain.length || m < marked.from.length) {
    const a = p < plain.length ? (plain[p] as number) : Number.POSITIVE_INFINITY
    const b = m < marked.from.length ? (marked.from[m] as number) : Number.POSITIVE_INFINITY
    if (b <= a) {
      from[count] = b
      ids[count++] = marked.ids[m++] as number
      if (a === b) p++
    } else {
      from[count++] = a
      p++
    }
  }
  return { from: from.subarray(0, count), ids: ids.subarray(0, count) }
}
