import type { EntryDetails, ListKind } from '../domain/number-list.ts'
import type { PhoneNumber } from '../domain/phone-number.ts'
import type { LayerContents, LayerId, LayerRef, ListContents, ListRecord, RecordStore } from '../stores/ports.ts'
import { NO_DETAILS, REMOVED } from '../stores/ports.ts'

/** One entry of one list that covers a number: the number itself (from === to) or a range around it. */
export type Membership = {
  readonly list: ListRecord
  readonly from: PhoneNumber
  readonly to: PhoneNumber
  readonly details: EntryDetails
  readonly isExpired: boolean
}

export type ListMembership = {
  /** Every entry of every active list that covers the number, expired ones too; `kinds` narrows the lists asked. */
  of(number: PhoneNumber, nowMs: number, kinds?: readonly ListKind[]): Membership[]
}

/** Ranges of one layer, ascending by from; maxTo[i] is the greatest `to` of ranges 0..i: where to stop looking back. */
type RangeIndex = { readonly layer: LayerContents; readonly maxTo: Float64Array }

/**
 * Answers "which entries cover this number" for people: exact entries straight from the store, ranges from memory. The
 * ranges of a layer are read once (a layer never changes) and forgotten when no active list points to it any more.
 */
export function createListMembership(deps: {
  readonly store: Pick<RecordStore, 'lists'>
  readonly contents: Pick<ListContents, 'entry' | 'readRanges'>
}): ListMembership {
  let indexes = new Map<LayerId, RangeIndex>()

  function dropUnused(lists: readonly ListRecord[]): void {
    const used = new Set(lists.flatMap((list) => list.active.layers.map((layer) => layer.layerId)))
    if ([...indexes.keys()].every((layerId) => used.has(layerId))) return
    indexes = new Map([...indexes].filter(([layerId]) => used.has(layerId)))
  }

  function rangesOf(ref: LayerRef): RangeIndex | undefined {
    if (ref.rangeCount === 0) return undefined
    let index = indexes.get(ref.layerId)
    if (index === undefined) {
      const layer = deps.contents.readRanges(ref.layerId)
      index = { layer, maxTo: greatestSoFar(layer.rangesTo) }
      indexes.set(ref.layerId, index)
    }
    return index
  }

  function coveringRanges(list: ListRecord, number: PhoneNumber, nowMs: number): Membership[] {
    const found: Membership[] = []
    const removed = new Set<string>()
    const seen = new Set<string>()
    for (const ref of list.active.layers) {
      const index = rangesOf(ref)
      if (index === undefined) continue
      for (const at of covering(index, number)) {
        const from = index.layer.rangesFrom[at] as PhoneNumber
        const to = index.layer.rangesTo[at] as PhoneNumber
        const key = `${from}-${to}`
        const code = index.layer.rangeDetails?.[at] ?? NO_DETAILS
        if (removed.has(key) || seen.has(key)) continue
        if (code === REMOVED) {
          removed.add(key)
          continue
        }
        seen.add(key)
        const details = code === NO_DETAILS ? {} : (index.layer.dictionary[code - 1] ?? {})
        found.push({ list, from, to, details, isExpired: isExpired(details, nowMs) })
      }
    }
    return found
  }

  return {
    of(number, nowMs, kinds) {
      const lists = deps.store.lists()
      dropUnused(lists)
      const found: Membership[] = []
      for (const list of lists) {
        if (kinds !== undefined && !kinds.includes(list.kind)) continue
        const exact = exactEntry(deps.contents, list, number)
        if (exact !== undefined) {
          found.push({ list, from: number, to: number, details: exact, isExpired: isExpired(exact, nowMs) })
        }
        found.push(...coveringRanges(list, number, nowMs))
      }
      return found
    },
  }
}

/** The newest layer that knows the number has the last word. */
function exactEntry(
  contents: Pick<ListContents, 'entry'>,
  list: ListRecord,
  number: PhoneNumber,
): EntryDetails | undefined {
  for (const ref of list.active.layers) {
    if (ref.numberCount === 0) continue
    const entry = contents.entry(ref.layerId, number)
    if (entry !== undefined) return entry.removed ? undefined : entry.details
  }
  return undefined
}

function isExpired(details: EntryDetails, nowMs: number): boolean {
  return details.expiresMs !== undefined && details.expiresMs < nowMs
}

function greatestSoFar(values: Float64Array): Float64Array {
  const greatest = new Float64Array(values.length)
  let max = Number.NEGATIVE_INFINITY
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? 0
    if (value > max) max = value
    greatest[i] = max
  }
  return greatest
}

/** Indexes of the ranges that cover the number: a binary search by `from`, then back while any earlier one reaches it. */
function covering({ layer, maxTo }: RangeIndex, number: number): number[] {
  const { rangesFrom, rangesTo } = layer
  let low = 0
  let high = rangesFrom.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((rangesFrom[middle] ?? 0) <= number) low = middle + 1
    else high = middle
  }
  const found: number[] = []
  for (let i = low - 1; i >= 0 && (maxTo[i] ?? 0) >= number; i--) {
    if ((rangesTo[i] ?? 0) >= number) found.push(i)
  }
  return found.reverse()
}
