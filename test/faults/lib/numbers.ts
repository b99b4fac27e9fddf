import { generatedNumber } from '../../../bench/lib/generate-numbers.ts'

/**
 * Whose numbers are whose: every kind of caller has a range of generated numbers of its own, so that what is known about a
 * number follows from the number.
 */
const SEEDS = {
  clean: 100_000_000,
  listed: 200_000_000,
  protected: 300_000_000,
  reviewed: 350_000_000,
  reported: 400_000_000,
  written: 500_000_000,
  a: 600_000_000,
  b: 700_000_000,
} as const

export function numberIn(kind: keyof typeof SEEDS, index: number): string {
  return generatedNumber(index, SEEDS[kind])
}

export function numbersIn(kind: keyof typeof SEEDS, count: number): string[] {
  return Array.from({ length: count }, (_, index) => numberIn(kind, index))
}

/** Lists that every world has. */
export const LISTS = {
  listed: 'faults-listed',
  protected: 'faults-protected',
  written: 'faults-written',
  large: 'faults-large',
} as const
/** The list that imports replace as a whole, with rows `a` or with rows `b`: never with some of each. */
export const SWAPPED = 'faults-swapped'
export const SWAPPED_ROWS = 5_000
/** Marks the policies that the writer puts. */
export const WRITTEN_MARK = 'written by the fault suite'

export const COUNTS = { clean: 500, listed: 500, protected: 100, reviewed: 2_000 } as const
export const CALLEE = '+79161234567'
export const EMERGENCY_CALLEE = '112'

export function swappedRows(rows: 'a' | 'b'): string {
  return `${numbersIn(rows, SWAPPED_ROWS).join('\n')}\n`
}
