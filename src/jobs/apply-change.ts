/**
 * How an upload becomes a version: it replaces the active one, is appended to it, or taken away from it.
 *
 * A small change becomes the delta above the base the active version has; anything else becomes a new base. Small
 * means at most DELTA_ROWS_MAX rows and at most a quarter of the base: every later small change rewrites the delta
 * (50,000 rows: about 30 ms and 1.5 MB), a new base of 10 M rows takes seconds, so a rebuild is paid at most once in
 * 50,000 single changes, and at once for a list that is as quickly rewritten as patched.
 */
import type { ImportMode } from '../domain/import.ts'
import { type LayerRef, REMOVED } from '../stores/ports.ts'
import { applyDelta } from './apply-delta.ts'
import { areSameRows, compareRows, countRanges, type EntryRows, markLongerRepeats, overlayRows } from './entry-rows.ts'
import { type LayerAccess, rangesOfVersion } from './layer-rows.ts'
import type { JobVersion } from './list-jobs.ts'
import type { SortedEntries } from './sorted-entries.ts'
import { createVersionCursor } from './version-cursor.ts'

export const DELTA_ROWS_MAX = 50_000
const BASE_ROWS_PER_DELTA_ROW = 4

export type AppliedChange = {
  /** What the new layer holds; undefined: nothing to write, the version's layers are `below`. */
  readonly layer: SortedEntries | undefined
  /** Layers of the active version that stay, under the new one. */
  readonly below: readonly LayerRef[]
  readonly entryCount: number
  readonly added: number
  readonly removed: number
  readonly unchanged: number
  /** Of the unchanged, those whose reason, source or expiry became another. */
  readonly updated: number
}

type Tally = { added: number; removed: number; unchanged: number; updated: number }

/**
 * Computes the new layer and what it changes. Reads list contents, writes nothing. The ids of `change` are from
 * `access.dictionary`, and so are those of the result.
 */
export function applyChange(
  options: { active: JobVersion; change: SortedEntries; mode: ImportMode },
  access: LayerAccess,
): AppliedChange {
  const { active, change, mode } = options
  if (mode === 'replace' || !isSmall(active, change)) return applyAsBase(options, access)
  const rows = numberRows(change)
  const numbers = mode === 'remove' ? asRemovals(rows) : rows
  const ranges = mode === 'remove' ? asRemovals(change.ranges) : change.ranges
  return applyDelta(active, { numbers, ranges }, access)
}

function isSmall(active: JobVersion, change: SortedEntries): boolean {
  const base = active.layers.at(-1)
  if (base === undefined) return false
  const delta = active.layers.length > 1 ? active.layers[0] : undefined
  const deltaRows = rowsOfLayer(delta) + change.numbers.length + change.ranges.from.length
  return deltaRows <= DELTA_ROWS_MAX && deltaRows * BASE_ROWS_PER_DELTA_ROW <= rowsOfLayer(base)
}

function rowsOfLayer(layer: LayerRef | undefined): number {
  return layer === undefined ? 0 : layer.numberCount + layer.rangeCount
}

function numberRows({ numbers, numberIds }: SortedEntries): EntryRows {
  return { from: numbers, to: numbers, ids: numberIds ?? new Uint32Array(numbers.length) }
}

function asRemovals({ from, to }: EntryRows): EntryRows {
  return { from, to, ids: new Uint32Array(from.length).fill(REMOVED) }
}

