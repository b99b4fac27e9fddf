import { ATTESTATIONS, type Call, CONFIRMATIONS, INGRESS_KINDS, TREATMENTS, VERSTATS } from '../../domain/call-event.ts'
import { NOT_A_NUMBER, type ParsedNumber } from '../../domain/phone-number.ts'
import type { CallEnd } from '../../engine/behaviour.ts'
import { parseTime } from './parse-time.ts'
import { type CallReader, type CallReaderDependencies, durationMs } from './read-call.ts'
import { isTextAt, isTrue, SPAN } from './scan-event.ts'

/**
 * Turns a scanned event (scan-event.ts), whose spans begin at `first`, into the call or the end that read-call.ts makes of the
 * same event parsed: numbers, codes and call ids come from the bytes, and only what is looked up becomes a text.
 */
export type PlainCallReader = {
  readCall(bytes: Buffer, spans: Int32Array, first: number, call: Call, receivedMs: number): void
  readEnd(bytes: Buffer, spans: Int32Array, first: number, end: CallEnd): void
}

const PLUS = 0x2b
const ZERO = 0x30
/** E.164. */
const DIGITS_MAX = 15

/** Trunks whose index is at hand without a text; a switch has a few. */
const TRUNK_SLOTS = 64
/** Whoever sends longer ones, registered or not, pays for a look-up. */
const TRUNK_NAME_BYTES_MAX = 64
type KnownTrunk = { readonly name: Uint8Array; readonly index: number }

export function createPlainCallReader(
  { setTimes }: Pick<CallReader, 'setTimes'>,
  { screener, parseNumber, readDigits, now }: CallReaderDependencies,
): PlainCallReader {
  const trunks: (KnownTrunk | undefined)[] = Array.from({ length: TRUNK_SLOTS })
  let trunksGeneration = -1

  function numberAt(bytes: Buffer, spans: Int32Array, span: number): ParsedNumber {
    const from = spans[span]!
    const to = spans[span + 1]!
    if (from === 0) return NOT_A_NUMBER.withheld
    const hasPlus = bytes[from] === PLUS
    const first = hasPlus ? from + 1 : from
    const digitCount = to - first
    if (digitCount <= DIGITS_MAX) {
      let value = 0
      let at = first
      for (; at < to; at++) {
        const digit = bytes[at]! - ZERO
        if (digit < 0 || digit > 9) break
        value = value * 10 + digit
      }
      const number = at === to ? readDigits(value, digitCount, hasPlus) : 0
      if (number !== 0) return number
    }
    return parseNumber(textOf(bytes, from, to))
  }

  function trunkAt(bytes: Buffer, spans: Int32Array, span: number): number {
    const from = spans[span]!
    const to = spans[span + 1]!
    if (from === 0) return screener.trunkIndex(undefined)
    if (trunksGeneration !== screener.generation) {
      trunksGeneration = screener.generation
      trunks.fill(undefined)
    }
    const slot = to === from ? 0 : (to - from + bytes[to - 1]!) & (TRUNK_SLOTS - 1)
    const known = trunks[slot]
    if (known !== undefined && isTextAt(bytes, from, to, known.name)) return known.index
    const index = screener.trunkIndex(textOf(bytes, from, to))
    if (to - from <= TRUNK_NAME_BYTES_MAX) trunks[slot] = { name: Uint8Array.from(bytes.subarray(from, to)), index }
    return index
  }

  function readCall(bytes: Buffer, spans: Int32Array, first: number, call: Call, receivedMs: number): void {
    call.caller = numberAt(bytes, spans, first + SPAN.caller)
    call.callee = numberAt(bytes, spans, first + SPAN.callee)
    call.redirecting = numberAt(bytes, spans, first + SPAN.redirecting)
    call.trunk = trunkAt(bytes, spans, first + SPAN.trunk)
    const kind = codeAt(bytes, spans, first + SPAN.kind, KIND_TEXTS)
    call.ingress = kind === 0 ? screener.trunkIngress(call.trunk) : kind
    call.attestation = codeAt(bytes, spans, first + SPAN.attest, ATTESTATION_TEXTS)
    call.verstat = codeAt(bytes, spans, first + SPAN.verstat, VERSTAT_TEXTS)
    call.originating = codeAt(bytes, spans, first + SPAN.originating, CONFIRMATION_TEXTS)
    call.roaming = codeAt(bytes, spans, first + SPAN.roaming, CONFIRMATION_TEXTS)
    call.treatment = codeAt(bytes, spans, first + SPAN.treatment, TREATMENT_TEXTS)
    const deadlineFrom = spans[first + SPAN.deadlineAt]!
    const deadlineTo = spans[first + SPAN.deadlineAt + 1]!
    setTimes(call, receivedMs, deadlineFrom === 0 ? Number.NaN : parseTime(textOf(bytes, deadlineFrom, deadlineTo)))
    screener.hashCallBytes(call, bytes, spans[first + SPAN.callId]!, spans[first + SPAN.callId + 1]!)
  }

  function readEnd(bytes: Buffer, spans: Int32Array, first: number, end: CallEnd): void {
    end.caller = numberAt(bytes, spans, first + SPAN.caller)
    end.callee = numberAt(bytes, spans, first + SPAN.callee)
    end.answered = isTrue(bytes, spans, first)
    end.ringMs = durationMs(digitsAt(bytes, spans, first + SPAN.ringMs))
    end.talkMs = durationMs(digitsAt(bytes, spans, first + SPAN.talkMs))
    end.nowMs = now()
    screener.hashCallBytes(end, bytes, spans[first + SPAN.callId]!, spans[first + SPAN.callId + 1]!)
  }

  return { readCall, readEnd }
}

/** Of printable ASCII. */
function textOf(bytes: Buffer, from: number, to: number): string {
  return bytes.toString('latin1', from, to)
}

const textsOf = (names: readonly string[]) =>
  names.map((name) => Uint8Array.from(name, (letter) => letter.charCodeAt(0)))
const KIND_TEXTS = textsOf(INGRESS_KINDS)
const ATTESTATION_TEXTS = textsOf(ATTESTATIONS)
const VERSTAT_TEXTS = textsOf(VERSTATS)
const CONFIRMATION_TEXTS = textsOf(CONFIRMATIONS)
const TREATMENT_TEXTS = textsOf(TREATMENTS)

/** A whole number, 0 when it is missing. */
function digitsAt(bytes: Uint8Array, spans: Int32Array, span: number): number {
  let value = 0
  for (let at = spans[span]!; at < spans[span + 1]!; at++) value = value * 10 + bytes[at]! - ZERO
  return value
}

/** The wire code of a name: its index, 0 for everything that is not on the list. */
function codeAt(bytes: Uint8Array, spans: Int32Array, span: number, texts: readonly Uint8Array[]): number {
  const from = spans[span]!
  const to = spans[span + 1]!
  if (from === 0) return 0
  for (let code = 1; code < texts.length; code++) if (isTextAt(bytes, from, to, texts[code]!)) return code
  return 0
}
