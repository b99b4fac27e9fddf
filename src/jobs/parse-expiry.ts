/** Earliest and latest epoch milliseconds taken: 2001-09-09 (12 digits and fewer are more likely seconds) to 9999. */
const EPOCH_MS_MIN = 1_000_000_000_000
const EPOCH_MS_MAX = 253_402_300_799_999

const DATE = /^(\d{4})-(\d\d)-(\d\d)$/
const DATE_DAY_FIRST = /^(\d\d)\.(\d\d)\.(\d{4})$/
const DATE_TIME = /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d\d):(\d\d))$/

/**
 * Reads when an entry ends: RFC 3339 date and time, epoch milliseconds, or a bare date (`2026-08-31`, `31.08.2026`),
 * which means the last millisecond of that day in the home time zone.
 */
export type ExpiryParser = {
  /** Epoch milliseconds, or NaN when the text is none of these. */
  parse(text: string): number
}

/** `timeZone` is an IANA name. Throws RangeError when it is not one. */
export function createExpiryParser(timeZone: string): ExpiryParser {
  const offsetAt = createZoneOffset(timeZone)
  // Lists repeat a few dates in many rows.
  let lastText = ''
  let lastMs = Number.NaN
  return {
    parse(text) {
      if (text !== lastText) {
        lastMs = parseExpiry(text, offsetAt)
        lastText = text
      }
      return lastMs
    },
  }
}

function parseExpiry(text: string, offsetAt: (epochMs: number) => number): number {
  if (/^\d{13,15}$/.test(text)) {
    const epochMs = Number(text)
    return epochMs >= EPOCH_MS_MIN && epochMs <= EPOCH_MS_MAX ? epochMs : Number.NaN
  }
  const dateTime = DATE_TIME.exec(text)
  if (dateTime) return parseDateTime(dateTime)
  const date = DATE.exec(text)
  if (date) return endOfDay(Number(date[1]), Number(date[2]), Number(date[3]), offsetAt)
  const dayFirst = DATE_DAY_FIRST.exec(text)
  if (dayFirst) return endOfDay(Number(dayFirst[3]), Number(dayFirst[2]), Number(dayFirst[1]), offsetAt)
  return Number.NaN
}

function parseDateTime(match: RegExpExecArray): number {
  const [, year, month, day, hour, minute, second, fraction = '', sign, zoneHour = '0', zoneMinute = '0'] = match
  if (!isDay(Number(year), Number(month), Number(day))) return Number.NaN
  // RFC 3339 knows leap seconds (:60); they count as the second after.
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 60) return Number.NaN
  if (Number(zoneHour) > 23 || Number(zoneMinute) > 59) return Number.NaN
  const zoneMs = (Number(zoneHour) * 60 + Number(zoneMinute)) * 60_000 * (sign === '-' ? -1 : 1)
  const milliseconds = Number(fraction.slice(0, 3).padEnd(3, '0'))
  return (
    Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second), milliseconds) -
    zoneMs
  )
}

function endOfDay(year: number, month: number, day: number, offsetAt: (epochMs: number) => number): number {
  if (!isDay(year, month, day)) return Number.NaN
  const midnightUtc = Date.UTC(year, month - 1, day + 1)
  // The offset is asked at the wall clock read as UTC, then at the moment that gives: right on both sides of a change.
  const guess = midnightUtc - offsetAt(midnightUtc)
  return midnightUtc - offsetAt(guess) - 1
}

function isDay(year: number, month: number, day: number): boolean {
  if (year < 1970 || month < 1 || month > 12 || day < 1) return false
  return day <= new Date(Date.UTC(year, month, 0)).getUTCDate()
}

/** Milliseconds the zone is ahead of UTC at a moment. */
function createZoneOffset(timeZone: string): (epochMs: number) => number {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  })
  return (epochMs) => {
    const parts = new Map(format.formatToParts(epochMs).map((part) => [part.type, Number(part.value)]))
    const field = (type: Intl.DateTimeFormatPartTypes) => parts.get(type) ?? 0
    const wall = Date.UTC(
      field('year'),
      field('month') - 1,
      field('day'),
      field('hour'),
      field('minute'),
      field('second'),
    )
    return wall - Math.floor(epochMs / 1000) * 1000
  }
}
