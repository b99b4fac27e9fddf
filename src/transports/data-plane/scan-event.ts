/**
 * A call event found in the bytes of its JSON text, without the text, the object and the strings in it: for events as switches
 * write them, the handler takes a quarter less time than with JSON.parse (bench/micro/transports.ts).
 *
 * What it accepts is a part of JSON: one object, in it texts of printable ASCII without an escape, whole numbers of at most 15
 * digits, null, and `ingress`, `stir` and `callerStatus` as objects of the same; no name that means something stands twice.
 * Whatever else a text holds, also what is not JSON, is not refused here: the scan gives up, and JSON.parse has the word.
 */

const LEAVES = {
  event: ['callId', 'caller', 'callee', 'redirecting', 'deadlineAt', 'treatment', 'type'],
  ingress: ['trunk', 'kind'],
  stir: ['attest', 'verstat'],
  callerStatus: ['originating', 'roaming'],
} as const

/** Where a field's span begins in the spans of a scan: first byte, then the one behind the last; 0 and 0 when it is missing. */
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
} as const
const SPANS_LENGTH = 26
/** These mean the same as a whole number and as the text of its digits. */
const DIGITS_SPAN_MAX = SPAN.deadlineAt

/** Spans for scanEvent: indexes into the bytes scanned, by SPAN. */
export function createSpans(): Int32Array {
  return new Int32Array(SPANS_LENGTH)
}

const QUOTE = 0x22
const COMMA = 0x2c
const COLON = 0x3a
const BACKSLASH = 0x5c
const OPEN = 0x7b
const CLOSE = 0x7d
const ZERO = 0x30
const NINE = 0x39
/** A safe integer, whatever the digits. */
const INTEGER_DIGITS_MAX = 15
const NULL = Uint8Array.from('null', (letter) => letter.charCodeAt(0))

/** By byte: 1 for printable ASCII that stands for itself in a text. */
const IS_PLAIN = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= 0x20 && byte <= 0x7e && byte !== QUOTE && byte !== BACKSLASH ? 1 : 0,
)

/** The objects an event may hold, in the order of LEAVES; 0 is the event itself. */
type Place = 0 | 1 | 2 | 3
const EVENT: Place = 0

type Name = {
  readonly bytes: Uint8Array
  readonly place: Place
  /** Of SPAN; -1 for an object. */
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
  const add = (name: string, place: Place, span: number, inside: Place) => {
    const bytes = Uint8Array.from(name, (letter) => letter.charCodeAt(0))
    const slot = slotOf(bytes, 0, bytes.length, place)
    if (table[slot] !== undefined) throw new Error(`Two names share slot ${slot}: choose other factors in slotOf.`)
    table[slot] = { bytes, place, span, inside, bit: 1 << count++ }
  }
  const places = [LEAVES.event, LEAVES.ingress, LEAVES.stir, LEAVES.callerStatus] as const
  const objects = ['', 'ingress', 'stir', 'callerStatus']
  for (const place of [0, 1, 2, 3] as const) {
    for (const name of places[place]) add(name, place, SPAN[name], EVENT)
    if (place !== EVENT) add(objects[place] ?? '', EVENT, -1, place)
  }
  return table
}

/** A place in the table of names that no two of them share. */
function slotOf(bytes: Uint8Array, from: number, to: number, place: Place): number {
  if (to === from) return 0
  return (bytes[from]! + 2 * bytes[to - 1]! + 8 * place) & (NAME_SLOTS - 1)
}

/**
 * Finds the fields of a call event.
 *
 * @param spans where they are found, by SPAN; of no meaning when it answers false
 * @returns false when only JSON.parse can tell what the bytes are
 */
export function scanEvent(bytes: Uint8Array, spans: Int32Array): boolean {
  for (let i = 0; i < SPANS_LENGTH; i++) spans[i] = 0
  let place: Place = EVENT
  let seen = 0
  let at = skipSpace(bytes, 0)
  if (byteAt(bytes, at) !== OPEN) return false
  at = skipSpace(bytes, at + 1)
  let isEmpty = true
  for (;;) {
    if (!isEmpty || byteAt(bytes, at) !== CLOSE) {
      if (byteAt(bytes, at) !== QUOTE) return false
      const to = endOfText(bytes, at + 1)
      if (to < 0) return false
      const name = nameOf(bytes, at + 1, to, place)
      at = skipSpace(bytes, to + 1)
      if (byteAt(bytes, at) !== COLON) return false
      at = skipSpace(bytes, at + 1)
      if (name !== undefined) {
        if ((seen & name.bit) !== 0) return false
        seen |= name.bit
      }
      if (byteAt(bytes, at) === OPEN) {
        if (name === undefined || name.span >= 0) return false
        place = name.inside
        at = skipSpace(bytes, at + 1)
        isEmpty = true
        continue
      }
      at = scanValue(bytes, at, name, spans)
      if (at < 0) return false
    }
    // The end of an object, and perhaps of the event with it.
    while (byteAt(bytes, at) === CLOSE) {
      at = skipSpace(bytes, at + 1)
      if (place === EVENT) return at === bytes.length
      place = EVENT
    }
    if (byteAt(bytes, at) !== COMMA) return false
    at = skipSpace(bytes, at + 1)
    isEmpty = false
  }
}

/** Notes where a text or a whole number is; null is as if the name were not there. Returns where the next thing is, or -1. */
function scanValue(bytes: Uint8Array, at: number, name: Name | undefined, spans: Int32Array): number {
  const first = byteAt(bytes, at)
  let from = at
  let to: number
  let next: number
  if (first === QUOTE) {
    from = at + 1
    to = endOfText(bytes, from)
    if (to < 0 || name?.span === -1) return -1
    next = to + 1
  } else if (first >= ZERO && first <= NINE) {
    to = endOfDigits(bytes, at)
    if (to < 0 || (name !== undefined && (name.span < 0 || name.span > DIGITS_SPAN_MAX))) return -1
    next = to
  } else {
    return isNull(bytes, at) ? skipSpace(bytes, at + NULL.length) : -1
  }
  if (name !== undefined) {
    spans[name.span] = from
    spans[name.span + 1] = to
  }
  return skipSpace(bytes, next)
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

function isNull(bytes: Uint8Array, at: number): boolean {
  return isTextAt(bytes, at, Math.min(at + NULL.length, bytes.length), NULL)
}

function nameOf(bytes: Uint8Array, from: number, to: number, place: Place): Name | undefined {
  const name = names[slotOf(bytes, from, to, place)]
  return name !== undefined && name.place === place && isTextAt(bytes, from, to, name.bytes) ? name : undefined
}

/** Whether the bytes of a span are this text. */
export function isTextAt(bytes: Uint8Array, from: number, to: number, text: Uint8Array): boolean {
  if (to - from !== text.length) return false
  for (let i = 0; i < text.length; i++) if (bytes[from + i] !== text[i]) return false
  return true
}
