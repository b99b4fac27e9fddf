/**
 * A call event or call end found in the bytes of its JSON text, without the text, the object and the strings in it: for events
 * as switches write them, the handler takes a quarter less time than with JSON.parse (bench/micro/transports.ts).
 *
 * What it accepts is a part of JSON: objects, in them texts of printable ASCII without an escape, whole numbers of at most 15
 * digits, null, true and false for `answered`, and `ingress`, `stir` and `callerStatus` as objects of the same; no name that
 * means something stands twice. Whatever else a text holds, also what is not JSON, is not refused here: the scan gives up, and
 * JSON.parse has the word.
 */

/** Of what JSON type the value of a name is; null is as if the name were not there. */
const TAKES = { text: 1, digits: 2, boolean: 4, object: 8 } as const
/** These mean the same as a whole number and as the text of its digits. */
const EITHER = TAKES.text | TAKES.digits

/** Every name that means something, by the object it stands in, with what it takes. */
const NAMES = {
  event: {
    callId: EITHER,
    caller: EITHER,
    callee: EITHER,
    redirecting: EITHER,
    deadlineAt: EITHER,
    treatment: TAKES.text,
    type: TAKES.text,
    answered: TAKES.boolean,
    ringMs: TAKES.digits,
    talkMs: TAKES.digits,
    ingress: TAKES.object,
    stir: TAKES.object,
    callerStatus: TAKES.object,
  },
  ingress: { trunk: TAKES.text, kind: TAKES.text },
  stir: { attest: TAKES.text, verstat: TAKES.text },
  callerStatus: { originating: TAKES.text, roaming: TAKES.text },
} as const

/** Where a field's span begins among those of its event: first byte, then the one behind the last; 0 and 0 when it is missing. */
export const SPAN = {
  callId: 0,
  caller: 2,
  callee: 4,
  redirecting: 6,
  deadlineAt: 8,
  treatment: 10,
  type: 12,
  trunk: 14,
  kind: 16,
  attest: 18,
  verstat: 20,
  originating: 22,
  roaming: 24,
  answered: 26,
  ringMs: 28,
  talkMs: 30,
} as const
export const SPANS_PER_EVENT = 32

/** Spans for so many events: indexes into the bytes scanned, by SPAN and SPANS_PER_EVENT. */
export function createSpans(events = 1): Int32Array {
  return new Int32Array(events * SPANS_PER_EVENT)
}

const QUOTE = 0x22
const COMMA = 0x2c
const COLON = 0x3a
const OPEN_ARRAY = 0x5b
const BACKSLASH = 0x5c
const CLOSE_ARRAY = 0x5d
const OPEN = 0x7b
const CLOSE = 0x7d
const ZERO = 0x30
const NINE = 0x39
/** A safe integer, whatever the digits. */
const INTEGER_DIGITS_MAX = 15
const bytesOf = (text: string) => Uint8Array.from(text, (letter) => letter.charCodeAt(0))
const NULL = bytesOf('null')
const TRUE = bytesOf('true')
const FALSE = bytesOf('false')

/** By byte: 1 for printable ASCII that stands for itself in a text. */
const IS_PLAIN = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= 0x20 && byte <= 0x7e && byte !== QUOTE && byte !== BACKSLASH ? 1 : 0,
)

/** The objects an event may hold; 0 is the event itself. */
const PLACES = ['event', 'ingress', 'stir', 'callerStatus'] as const
type Place = 0 | 1 | 2 | 3
const EVENT: Place = 0

type Name = {
  readonly bytes: Uint8Array
  readonly place: Place
  readonly takes: number
  /** Of SPAN; of no meaning for an object. */
  readonly span: number
  /** What place an object is. */
  readonly inside: Place
  readonly bit: number
}

const NAME_SLOTS = 32
const names = tableOfNames()

