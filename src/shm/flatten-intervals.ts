/** Makes the segments of intervals.ts: a sweep over range ends, with a bound on everything it can grow. */
import { ScreeningError } from '../domain/errors.ts'

/** Finished segments: see Intervals for the arrays. */
export type FlatIntervals = {
  readonly froms: Float64Array
  readonly tos: Float64Array
  readonly tagStarts: Uint32Array
  readonly tags: Uint32Array
}

/** Ranges in one table. All numbering of a large country is about 10,000 ranges; 1 M are 48 MB at most without overlap. */
export const INTERVALS_MAX = 1_000_000

/**
 * Distinct tags over one number. Nested prefixes of one list are at most 15 deep, so 64 lists of them stay below; beyond
 * it a list is built to hurt (every range over every other) and a look-up would walk the whole list.
 */
export const COVERING_TAGS_MAX = 1_024

/** Tags of all segments together: 32 MB. Overlap is what multiplies them: ranges × depth. */
const SEGMENT_TAGS_MAX = 8_000_000

/** Ranges looked at before the work yields: a pass over so many takes a millisecond at most, with few tags over each number. */
export const RANGES_PER_STEP = 4_096

type Steps<Result> = Generator<undefined, Result>

/** See buildIntervals in intervals.ts: yields after every RANGES_PER_STEP ranges of each pass, so that others get a turn. */
export function* flattenIntervals(from: Float64Array, to: Float64Array, tags: Uint32Array): Steps<FlatIntervals> {
  const count = from.length
  if (to.length !== count || tags.length !== count) {
    throw new RangeError(`Every range needs a from, a to and a tag: got ${count}, ${to.length} and ${tags.length}.`)
  }
  if (count > INTERVALS_MAX) {
    throw tooWide(`There are ${count} ranges, at most ${INTERVALS_MAX} are possible.`, { count, max: INTERVALS_MAX })
  }
  for (let i = 0; i < count; i++) {
    if (!(from[i]! <= to[i]!)) throw new RangeError(`Range ${i} ends before it begins.`)
  }
  yield undefined
  const opening = yield* orderBy(from)
  const closing = yield* orderBy(to)
  const sweep = createSweep(from, to, tags, opening, closing)
  while (!sweep.advance(RANGES_PER_STEP)) yield undefined
  return sweep.finish()
}

type Sweep = {
  /** Goes on to the next `boundaries` ends of ranges. True: it is through. */
  advance(boundaries: number): boolean
  finish(): FlatIntervals
}

function createSweep(
  from: Float64Array,
  to: Float64Array,
  tags: Uint32Array,
  opening: Uint32Array,
  closing: Uint32Array,
): Sweep {
  const count = from.length
  const covering = createCovering()
  const segments = createSegments(count)
  let opened = 0
  let closed = 0
  let position = 0

  function passBoundary(): void {
    const nextOpen = opened < count ? from[opening[opened]!]! : Number.POSITIVE_INFINITY
    const boundary = Math.min(nextOpen, to[closing[closed]!]! + 1)
    if (covering.size > 0) segments.push(position, boundary - 1, covering)
    for (; closed < count && to[closing[closed]!]! + 1 === boundary; closed++) covering.remove(tags[closing[closed]!]!)
    for (; opened < count && from[opening[opened]!]! === boundary; opened++) covering.add(tags[opening[opened]!]!)
    position = boundary
  }

  return {
    advance(boundaries) {
      for (let i = 0; i < boundaries && closed < count; i++) passBoundary()
      return closed === count
    },
    finish: segments.finish,
  }
}

/** The tags over the sweep's position: distinct, ascending, each with the number of ranges that bring it. */
type Covering = {
  readonly size: number
  readonly tags: Uint32Array
  add(tag: number): void
  remove(tag: number): void
}

function createCovering(): Covering {
  const tags = new Uint32Array(COVERING_TAGS_MAX)
  const uses = new Map<number, number>()
  let size = 0

  function placeOf(tag: number): number {
    let place = 0
    for (let length = size; length > 0; ) {
      const half = length >>> 1
      if (tags[place + half]! < tag) {
        place += half + 1
        length -= half + 1
      } else length = half
    }
    return place
  }

  return {
    get size() {
      return size
    },
    tags,
    add(tag) {
      const used = uses.get(tag) ?? 0
      uses.set(tag, used + 1)
      if (used > 0) return
      if (size === COVERING_TAGS_MAX) {
        throw tooWide(`More than ${COVERING_TAGS_MAX} different ranges lie over one number.`, {
          max: COVERING_TAGS_MAX,
        })
      }
      const place = placeOf(tag)
      tags.copyWithin(place + 1, place, size)
      tags[place] = tag
      size++
    },
    remove(tag) {
      const used = uses.get(tag) ?? 0
      if (used > 1) {
        uses.set(tag, used - 1)
        return
      }
      uses.delete(tag)
      const place = placeOf(tag)
      tags.copyWithin(place, place + 1, size)
      size--
    },
  }
}

