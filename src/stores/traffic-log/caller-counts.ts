/** Callers with their counts, as parallel arrays: gathered, sorted and merged without an object per caller. */
export type CallerCounts = { readonly callers: Float64Array; readonly counts: Uint32Array }

/** Gathers callers in buffers that grow by doubling. */
export type Gathering = {
  add(caller: number, count: number): void
  counts(): CallerCounts
}

export function createGathering(): Gathering {
  let callers = new Float64Array(1_024)
  let counts = new Uint32Array(1_024)
  let size = 0
  return {
    add(caller, count) {
      if (size === callers.length) {
        const moreCallers = new Float64Array(size * 2)
        moreCallers.set(callers)
        callers = moreCallers
        const moreCounts = new Uint32Array(size * 2)
        moreCounts.set(counts)
        counts = moreCounts
      }
      callers[size] = caller
      counts[size] = count
      size++
    },
    counts: () => ({ callers: callers.subarray(0, size), counts: counts.subarray(0, size) }),
  }
}

/** Entries after which long work here yields: some 50 microseconds. */
const STEP_ENTRIES = 4_096

/** Digits of 11 bits: 5 passes over numbers below 2^55, each over a table of counters that stays in the first cache. */
const DIGIT_BITS = 11
const DIGITS = 2 ** DIGIT_BITS
const PASSES = 5

/**
 * Ascending by caller: a least-significant-digit radix sort (Knuth 5.2.5). A comparator sort of pairs takes several times
 * as long, and this runs on the thread that also follows the change log; for which it yields every some thousand entries.
 */
export function* sortCounts({ callers, counts }: CallerCounts): Generator<undefined, CallerCounts> {
  const size = callers.length
  // Copies: the caller's arrays stay as they are.
  let from: CallerCounts = { callers: callers.slice(), counts: counts.slice() }
  let to: CallerCounts = { callers: new Float64Array(size), counts: new Uint32Array(size) }
  const places = new Uint32Array(DIGITS)
  for (let pass = 0; pass < PASSES; pass++) {
    const scale = 2 ** (-DIGIT_BITS * pass)
    places.fill(0)
    for (let at = 0; at < size; at += STEP_ENTRIES) {
      countDigits(from, scale, places, at, Math.min(at + STEP_ENTRIES, size))
      yield undefined
    }
    let place = 0
    for (let d = 0; d < DIGITS; d++) {
      const here = places[d] ?? 0
      places[d] = place
      place += here
    }
    for (let at = 0; at < size; at += STEP_ENTRIES) {
      moveByDigit(from, to, scale, places, at, Math.min(at + STEP_ENTRIES, size))
      yield undefined
    }
    ;[from, to] = [to, from]
  }
  return from
}

function countDigits(from: CallerCounts, scale: number, places: Uint32Array, start: number, end: number): void {
  for (let i = start; i < end; i++) {
    const d = digit(from, i, scale)
    places[d] = (places[d] ?? 0) + 1
  }
}

function moveByDigit(
  from: CallerCounts,
  to: CallerCounts,
  scale: number,
  places: Uint32Array,
  start: number,
  end: number,
): void {
  for (let i = start; i < end; i++) {
    const d = digit(from, i, scale)
    const at = places[d] ?? 0
    places[d] = at + 1
    to.callers[at] = from.callers[i] ?? 0
    to.counts[at] = from.counts[i] ?? 0
  }
}

function digit(from: CallerCounts, i: number, scale: number): number {
  return Math.floor((from.callers[i] ?? 0) * scale) % DIGITS
}

/** Two ascending lists as one; a caller in both has the sum. Yields every some thousand entries. */
export function* mergeCounts(a: CallerCounts, b: CallerCounts): Generator<undefined, CallerCounts> {
  const callers = new Float64Array(a.callers.length + b.callers.length)
  const counts = new Uint32Array(callers.length)
  let i = 0
  let j = 0
  let size = 0
  while (i < a.callers.length || j < b.callers.length) {
    const left = a.callers[i] ?? Number.POSITIVE_INFINITY
    const right = b.callers[j] ?? Number.POSITIVE_INFINITY
    callers[size] = Math.min(left, right)
    counts[size] = (left <= right ? (a.counts[i++] ?? 0) : 0) + (right <= left ? (b.counts[j++] ?? 0) : 0)
    size++
    if (size % STEP_ENTRIES === 0) yield undefined
  }
  return { callers: callers.subarray(0, size), counts: counts.subarray(0, size) }
}