function tableOfNames(): readonly (Name | undefined)[] {
  const table: (Name | undefined)[] = Array.from({ length: NAME_SLOTS })
  let count = 0
  for (const place of [0, 1, 2, 3] as const) {
    for (const [name, takes] of Object.entries(NAMES[PLACES[place]])) {
      const bytes = bytesOf(name)
      const slot = slotOf(bytes, 0, bytes.length, place)
      if (table[slot] !== undefined) throw new Error(`Two names share slot ${slot}: choose other factors in slotOf.`)
      const span = name in SPAN ? SPAN[name as keyof typeof SPAN] : 0
      const inside = Math.max(0, PLACES.indexOf(name as (typeof PLACES)[number])) as Place
      table[slot] = { bytes, place, takes, span, inside, bit: 1 << count++ }
    }
  }
  return table
}

/** A place in the table of names that no two of them share. */
function slotOf(bytes: Uint8Array, from: number, to: number, place: Place): number {
  if (to === from) return 0
  return (bytes[from]! + 12 * bytes[to - 1]! + 2 * place) & (NAME_SLOTS - 1)
}

/**
 * Finds the fields of one event.
 *
 * @param spans where they are found, by SPAN; of no meaning when it answers false
 * @returns false when only JSON.parse can tell what the bytes are
 */
export function scanEvent(bytes: Uint8Array, spans: Int32Array): boolean {
  return scanObject(bytes, skipSpace(bytes, 0), spans, 0) === bytes.length
}

/**
 * Finds the fields of all events of an array.
 *
 * @param spans room for the most events there may be; those of the event i begin at i * SPANS_PER_EVENT
 * @returns how many there are; -1 when only JSON.parse can tell what the bytes are, or when there are more
 */
export function scanEvents(bytes: Uint8Array, spans: Int32Array): number {
  let at = skipSpace(bytes, 0)
  if (byteAt(bytes, at) !== OPEN_ARRAY) return -1
  for (let first = 0; first < spans.length; first += SPANS_PER_EVENT) {
    at = scanObject(bytes, skipSpace(bytes, at + 1), spans, first)
    if (at < 0) return -1
    const next = byteAt(bytes, at)
    if (next === CLOSE_ARRAY) return skipSpace(bytes, at + 1) === bytes.length ? first / SPANS_PER_EVENT + 1 : -1
    if (next !== COMMA) return -1
  }
  return -1
}

/** Finds the fields of the event that begins at `from`. Returns where the next thing is, or -1. */
function scanObject(bytes: Uint8Array, from: number, spans: Int32Array, first: number): number {
  for (let i = 0; i < SPANS_PER_EVENT; i++) spans[first + i] = 0
  let place: Place = EVENT
  let seen = 0
  if (byteAt(bytes, from) !== OPEN) return -1
  let at = skipSpace(bytes, from + 1)
  let isEmpty = true
  for (;;) {
    if (!isEmpty || byteAt(bytes, at) !== CLOSE) {
      if (byteAt(bytes, at) !== QUOTE) return -1
      const to = endOfText(bytes, at + 1)
      if (to < 0) return -1
      const name = nameOf(bytes, at + 1, to, place)
      at = skipSpace(bytes, to + 1)
      if (byteAt(bytes, at) !== COLON) return -1
      at = skipSpace(bytes, at + 1)
      if (name !== undefined) {
        if ((seen & name.bit) !== 0) return -1
        seen |= name.bit
      }
      if (byteAt(bytes, at) === OPEN) {
        if (name === undefined || name.takes !== TAKES.object) return -1
        place = name.inside
        at = skipSpace(bytes, at + 1)
        isEmpty = true
        continue
      }
      at = scanValue(bytes, at, name, spans, first)
      if (at < 0) return -1
    }
    // The end of an object, and perhaps of the event with it.
    while (byteAt(bytes, at) === CLOSE) {
      at = skipSpace(bytes, at + 1)
      if (place === EVENT) return at
      place = EVENT
    }
    if (byteAt(bytes, at) !== COMMA) return -1
    at = skipSpace(bytes, at + 1)
    isEmpty = false
  }
}

