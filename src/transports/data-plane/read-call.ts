import { ATTESTATIONS, type Call, CONFIRMATIONS, INGRESS_KINDS, TREATMENTS, VERSTATS } from '../../domain/call-event.ts'
import { type DiallingRules, parsePhoneNumber, readPlainDigits } from '../../domain/parse-phone-number.ts'
import { NOT_A_NUMBER, type ParsedNumber } from '../../domain/phone-number.ts'
import type { CallEnd } from '../../engine/behaviour.ts'
import type { Screener } from '../../engine/screener.ts'
import { isJsonObject, type JsonObject } from './json-text.ts'
import { parseTime } from './parse-time.ts'

export type CallReaderOptions = {
  /** Most time an answer may take, counted from the loop iteration that read the request. */
  readonly deadlineMs: number
}

export type CallReaderDependencies = {
  readonly screener: Screener
  /** A number in any form of the contract; never throws (domain/parse-phone-number.ts, mode `call`). */
  readonly parseNumber: (text: string) => ParsedNumber
  /** The same of digits read already, or 0 when only the text can tell (readPlainDigits). */
  readonly readDigits: (value: number, digitCount: number, hasPlus: boolean) => ParsedNumber
  readonly now: () => number
}

/** Reads the numbers of calls in a home country. */
export function numberReaders(home: DiallingRules): Pick<CallReaderDependencies, 'parseNumber' | 'readDigits'> {
  return {
    parseNumber: (text) => parsePhoneNumber(text, home, 'call'),
    readDigits: (value, digitCount, hasPlus) => readPlainDigits(value, digitCount, hasPlus, home, 'call'),
  }
}

/**
 * Turns call events of any transport into the thread's one mutable Call. A call is always answered, so nothing here
 * refuses: a wrong type of the caller is a malformed caller, and of any other field it is as if the field were missing.
 */
export type CallReader = {
  /** Reads a JSON event into the call. Returns the call id, '' when there is none. */
  readEvent(event: JsonObject, call: Call, receivedMs: number): string
  /** Reads the fields of a GET query into the call; names are those of the JSON leaves. Returns the call id. */
  readQuery(query: ReadonlyMap<string, string>, call: Call, receivedMs: number): string
  /** Reads a JSON call end, and sets when it came. */
  readEnd(event: JsonObject, end: CallEnd): void
  /** Sets nowMs (the clock is read when it is not given) and deadlineMs: receivedMs + the deadline, or the client's own when that is earlier. */
  setTimes(call: Call, receivedMs: number, deadlineAtMs: number, nowMs?: number): void
}

export function createCall(): Call {
  return {
    caller: NOT_A_NUMBER.withheld,
    callee: NOT_A_NUMBER.withheld,
    redirecting: NOT_A_NUMBER.withheld,
    trunk: 0,
    ingress: 0,
    attestation: 0,
    verstat: 0,
    originating: 0,
    roaming: 0,
    treatment: 0,
    callHashLow: 0,
    callHashHigh: 0,
    nowMs: 0,
    deadlineMs: 0,
  }
}

