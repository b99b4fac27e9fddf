import type { EntryDetails } from '../domain/number-list.ts'
import type { LayerRef, ListContents, ListVersion } from '../stores/ports.ts'
import { NO_DETAILS, REMOVED } from '../stores/ports.ts'
import { foldPrefixes } from './fold-prefixes.ts'

/**
 * One row of a list as it goes out: a number (from === to), a range, or a prefix, of which from and to are the shortest
 * range. `prefix` is its digits with the country code.
 */
export type ExportedEntry = {
  readonly from: number
  readonly to: number
  readonly details: EntryDetails
  readonly prefix?: string
}

/** Where a page ended: ranges come first, ascending by (from, to), then numbers, ascending. */
export type ExportPosition =
  | { readonly phase: 'ranges'; readonly after: number }
  | { readonly phase: 'numbers'; readonly after: number }

export const EXPORT_START: ExportPosition = { phase: 'ranges', after: -1 }

/** Rows read from the store at a time: 8192 x 12 bytes, about 2 ms, then the event loop gets its turn. */
export const EXPORT_CHUNK_ROWS = 8_192

type ReadableContents = Pick<ListContents, 'readNumbers' | 'readRanges' | 'dictionary'>

/**
 * Reads a list version in order, a chunk at a time, newest layer first in every tie: memory stays at two chunks however
 * long the list is (ranges, at most a million, are held whole). Fewer rows than asked for come only at the end, together
 * with no next position.
 * Entries whose time is over are part of the list until it is replaced, and are exported with their expiry.
 */
export type ListReader = {
  read(position: ExportPosition, rowsMax: number): { rows: ExportedEntry[]; next: ExportPosition | undefined }
}

export function openListReader(version: ListVersion, contents: ReadableContents): ListReader {
  let ranges: ExportedEntry[] | undefined
  // Newest first; one base and at most one delta, but the merge takes any number.
  const cursors = version.layers.filter((layer) => layer.numberCount > 0).map((layer) => openCursor(layer, contents))

  function readRanges(after: number, rowsMax: number): { rows: ExportedEntry[]; next: ExportPosition } {
    ranges ??= mergeRanges(version.layers, contents)
    const rows = ranges.slice(after + 1, after + 1 + rowsMax)
    const last = after + rows.length
    const isLast = last >= ranges.length - 1
    return { rows, next: isLast ? { phase: 'numbers', after: -1 } : { phase: 'ranges', after: last } }
  }

  function readNumbers(after: number, rowsMax: number): { rows: ExportedEntry[]; next: ExportPosition | undefined } {
    const rows: ExportedEntry[] = []
    for (const cursor of cursors) cursor.seek(after)
    let last = after
    while (rows.length < rowsMax) {
      const number = leastOf(cursors)
      if (number === undefined) return { rows, next: undefined }
      last = number
      const details = takeNewest(cursors, number)
      if (details !== undefined) rows.push({ from: number, to: number, details })
    }
    return { rows, next: { phase: 'numbers', after: last } }
  }

  return {
    read(position, rowsMax) {
      if (position.phase === 'numbers') return readNumbers(position.after, rowsMax)
      const { rows, next } = readRanges(position.after, rowsMax)
      if (rows.length === rowsMax || next.phase === 'ranges') return { rows, next }
      const rest = readNumbers(-1, rowsMax - rows.length)
      return { rows: [...rows, ...rest.rows], next: rest.next }
    },
  }
}

/**
 * Two people paging through two lists. A reader of the longest list holds about 200 MB (500,000 different details, a
 * million ranges), and reading that again for every page takes seconds.
 */
const READERS_KEPT = 2

/**
 * Opens readers and keeps the last few: layers never change, so neither does what a reader of them has read. One reader
 * may serve several exports in turns: every read says where it begins.
 */
export function createListReaders(contents: ReadableContents): (version: ListVersion) => ListReader {
  const kept = new Map<string, ListReader>()
  return (version) => {
    const key = version.layers.map(({ layerId }) => layerId).join('+')
    const reader = kept.get(key) ?? openListReader(version, contents)
    kept.delete(key)
    kept.set(key, reader)
    for (const oldest of kept.keys()) {
      if (kept.size <= READERS_KEPT) break
      kept.delete(oldest)
    }
    return reader
  }
}

type Cursor = {
  seek(after: number): void
  /** The next number, undefined at the end. */
  peek(): number | undefined
  /** Steps over the next number and returns its details; undefined when this layer takes it off the list. */
  take(): EntryDetails | undefined
}

function openCursor(layer: LayerRef, contents: Pick<ListContents, 'readNumbers' | 'dictionary'>): Cursor {
  const dictionary = contents.dictionary(layer.layerId)
  const numbers = new Float64Array(Math.min(EXPORT_CHUNK_ROWS, layer.numberCount))
  const details = new Uint32Array(numbers.length)
  let count = 0
  let index = 0
  let isAtEnd = false

  function fill(after: number): void {
    count = contents.readNumbers(layer.layerId, after, numbers, details)
    index = 0
    isAtEnd = count === 0
  }
  return {
    seek(after) {
      // Pages follow each other: the next row is usually the one already at hand.
      if (count > 0 && index < count && numbers[index - 1] === after) return
      fill(after)
      while (index < count && (numbers[index] ?? 0) <= after) index++
    },
    peek() {
      if (index >= count && !isAtEnd && count > 0) fill(numbers[count - 1] ?? 0)
      return index < count ? numbers[index] : undefined
    },
    take() {
      const code = details[index++] ?? NO_DETAILS
      if (code === REMOVED) return undefined
      return code === NO_DETAILS ? {} : (dictionary[code - 1] ?? {})
    },
  }
}

function leastOf(cursors: readonly Cursor[]): number | undefined {
  let least: number | undefined
  for (const cursor of cursors) {
    const number = cursor.peek()
    if (number !== undefined && (least === undefined || number < least)) least = number
  }
  return least
}

/** Steps every layer that holds this number; the newest one (first) has the word. */
function takeNewest(cursors: readonly Cursor[], number: number): EntryDetails | undefined {
  let decided = false
  let result: EntryDetails | undefined
  for (const cursor of cursors) {
    if (cursor.peek() !== number) continue
    const details = cursor.take()
    if (!decided) result = details
    decided = true
  }
  return result
}

function mergeRanges(layers: readonly LayerRef[], contents: Pick<ListContents, 'readRanges'>): ExportedEntry[] {
  const byKey = new Map<string, ExportedEntry | undefined>()
  for (const ref of layers) {
    if (ref.rangeCount === 0) continue
    const layer = contents.readRanges(ref.layerId)
    for (let i = 0; i < layer.rangesFrom.length; i++) {
      const from = layer.rangesFrom[i] ?? 0
      const to = layer.rangesTo[i] ?? 0
      const key = `${from}-${to}`
      if (byKey.has(key)) continue
      const code = layer.rangeDetails?.[i] ?? NO_DETAILS
      const details = code === NO_DETAILS ? {} : (layer.dictionary[code - 1] ?? {})
      byKey.set(key, code === REMOVED ? undefined : { from, to, details })
    }
  }
  const rows = [...byKey.values()].filter((row) => row !== undefined)
  if (layers.length > 1) rows.sort((a, b) => a.from - b.from || a.to - b.to)
  return foldPrefixes(rows, (from, to) => byKey.get(`${from}-${to}`))
}
