import { E164_DIGITS_MAX, POWERS_OF_TEN } from '../domain/numbering-plan.ts'
import { REMOVED } from '../stores/ports.ts'

/** Rows in layer order, ascending by (from, to) and distinct. For numbers `to` is the same array as `from`. */
export type EntryRows = { readonly from: Float64Array; readonly to: Float64Array; readonly ids: Uint32Array }

/** Sorts rows by (from, to). Of equal ones the last with details stands: a row without any says nothing new. */
export function rowsFromUnsorted(from: readonly number[], to: readonly number[], ids: readonly number[]): EntryRows {
  const order = Uint32Array.from(from.keys())
  order.sort((a, b) => {
    const order = (from[a] ?? 0) - (from[b] ?? 0) || (to[a] ?? 0) - (to[b] ?? 0)
    return order || Number(ids[a] !== 0) - Number(ids[b] !== 0) || a - b
  })
  const kept = order.filter((row, i) => {
    const next = order[i + 1]
    return next === undefined || from[next] !== from[row] || to[next] !== to[row]
  })
  return {
    from: Float64Array.from(kept, (row) => from[row] ?? 0),
    to: Float64Array.from(kept, (row) => to[row] ?? 0),
    ids: Uint32Array.from(kept, (row) => ids[row] ?? 0),
  }
}

/** Lays `upper` over `lower`: where both have a row, upper's stands. Ids must mean the same in both. */
export function overlayRows(lower: EntryRows, upper: EntryRows, options: { keepRemovals: boolean }): EntryRows {
  const total = lower.from.length + upper.from.length
  const from = new Float64Array(total)
  const to = new Float64Array(total)
  const ids = new Uint32Array(total)
  let l = 0
  let u = 0
  let count = 0
  while (l < lower.from.length || u < upper.from.length) {
    const order = compareRows(lower, l, upper, u)
    const rows = order < 0 ? lower : upper
    const row = order < 0 ? l : u
    if (order <= 0) l++
    if (order >= 0) u++
    const id = rows.ids[row] as number
    if (id === REMOVED && !options.keepRemovals) continue
    from[count] = rows.from[row] as number
    to[count] = rows.to[row] as number
    ids[count++] = id
  }
  return { from: from.subarray(0, count), to: to.subarray(0, count), ids: ids.subarray(0, count) }
}

/** Negative, 0 or positive as row `a` of `left` stands before, at or after row `b` of `right`; past the end is last. */
export function compareRows(left: EntryRows, a: number, right: EntryRows, b: number): number {
  if (a >= left.from.length) return 1
  if (b >= right.from.length) return -1
  return (left.from[a] as number) - (right.from[b] as number) || (left.to[a] as number) - (right.to[b] as number)
}

/** Whether both say the same about the same rows. Ids must mean the same in both. */
export function areSameRows(left: EntryRows, right: EntryRows): boolean {
  if (left.from.length !== right.from.length) return false
  return left.ids.every((id, i) => id === right.ids[i] && compareRows(left, i, right, i) === 0)
}

/**
 * A prefix becomes one range for each length its numbers can have, but a person counts it once. Marks (with 1) the ranges
 * that only repeat a shorter one of the same rows with more digits: 791600000000000-791699999999999 beside
 * 79160000000-79169999999.
 */
export function markLongerRepeats(rows: EntryRows): Uint8Array {
  const marks = new Uint8Array(rows.from.length)
  for (let i = 0; i < marks.length; i++) {
    const from = rows.from[i] as number
    const end = (rows.to[i] as number) + 1
    for (let digits = 1; digits < E164_DIGITS_MAX; digits++) {
      const scale = POWERS_OF_TEN[digits] as number
      if (from % scale !== 0 || end % scale !== 0) break
      if (hasRow(rows, from / scale, end / scale - 1)) {
        marks[i] = 1
        break
      }
    }
  }
  return marks
}

/** Ranges as a person counts them. */
export function countRanges(rows: EntryRows): number {
  let count = rows.from.length
  for (const mark of markLongerRepeats(rows)) count -= mark
  return count
}

function hasRow(rows: EntryRows, from: number, to: number): boolean {
  let low = 0
  let high = rows.from.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const order = (rows.from[middle] as number) - from || (rows.to[middle] as number) - to
    if (order === 0) return true
    if (order < 0) low = middle + 1
    else high = middle
  }
  return false
}
