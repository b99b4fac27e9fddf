import type { PhoneNumber } from '../domain/phone-number.ts'
import { type LayerRef, REMOVED } from '../stores/ports.ts'
import type { AppliedChange } from './apply-change.ts'
import { compareRows, type EntryRows, markLongerRepeats, overlayRows } from './entry-rows.ts'
import { type LayerAccess, readLayerNumbers, readLayerRanges } from './layer-rows.ts'
import type { JobVersion } from './list-jobs.ts'

type Tally = { added: number; removed: number; updated: number }

/** Rows of a small change; those with the id REMOVED take away what they name. */
export type DeltaRows = { readonly numbers: EntryRows; readonly ranges: EntryRows }

/**
 * A new delta for a version: its own one, if it has one, with the change laid over it. Every row of the change costs one
 * look-up in the base; rows that make no difference are left out.
 */
export function applyDelta(active: JobVersion, change: DeltaRows, access: LayerAccess): AppliedChange {
  const base = active.layers.at(-1)
  const delta = active.layers.length > 1 ? active.layers[0] : undefined
  const tally: Tally = { added: 0, removed: 0, updated: 0 }
  const numberDelta = readLayerNumbers(access, delta)
  const rangeDelta = readLayerRanges(access, delta)
  const numbers = effectiveRows(change.numbers, numberDelta, numberLookup(access, base), tally)
  const ranges =
    change.ranges.from.length === 0
      ? change.ranges
      : effectiveRows(change.ranges, rangeDelta, rangeLookup(access, base), tally)
  const counts = { ...tally, unchanged: active.entryCount - tally.removed }
  const entryCount = active.entryCount + tally.added - tally.removed
  if (numbers.from.length + ranges.from.length === 0) {
    return { layer: undefined, below: active.layers, entryCount, ...counts }
  }
  // With nothing below there is nothing to take away from.
  const keepRemovals = base !== undefined
  const merged = overlayRows(numberDelta, numbers, { keepRemovals })
  const layer = {
    numbers: merged.from,
    numberIds: merged.ids,
    ranges: overlayRows(rangeDelta, ranges, { keepRemovals }),
    dictionary: access.dictionary.entries,
  }
  return { layer, below: base === undefined ? [] : [base], entryCount, ...counts }
}

type Lookup = (from: number, to: number) => number | undefined

/** The rows of a change that make a difference. Prefixes count once, whatever lengths their numbers have. */
function effectiveRows(change: EntryRows, delta: EntryRows, idInBase: Lookup, tally: Tally): EntryRows {
  const kept: number[] = []
  const repeats = change.from === change.to ? undefined : markLongerRepeats(change)
  let d = 0
  for (let i = 0; i < change.from.length; i++) {
    while (d < delta.from.length && compareRows(delta, d, change, i) < 0) d++
    const isInDelta = d < delta.from.length && compareRows(delta, d, change, i) === 0
    const stored = isInDelta ? delta.ids[d] : idInBase(change.from[i] as number, change.to[i] as number)
    const before = stored === REMOVED ? undefined : stored
    const after = change.ids[i] === REMOVED ? undefined : change.ids[i]
    if (before === after) continue
    kept.push(i)
    if (repeats?.[i] === 1) continue
    if (before === undefined) tally.added++
    else if (after === undefined) tally.removed++
    else tally.updated++
  }
  return pickRows(change, kept)
}

/** The rows with these indexes. */
export function pickRows(rows: EntryRows, indexes: readonly number[]): EntryRows {
  return {
    from: Float64Array.from(indexes, (i) => rows.from[i] as number),
    to: Float64Array.from(indexes, (i) => rows.to[i] as number),
    ids: Uint32Array.from(indexes, (i) => rows.ids[i] as number),
  }
}

function numberLookup({ contents, dictionary }: LayerAccess, base: LayerRef | undefined): Lookup {
  if (base === undefined) return () => undefined
  return (number) => {
    const entry = contents.entry(base.layerId, number as PhoneNumber)
    return entry === undefined || entry.removed ? undefined : dictionary.idOf(entry.details)
  }
}

function rangeLookup(access: LayerAccess, base: LayerRef | undefined): Lookup {
  const rows = readLayerRanges(access, base)
  const byFrom = new Map<number, Map<number, number>>()
  for (const [i, from] of rows.from.entries()) {
    const ends = byFrom.get(from) ?? new Map<number, number>()
    byFrom.set(from, ends.set(rows.to[i] as number, rows.ids[i] as number))
  }
  return (from, to) => byFrom.get(from)?.get(to)
}