/** Notes where a value is that is no object. Returns where the next thing is, or -1. */
function scanValue(bytes: Uint8Array, at: number, name: Name | undefined, spans: Int32Array, first: number): number {
  const takes = name === undefined ? EITHER : name.takes
  const byte = byteAt(bytes, at)
  let from = at
  let to: number
  let next: number
  if (byte === QUOTE) {
    from = at + 1
    to = endOfText(bytes, from)
    if (to < 0 || (takes & TAKES.text) === 0) return -1
    next = to + 1
  } else if (byte >= ZERO && byte <= NINE) {
    to = endOfDigits(bytes, at)
    if (to < 0 || (takes & TAKES.digits) === 0) return -1
    next = to
  } else if (startsAt(bytes, at, NULL)) {
    return skipSpace(bytes, at + NULL.length)
  } else {
    if (takes !== TAKES.boolean) return -1
    to = startsAt(bytes, at, TRUE) ? at + TRUE.length : startsAt(bytes, at, FALSE) ? at + FALSE.length : -1
    if (to < 0) return -1
    next = to
  }
  if (name !== undefined) {
    spans[first + name.span] = from
    spans[first + name.span + 1] = to
  }
  return skipSpace(bytes, next)
}

/** Whether the value of `answered` that was scanned is true. */
export function isTrue(bytes: Uint8Array, spans: Int32Array, first: number): boolean {
  const from = spans[first + SPAN.answered]!
  return from !== 0 && bytes[from] === TRUE[0]
}

function byteAt(bytes: Uint8Array, at: number): number {
  return at < bytes.length ? bytes[at]! : 0
}

/** The next byte that is no white space of JSON. */
function skipSpace(bytes: Uint8Array, from: number): number {
  let at = from
  for (; at < bytes.length; at++) {
    const byte = bytes[at]!
    if (byte > 0x20 || (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09)) break
  }
  return at
}

/** The quote that ends a text; -1 when the text holds anything but printable ASCII, or has no end. */
function endOfText(bytes: Uint8Array, from: number): number {
  let at = from
  while (at < bytes.length && IS_PLAIN[bytes[at]!] === 1) at++
  return byteAt(bytes, at) === QUOTE ? at : -1
}

/** The byte behind a whole number; -1 for one with more digits, or with a zero before them. What follows is looked at by others. */
function endOfDigits(bytes: Uint8Array, from: number): number {
  let at = from
  while (byteAt(bytes, at) >= ZERO && byteAt(bytes, at) <= NINE) at++
  const count = at - from
  return count > INTEGER_DIGITS_MAX || (count > 1 && bytes[from] === ZERO) ? -1 : at
}

function startsAt(bytes: Uint8Array, at: number, text: Uint8Array): boolean {
  return isTextAt(bytes, at, Math.min(at + text.length, bytes.length), text)
}

function nameOf(bytes: Uint8Array, from: number, to: number, place: Place): Name | undefined {
  const name = names[slotOf(bytes, from, to, place)]
  return name !== undefined && name.place === place && isTextAt(bytes, from, to, name.bytes) ? name : undefined
}

/** Where the span of a text that a call may have begins, whatever object it stands in; -1 for any other name. */
export function leafSpan(bytes: Uint8Array, from: number, to: number): number {
  for (const place of [0, 1, 2, 3] as const) {
    const name = nameOf(bytes, from, to, place)
    if (name !== undefined) return (name.takes & TAKES.text) !== 0 && name.span !== SPAN.type ? name.span : -1
  }
  return -1
}

/** Whether a character code is a byte that stands for itself in a text. */
export function isPlainByte(code: number): boolean {
  return code < 256 && IS_PLAIN[code] === 1
}

/** Whether the bytes of a span are this text. */
export function isTextAt(bytes: Uint8Array, from: number, to: number, text: Uint8Array): boolean {
  if (to - from !== text.length) return false
  for (let i = 0; i < text.length; i++) if (bytes[from + i] !== text[i]) return false
  return true
}
