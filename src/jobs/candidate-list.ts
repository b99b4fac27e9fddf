import { LIST_KINDS, type ListKind } from '../domain/number-list.ts'
import type { PhoneNumber } from '../domain/phone-number.ts'
import type { PolicyDocument } from '../domain/policy.ts'
import { buildIntervals, findSegment, openIntervals, segmentTagsEnd, segmentTagsStart } from '../shm/intervals.ts'

/** A list that is only rehearsed: in no store, in force nowhere. Plain data, so that it crosses to a thread. */
export type CandidateList = {
  readonly kind: ListKind
  /** Ascending and distinct. */
  readonly numbers: Float64Array
  /** Ascending by (from, to) and distinct, from < to. */
  readonly rangesFrom: Float64Array
  readonly rangesTo: Float64Array
}

/** What is tried: a policy instead of the one in force, lists beside those in force. */
export type Candidate = { readonly policy: PolicyDocument; readonly lists: readonly CandidateList[] }

/** Entries of all rehearsed lists together: what one request of the entries API could hold at most. Longer ones are previewed. */
export const CANDIDATE_ENTRIES_MAX = 10_000
/** A kind may come more than once: a file each. */
export const CANDIDATE_LISTS_MAX = 16

/** The bit of a list kind in what CandidateCover answers. */
export function kindBit(kind: ListKind): number {
  return 1 << LIST_KINDS.indexOf(kind)
}

/** The kinds of rehearsed lists a number is on, as kindBit bits; 0: none. */
export type CandidateCover = (number: PhoneNumber) => number

/** Throws IMPORT_TOO_WIDE when the ranges overlap beyond the bounds of shm/flatten-intervals.ts. */
export function coverOf(lists: readonly CandidateList[]): CandidateCover {
  const byNumber = new Map<number, number>()
  for (const { kind, numbers } of lists) {
    for (const number of numbers) byNumber.set(number, (byNumber.get(number) ?? 0) | kindBit(kind))
  }
  const ranges = openIntervals(
    buildIntervals(
      Float64Array.from(lists.flatMap((list) => [...list.rangesFrom])),
      Float64Array.from(lists.flatMap((list) => [...list.rangesTo])),
      Uint32Array.from(lists.flatMap(({ kind, rangesFrom }) => Array.from(rangesFrom, () => kindBit(kind)))),
    ),
  )
  return (number) => {
    let kinds = byNumber.get(number) ?? 0
    const segment = findSegment(ranges, number)
    if (segment < 0) return kinds
    const end = segmentTagsEnd(ranges, segment)
    for (let at = segmentTagsStart(ranges, segment); at < end; at++) kinds |= ranges.tags[at] as number
    return kinds
  }
}