export function createCallReader(options: CallReaderOptions, dependencies: CallReaderDependencies): CallReader {
  const { screener, parseNumber, now } = dependencies

  /** A caller or callee as it came: null and absent are withheld, a whole JSON number is its digits, other types malformed. */
  function readNumber(value: unknown): ParsedNumber {
    if (typeof value === 'string') return parseNumber(value)
    if (typeof value === 'number' && value >= 0 && Number.isSafeInteger(value)) return parseNumber(String(value))
    return value === null || value === undefined ? NOT_A_NUMBER.withheld : NOT_A_NUMBER.malformed
  }

  function setTimes(call: Call, receivedMs: number, deadlineAtMs: number, nowMs = now()): void {
    const latestMs = receivedMs + options.deadlineMs
    // An unreadable deadlineAt (NaN) is no deadline.
    call.deadlineMs = Number.isNaN(deadlineAtMs) ? latestMs : Math.min(deadlineAtMs, latestMs)
    call.nowMs = nowMs
  }

  /** A kind the switch does not say, or we do not know, is that of the trunk. */
  function setIngress(call: Call, trunk: unknown, kind: unknown): void {
    call.trunk = screener.trunkIndex(typeof trunk === 'string' ? trunk : undefined)
    const given = codeOf(INGRESS_KINDS, kind)
    call.ingress = given === 0 ? screener.trunkIngress(call.trunk) : given
  }

  function readEvent(event: JsonObject, call: Call, receivedMs: number): string {
    const callId = readCallId(event.callId)
    const ingress = isJsonObject(event.ingress) ? event.ingress : NOTHING
    const stir = isJsonObject(event.stir) ? event.stir : NOTHING
    const callerStatus = isJsonObject(event.callerStatus) ? event.callerStatus : NOTHING
    call.caller = readNumber(event.caller)
    call.callee = readNumber(event.callee)
    call.redirecting = readNumber(event.redirecting)
    setIngress(call, ingress.trunk, ingress.kind)
    call.attestation = codeOf(ATTESTATIONS, stir.attest)
    call.verstat = codeOf(VERSTATS, stir.verstat)
    call.originating = codeOf(CONFIRMATIONS, callerStatus.originating)
    call.roaming = codeOf(CONFIRMATIONS, callerStatus.roaming)
    call.treatment = codeOf(TREATMENTS, event.treatment)
    setTimes(call, receivedMs, event.deadlineAt === undefined ? Number.NaN : parseTime(event.deadlineAt))
    screener.hashCall(call, callId)
    return callId
  }

  function readQuery(query: ReadonlyMap<string, string>, call: Call, receivedMs: number): string {
    const callId = query.get('callId') ?? ''
    call.caller = readNumber(plusRestored(query.get('caller')))
    call.callee = readNumber(plusRestored(query.get('callee')))
    call.redirecting = readNumber(plusRestored(query.get('redirecting')))
    setIngress(call, query.get('trunk'), query.get('kind'))
    call.attestation = codeOf(ATTESTATIONS, query.get('attest'))
    call.verstat = codeOf(VERSTATS, query.get('verstat'))
    call.originating = codeOf(CONFIRMATIONS, query.get('originating'))
    call.roaming = codeOf(CONFIRMATIONS, query.get('roaming'))
    call.treatment = codeOf(TREATMENTS, query.get('treatment'))
    setTimes(call, receivedMs, parseTime(query.get('deadlineAt')))
    screener.hashCall(call, callId)
    return callId
  }

  function readEnd(event: JsonObject, end: CallEnd): void {
    end.caller = readNumber(event.caller)
    end.callee = readNumber(event.callee)
    end.answered = event.answered === true
    end.ringMs = durationMs(event.ringMs)
    end.talkMs = durationMs(event.talkMs)
    end.nowMs = now()
    screener.hashCall(end, readCallId(event.callId))
  }

  return { readEvent, readQuery, readEnd, setTimes }
}

/** A day: no call rings or talks longer, whatever a switch says. */
const DURATION_MS_MAX = 86_400_000

export function durationMs(value: unknown): number {
  return typeof value === 'number' && value > 0 ? Math.min(value, DURATION_MS_MAX) : 0
}

const NOTHING: JsonObject = Object.freeze({})

/** The id of a call or of a call end. A whole number is its digits; one beyond 2^53 may stand for several calls, so it is none. */
export function readCallId(value: unknown): string {
  if (typeof value === 'string') return value
  return Number.isSafeInteger(value) ? String(value) : ''
}

/** The wire code of a name: its index, 0 (`unknown`, `none`) for everything that is not on the list. */
function codeOf(names: readonly string[], value: unknown): number {
  if (typeof value !== 'string') return 0
  return Math.max(0, names.indexOf(value))
}

/**
 * A client that form-encodes turns `+79…` into `%2B79…`, one that forgets sends `+79…`, which a proxy may decode into
 * ` 79…`: all three mean plus, because no number begins with a space.
 */
function plusRestored(text: string | undefined): string | undefined {
  return text?.startsWith(' ') ? `+${text.slice(1)}` : text
}
