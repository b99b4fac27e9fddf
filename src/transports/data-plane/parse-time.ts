/** RFC 3339 date-time: the zone is required, fractions are optional, `T` and `Z` may be lower-case. */
const RFC_3339 = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:[Zz]|[+-]\d{2}:\d{2})$/
const EPOCH_MS = /^\d{1,15}$/

/**
 * A moment as the contract writes it, RFC 3339 or epoch milliseconds (a number, or its digits in a query), as epoch
 * milliseconds. NaN when it is neither.
 */
export function parseTime(value: unknown): number {
  if (typeof value === 'number') return Number.isFinite(value) ? value : Number.NaN
  if (typeof value !== 'string') return Number.NaN
  if (EPOCH_MS.test(value)) return Number(value)
  return RFC_3339.test(value) ? Date.parse(value.toUpperCase()) : Number.NaN
}
