/** RFC 3339 with a zone; JavaScript's own parser also takes dates without one, which mean a different moment per machine. */
const RFC_3339 = /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:[Zz]|[+-]\d{2}:\d{2})$/

/** 9999-12-31T23:59:59.999Z: the last moment RFC 3339 can write. */
const LATEST_MS = 253_402_300_799_999

/** A moment as our APIs take it (RFC 3339 text or epoch milliseconds) in epoch milliseconds; undefined when it is neither. */
export function parseTime(value: string | number): number | undefined {
  if (typeof value === 'number') return Number.isInteger(value) && value >= 0 && value <= LATEST_MS ? value : undefined
  if (/^\d{1,15}$/.test(value)) return parseTime(Number(value))
  if (!RFC_3339.test(value)) return undefined
  const atMs = Date.parse(value.replace(' ', 'T'))
  if (!Number.isFinite(atMs) || atMs < 0 || atMs > LATEST_MS) return undefined
  // Date.parse rolls 30 February over into March on some inputs: the day written must be the day meant.
  const [year = 0, month = 0, day = 0] = value.slice(0, 10).split('-').map(Number)
  const isRealDay = new Date(Date.UTC(year, month - 1, day)).getUTCDate() === day && month >= 1 && month <= 12
  return isRealDay ? atMs : undefined
}

/** RFC 3339 in UTC with milliseconds: how every answer writes a moment. */
export function formatTime(atMs: number): string {
  return new Date(atMs).toISOString()
}
