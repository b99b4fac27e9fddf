import { isUtf8 } from 'node:buffer'
import { readFileSync } from 'node:fs'
import { ScreeningError } from '../domain/errors.ts'

/** Recorded call events: the file of an upload, one JSON object a line, or an array from a body. */
export type EventSource = { readonly path: string } | { readonly events: readonly unknown[] }

/** A JSON object as a switch sent it: any field may be missing or of any type. */
export type JsonObject = { readonly [field: string]: unknown }

export type RecordedEvent = {
  readonly type: 'call' | 'end'
  readonly event: JsonObject
  /** The moment of the replay's clock: never before that of the event before. */
  readonly atMs: number
  /** Counted from 1: the line of a file (below the candidate), or the place in an array. */
  readonly place: number
  /** The event says an earlier moment than one before it. */
  readonly isLate: boolean
}

export type ReadEventsOptions = { readonly eventsMax: number }

export type ReadEventsDependencies = {
  /** services/parse-time.ts: epoch milliseconds, undefined when it is no moment. */
  readonly parseTime: (value: string | number) => number | undefined
}

/** Two replays of so many took 5 s on a busy core; at 200 bytes each a file of 20 MB. */
export const EVENTS_MAX = 100_000
/** A file of events, with a candidate in its first line. */
export const EVENTS_BYTES_MAX = 64 * 2 ** 20
/** That of POST /v1/verdict. */
const EVENT_BYTES_MAX = 16 * 1024
/** Switches stamp an event when it began and write it when they can: seconds. Further back the file is out of order. */
export const LATE_MAX_MS = 300_000

/** What a first line of this type holds is the candidate, which the control process has read. */
export const CANDIDATE_TYPE = 'candidate'

/**
 * Reads events one by one. Throws EVENTS_INVALID naming the first line that cannot be used, EVENTS_TOO_MANY beyond `eventsMax`,
 * EVENTS_EMPTY at the end of a source without any.
 */
export function* readEvents(
  source: EventSource,
  { eventsMax }: ReadEventsOptions,
  { parseTime }: ReadEventsDependencies,
): Generator<RecordedEvent> {
  const isFile = 'path' in source
  const where = (place: number) => (isFile ? `Line ${place}` : `Event ${place}`)
  let newestMs = 0
  let count = 0
  for (const [place, value] of isFile ? linesOf(source.path) : elementsOf(source.events)) {
    if (++count > eventsMax) {
      throw new ScreeningError('EVENTS_TOO_MANY', `There are more than ${eventsMax} events.`, { eventsMax })
    }
    const refuse = (what: string, field = '') =>
      invalid(`${where(place)} ${what}`, isFile ? field : `/events/${place - 1}${field}`)
    if (typeof value === 'symbol')
      throw refuse(value === TOO_LONG ? `has more than ${EVENT_BYTES_MAX} bytes.` : 'is not JSON.')
    if (!isObject(value)) throw refuse('is not a JSON object.')
    const { type, at } = value
    if (type !== 'call' && type !== 'end') throw refuse('has a type that is neither "call" nor "end".', '/type')
    const atMs = typeof at === 'string' || typeof at === 'number' ? parseTime(at) : undefined
    if (atMs === undefined) throw refuse('has no readable `at`: RFC 3339 with a zone, or epoch milliseconds.', '/at')
    if (newestMs - atMs > LATE_MAX_MS) {
      throw refuse(
        `lies more than ${LATE_MAX_MS / 60_000} minutes before an event above it: sort the events by \`at\`.`,
        '/at',
      )
    }
    const isLate = atMs < newestMs
    newestMs = Math.max(newestMs, atMs)
    yield { type, event: value, atMs: newestMs, place, isLate }
  }
  if (count === 0) throw new ScreeningError('EVENTS_EMPTY', 'There are no events to replay.')
}

const MALFORMED = Symbol('malformed JSON')
const TOO_LONG = Symbol('a line too long to be an event')
const LINE_FEED = 10

/**
 * Lines that are not blank, parsed, counted from 1; a candidate in the first line is not counted, so that lines are those of the
 * file of events. The file is read whole: EVENTS_BYTES_MAX at most.
 */
function* linesOf(path: string): Generator<[number, unknown]> {
  const bytes = readFileSync(path)
  let line = 0
  for (let start = 0; start < bytes.length; ) {
    const feed = bytes.indexOf(LINE_FEED, start)
    const end = feed < 0 ? bytes.length : feed
    const row = bytes.subarray(start, end)
    const isFirst = start === 0
    const isTooLong = row.length > EVENT_BYTES_MAX
    const value = isTooLong && !isFirst ? TOO_LONG : parseLine(row)
    start = end + 1
    if (isFirst && isObject(value) && value.type === CANDIDATE_TYPE) continue
    line++
    if (value !== undefined) yield [line, isTooLong ? TOO_LONG : value]
  }
}

function* elementsOf(events: readonly unknown[]): Generator<[number, unknown]> {
  for (const [index, event] of events.entries()) yield [index + 1, event]
}

/** Undefined for a blank line. JSON.parse's own message quotes the text, and a text may hold a phone number. */
function parseLine(row: Buffer): unknown {
  const text = isUtf8(row) ? row.toString('utf8').trim() : undefined
  if (text === '') return undefined
  try {
    return text === undefined ? MALFORMED : JSON.parse(text)
  } catch {
    return MALFORMED
  }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function invalid(detail: string, pointer: string): ScreeningError {
  return new ScreeningError('EVENTS_INVALID', detail, { errors: [{ pointer, detail }] })
}