type Segments = {
  push(from: number, to: number, covering: Covering): void
  finish(): FlatIntervals
}

/** Finished segments, in arrays that are long enough from the start: n ranges have at most 2n boundaries. */
function createSegments(rangeCount: number): Segments {
  const segmentsMax = Math.max(1, rangeCount * 2)
  const froms = new Float64Array(segmentsMax)
  const tos = new Float64Array(segmentsMax)
  const tagStarts = new Uint32Array(segmentsMax + 1)
  let tags = new Uint32Array(Math.max(COVERING_TAGS_MAX, rangeCount * 2))
  let count = 0
  let tagCount = 0

  function continuesLast(from: number, covering: Covering): boolean {
    if (count === 0 || tos[count - 1] !== from - 1) return false
    const start = tagStarts[count - 1]!
    if (tagCount - start !== covering.size) return false
    for (let i = 0; i < covering.size; i++) if (tags[start + i] !== covering.tags[i]) return false
    return true
  }

  return {
    push(from, to, covering) {
      if (continuesLast(from, covering)) {
        tos[count - 1] = to
        return
      }
      const needed = tagCount + covering.size
      if (needed > SEGMENT_TAGS_MAX) {
        throw tooWide('The ranges overlap too much.', { max: SEGMENT_TAGS_MAX })
      }
      if (needed > tags.length) {
        const longer = new Uint32Array(Math.min(SEGMENT_TAGS_MAX, needed * 2))
        longer.set(tags)
        tags = longer
      }
      tags.set(covering.tags.subarray(0, covering.size), tagCount)
      froms[count] = from
      tos[count] = to
      tagStarts[count] = tagCount
      tagCount = needed
      count++
      tagStarts[count] = tagCount
    },
    finish: () => ({
      froms: froms.subarray(0, count),
      tos: tos.subarray(0, count),
      tagStarts: tagStarts.subarray(0, count + 1),
      tags: tags.subarray(0, tagCount),
    }),
  }
}

/**
 * The indexes 0..n-1 in ascending order of their keys, stable: a natural merge sort, because the input is a few ascending
 * runs (one per list). One pass over sorted input; a comparator sort of a million takes ten times as long.
 */
function* orderBy(keys: Float64Array): Steps<Uint32Array> {
  const count = keys.length
  let order = new Uint32Array(count)
  for (let i = 0; i < count; i++) order[i] = i
  let spare = new Uint32Array(count)
  let runs = runStarts(keys)
  while (runs.length > 2) {
    const merged: number[] = [0]
    let unyielded = 0
    for (let run = 0; run + 1 < runs.length; run += 2) {
      const start = runs[run]!
      const middle = runs[run + 1]!
      const end = runs[run + 2] ?? middle
      const merge: Merge = { left: start, middle, right: middle, end }
      for (let i = start; i < end; ) {
        const until = Math.min(end, i + RANGES_PER_STEP - unyielded)
        mergeRuns(keys, order, spare, merge, i, until)
        unyielded += until - i
        i = until
        if (unyielded < RANGES_PER_STEP) continue
        unyielded = 0
        yield undefined
      }
      merged.push(end)
    }
    ;[order, spare] = [spare, order]
    runs = merged
  }
  return order
}

/** Where each ascending run of the keys begins, and the end. */
function runStarts(keys: Float64Array): number[] {
  const starts = [0]
  for (let i = 1; i < keys.length; i++) if (keys[i]! < keys[i - 1]!) starts.push(i)
  starts.push(keys.length)
  return starts
}

/** How far two neighbouring runs, left..middle and middle..end, are merged. */
type Merge = { left: number; readonly middle: number; right: number; readonly end: number }

function mergeRuns(
  keys: Float64Array,
  order: Uint32Array,
  into: Uint32Array,
  merge: Merge,
  from: number,
  until: number,
): void {
  const { middle, end } = merge
  let { left, right } = merge
  for (let i = from; i < until; i++) {
    const takeLeft = right >= end || (left < middle && keys[order[left]!]! <= keys[order[right]!]!)
    into[i] = takeLeft ? order[left++]! : order[right++]!
  }
  merge.left = left
  merge.right = right
}

function tooWide(message: string, facts: Readonly<Record<string, number>>): ScreeningError {
  return new ScreeningError('IMPORT_TOO_WIDE', message, {
    hint: 'Join neighbouring ranges, or split the list.',
    ...facts,
  })
}
