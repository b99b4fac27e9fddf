/** Callers with their counts, as parallel arrays: gathered, sorted and merged without an object per caller. */
export type CallerCounts = { readonly callers: Float64Array; readonly counts: Uint32Array }

/** Collects what `visit` is given, in a buffer that grows by doubling. */
export function gatherCounts(read: (visit: (caller: number, count: number) => void) => void): CallerCounts {
  let callers = new Float64Array(1_024)
  let counts = new Uint32Array(1_024)
  let size = 0
  read((caller, count) => {
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
  })
  return { callers: callers.subarray(0, size), counts: counts.subarray(0, size) }
}

/** Digits of 11 bits: 5 passes over numbers below 2^55, each over a table of counters that stays in the first cache. */
const DIGIT_BITS = 11
const DIGITS = 2 ** DIGIT_BITS
const PASSES = 5

/**
 * Ascending by caller: a least-significant-digit radix sort (Knuth 5.2.5). A comparator sort of pairs takes several times
 * as long, and this runs on the thread that also follows the change log.
 */
export function sortCounts({ callers, counts }: CallerCounts): CallerCounts {
  const size = callers.length
  // Copies: the caller's arrays stay as they are.
  let from: CallerCounts = { callers: callers.slice(), counts: counts.slice() }
  let to: CallerCounts = { callers: new Float64Array(size), counts: new Uint32Array(size) }
  for (let pass = 0; pass < PASSES; pass++) {
    const scale = 2 ** (-DIGIT_BITS * pass)
    const places = new Uint32Array(DIGITS)
    for (let i = 0; i < size; i++) countAt(places, digit(from, i, scale))
    let place = 0
    for (let d = 0; d < DIGITS; d++) {
      const here = places[d] ?? 0
      places[d] = place
      place += here
    }
    for (let i = 0; i < size; i++) {
      const d = digit(from, i, scale)
      const at = places[d] ?? 0
      places[d] = at + 1
      to.callers[at] = from.callers[i] ?? 0
      to.counts[at] = from.counts[i] ?? 0
    }
    ;[from, to] = [to, from]
  }
  return from
}

function countAt(places: Uint32Array, index: number): void {
  places[index] = (places[index] ?? 0) + 1
}

function digit(from: CallerCounts, i: number, scale: number): number {
  return Math.floor((from.callers[i] ?? 0) * scale) % DIGITS
}

/** Two ascending lists as one; a caller in both has the sum. */
export function mergeCounts(a: CallerCounts, b: CallerCounts): CallerCounts {
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
  }
  return { callers: callers.subarray(0, size), counts: counts.subarray(0, size) }
}