function applyAsBase(
  { active, change, mode }: { active: JobVersion; change: SortedEntries; mode: ImportMode },
  access: LayerAccess,
): AppliedChange {
  const tally: Tally = { added: 0, removed: 0, unchanged: 0, updated: 0 }
  const numbers = mergeNumbers(active, change, mode, tally, access)
  const before = rangesOfVersion(access, active.layers)
  const ranges = mergeRanges(before, change.ranges, mode)
  // The tally of ranges is for people, who do not count the longer lengths of a prefix; these are rows all the same.
  const isChanged = tally.added + tally.removed + tally.updated > 0 || !areSameRows(before, ranges)
  tallyRanges(before, ranges, tally)
  const entryCount = numbers.from.length + countRanges(ranges)
  if (!isChanged) {
    return { layer: undefined, below: active.layers, entryCount, ...tally }
  }
  const layer: SortedEntries = {
    numbers: numbers.from,
    numberIds: numbers.ids,
    ranges,
    dictionary: access.dictionary.entries,
  }
  return { layer: entryCount === 0 ? undefined : layer, below: [], entryCount, ...tally }
}

type Numbers = { from: Float64Array; ids: Uint32Array | undefined }

/** One pass over both, side by side. A replacement is the upload itself, so only the tally is made. */
function mergeNumbers(
  active: JobVersion,
  change: SortedEntries,
  mode: ImportMode,
  tally: Tally,
  { contents, dictionary, onBlock }: LayerAccess,
): Numbers {
  const cursor = createVersionCursor(contents, active.layers, dictionary, onBlock)
  const { numbers, numberIds } = change
  const out = mode === 'replace' ? undefined : createNumberSink(active, mode === 'append' ? numbers.length : 0)
  let i = 0
  for (;;) {
    const before = cursor.number
    const uploaded = i < numbers.length ? (numbers[i] as number) : Number.POSITIVE_INFINITY
    if (before === Number.POSITIVE_INFINITY && uploaded === Number.POSITIVE_INFINITY) break
    const id = numberIds === undefined ? 0 : (numberIds[i] as number)
    if (before < uploaded) {
      // On the list, not in the upload.
      if (mode === 'replace') tally.removed++
      else tally.unchanged++
      out?.push(before, cursor.id)
      cursor.advance()
    } else if (uploaded < before) {
      if (mode !== 'remove') tally.added++
      if (mode === 'append') out?.push(uploaded, id)
      i++
    } else {
      if (mode === 'remove') tally.removed++
      else {
        tally.unchanged++
        if (id !== cursor.id) tally.updated++
        out?.push(uploaded, id)
      }
      cursor.advance()
      i++
    }
  }
  return out === undefined ? { from: numbers, ids: numberIds } : out.finish()
}

/** Room for everything the version can become; ids only once one is not 0. */
function createNumberSink(active: JobVersion, uploaded: number) {
  const capacity = active.layers.reduce((sum, layer) => sum + layer.numberCount, 0) + uploaded
  const from = new Float64Array(capacity)
  let ids: Uint32Array | undefined
  let count = 0
  return {
    push(number: number, id: number): void {
      if (id !== 0) {
        ids ??= new Uint32Array(capacity)
        ids[count] = id
      }
      from[count++] = number
    },
    finish: (): Numbers => ({ from: from.subarray(0, count), ids: ids?.subarray(0, count) }),
  }
}

function mergeRanges(before: EntryRows, uploaded: EntryRows, mode: ImportMode): EntryRows {
  if (mode === 'replace') return uploaded
  return overlayRows(before, mode === 'remove' ? asRemovals(uploaded) : uploaded, { keepRemovals: false })
}

/** Ranges that only repeat a prefix with more digits are not counted. */
function tallyRanges(before: EntryRows, after: EntryRows, tally: Tally): void {
  const repeatsBefore = markLongerRepeats(before)
  const repeatsAfter = markLongerRepeats(after)
  let b = 0
  let a = 0
  while (b < before.from.length || a < after.from.length) {
    const order = compareRows(before, b, after, a)
    if (order < 0) tally.removed += 1 - (repeatsBefore[b] as number)
    else if (order > 0) tally.added += 1 - (repeatsAfter[a] as number)
    else if (repeatsAfter[a] === 0) {
      tally.unchanged++
      if (before.ids[b] !== after.ids[a]) tally.updated++
    }
    if (order <= 0) b++
    if (order >= 0) a++
  }
}
