/** Powers of ten from `from` to `to`. */
export function powersOfTen(from: number, to: number): number[] {
  const sizes: number[] = []
  for (let size = from; size <= to; size *= 10) sizes.push(size)
  return sizes
}

/** What one upload may have (jobs/list-jobs.ts). */
const ROWS_MAX = 20_000_000

/** Uploads that make a list of so many numbers together, as indexes of generatedNumber. */
export function importParts(listed: number): { readonly first: number; readonly rows: number }[] {
  const parts: { first: number; rows: number }[] = []
  for (let first = 0; first < listed; first += ROWS_MAX) parts.push({ first, rows: Math.min(ROWS_MAX, listed - first) })
  return parts
}

/** So few rows more make a new layer of the whole list, and no delta above it (jobs/apply-change.ts). */
export function rowsOfSecondVersion(listed: number): number {
  return Math.min(50_001, Math.floor(listed / 4) + 1)
}

/** Of memory that is `more` with so many numbers than with `fewest` of them. */
export function bytesPerNumber(bytes: number, listed: number, bytesOfFewest: number, fewest: number): number {
  return (bytes - bytesOfFewest) / (listed - fewest)
}

/** `10^6`. */
export function powerText(size: number): string {
  return `10^${Math.round(Math.log10(size))}`
}
