import { ATTESTATIONS, type Call, CONFIRMATIONS, INGRESS_KINDS, TREATMENTS, VERSTATS } from '../../domain/call-event.ts'
import { NOT_A_NUMBER, type ParsedNumber, PHONE_NUMBER_LIMIT, SHORT_CODE_LIMIT } from '../../domain/phone-number.ts'
import { SIP_BLOCK_STYLES } from '../../domain/policy.ts'
import { BLOCK } from '../../domain/verdict.ts'
import { type CallEnd, createCallEnd } from '../../engine/behaviour.ts'
import { createHashedCallId, type HashedCallId } from '../../engine/call-hasher.ts'
import { AHEAD_MAX } from '../../engine/screener.ts'
import { createAnswerMemory } from './answer-memory.ts'
import {
  ANSWER_RECORD_BYTES,
  ANSWER_TYPE,
  BINARY_VERSION,
  ERROR_RECORD,
  RECORDS_PER_FRAME_MAX,
  REQUEST_RECORD_BYTES,
  REQUEST_TYPE,
  TRUNK_NAME_BYTES_MAX,
  TRUNK_NUMBER_MAX,
} from './binary-records.ts'
import type { CallScreening } from './call-screening.ts'
import { createCall } from './read-call.ts'
import { LONG_AGO_MS, type SocketCredits } from './socket-credits.ts'
import { CLOSE_CODE, type SocketProtocol } from './socket-protocol.ts'
import type { VerdictSocket } from './verdict-server.ts'

/**
 * Records that are read before the first of them is decided, so that their memory is loaded together; the clock is read once for
 * them: they take some tens of microseconds, unless a look-up goes to disk, and deadlines are milliseconds.
 */
const CHUNK_BYTES = AHEAD_MAX * REQUEST_RECORD_BYTES
/** What became of a record when it was read, beside the codes of ERROR_RECORD. */
const READ = { call: -1, end: -2, trunk: -3 } as const
const VERDICT_HEAD = BINARY_VERSION | (ANSWER_TYPE.verdict << 8)

/** The trunks a connection has named: their registry indexes hold for one generation of the configuration. */
type TrunkTable = { generation: number; readonly names: Map<number, string>; readonly indexes: Map<number, number> }

/**
 * zaslon.bin.v1 (layout: binary-records.ts). One answer frame for every request frame that holds calls, its records in
 * the order of the calls. A record we cannot read gets an error record; a frame we cannot read ends the connection.
 */
export function createBinaryProtocol(screening: CallScreening, credits: SocketCredits): SocketProtocol {
  const { screener, events, now } = screening
  const trunksOf = new Map<VerdictSocket, TrunkTable>()
  // Frames are copied here: one view of memory that stays, where a view of each frame would have to be made.
  const frame = new Uint8Array(RECORDS_PER_FRAME_MAX * REQUEST_RECORD_BYTES)
  const records = new DataView(frame.buffer)
  const answerMemory = createAnswerMemory(RECORDS_PER_FRAME_MAX * ANSWER_RECORD_BYTES)
  const answers = new DataView(answerMemory.bytes.buffer)
  const calls = Array.from({ length: AHEAD_MAX }, createCall)
  const ends = Array.from({ length: AHEAD_MAX }, createCallEnd)
  const outcomes = new Int8Array(AHEAD_MAX)
  let callCount = 0
  let endCount = 0
  const callId = createHashedCallId()
  let nowMs = 0

  function message(socket: VerdictSocket, data: Uint8Array, isBinary: boolean, receivedMs: number): void {
    const complaint = frameComplaint(data, isBinary)
    if (complaint !== undefined) {
      events.refused()
      socket.close(isBinary ? CLOSE_CODE.policy : CLOSE_CODE.unsupportedData, complaint)
      return
    }
    const trunks = trunksOf.get(socket)
    if (trunks === undefined) return
    frame.set(data)
    const frameBytes = data.byteLength
    let length = 0
    for (let from = 0; from < frameBytes; from += CHUNK_BYTES) {
      nowMs = now()
      const to = Math.min(from + CHUNK_BYTES, frameBytes)
      readRecords(from, to, trunks, receivedMs)
      length = answerRecords(from, to, length)
    }
    if (length > 0) socket.send(answerMemory.first(length))
  }

  function readRecords(from: number, to: number, trunks: TrunkTable, receivedMs: number): void {
    callCount = 0
    endCount = 0
    for (let at = from; at < to; at += REQUEST_RECORD_BYTES) {
      outcomes[(at - from) / REQUEST_RECORD_BYTES] = readRecord(at, trunks, receivedMs)
    }
    screener.expect(calls, callCount, ends, endCount)
  }

  /** READ, or what is wrong with the record: ERROR_RECORD. */
  function readRecord(at: number, trunks: TrunkTable, receivedMs: number): number {
    if (records.getUint8(at) !== BINARY_VERSION) return ERROR_RECORD.version
    switch (records.getUint8(at + 1)) {
      case REQUEST_TYPE.call:
        readCall(at, calls[callCount++]!, trunks, credits.take() ? receivedMs : LONG_AGO_MS)
        return READ.call
      case REQUEST_TYPE.end:
        readEnd(at, ends[endCount++]!)
        return READ.end
      case REQUEST_TYPE.trunk:
        return nameTrunk(at, trunks) ? READ.trunk : ERROR_RECORD.trunk
      default:
        return ERROR_RECORD.type
    }
  }

  /** Decides and notes what was read, in order, and returns where the next answer goes. */
  function answerRecords(from: number, to: number, length: number): number {
    callCount = 0
    endCount = 0
    let next = length
    for (let at = from; at < to; at += REQUEST_RECORD_BYTES) {
      const outcome = outcomes[(at - from) / REQUEST_RECORD_BYTES]!
      if (outcome === READ.call) {
        screener.screen(calls[callCount++]!, screening.decision)
        next = writeVerdict(at, next)
      } else if (outcome === READ.end) {
        screener.endCall(ends[endCount++]!)
      } else if (outcome !== READ.trunk) {
        next = writeError(at, next, outcome)
      }
    }
    return next
  }

  function readCall(at: number, call: Call, trunks: TrunkTable, receivedMs: number): void {
    call.caller = wireNumber(records.getFloat64(at + 8, true))
    call.callee = wireNumber(records.getFloat64(at + 16, true))
    call.redirecting = wireNumber(records.getFloat64(at + 24, true))
    call.trunk = trunkIndex(trunks, records.getUint16(at + 40, true))
    const kind = code(records.getUint8(at + 3), INGRESS_KINDS)
    call.ingress = kind === 0 ? screener.trunkIngress(call.trunk) : kind
    call.attestation = code(records.getUint8(at + 42), ATTESTATIONS)
    call.verstat = code(records.getUint8(at + 43), VERSTATS)
    call.originating = code(records.getUint8(at + 44), CONFIRMATIONS)
    call.roaming = code(records.getUint8(at + 45), CONFIRMATIONS)
    call.treatment = code(records.getUint8(at + 46), TREATMENTS)
    const deadlineAtMs = records.getFloat64(at + 48, true)
    screening.reader.setTimes(call, receivedMs, deadlineAtMs > 0 ? deadlineAtMs : Number.NaN, nowMs)
    screener.hashCall(call, callIdAt(at))
  }

  /** The switch's hash of its call id: the screener hashes it again, with a secret key. */
  function callIdAt(at: number): HashedCallId | '' {
    callId.low = records.getInt32(at + 32, true)
    callId.high = records.getInt32(at + 36, true)
    return callId.low === 0 && callId.high === 0 ? '' : callId
  }

  /** Every byte of the record, as words: the memory holds the answers of another frame. */
  function writeVerdict(at: number, to: number): number {
    const { decision, renderer } = screening
    const { reasonCount, verdictId, reasonCodes, reasonLists } = decision
    const reply = decision.verdict === BLOCK ? renderer.sipReply(decision) : undefined
    const sip = reply === undefined ? 0 : reply.status | ((SIP_BLOCK_STYLES.indexOf(reply.style) + 1) << 16)
    answers.setInt32(to, VERDICT_HEAD | (decision.verdict << 16) | (decision.score << 24), true)
    answers.setInt32(to + 4, records.getInt32(at + 4, true), true)
    // Big-endian words: the bytes then read like the hexadecimal form.
    for (let i = 0; i < 4; i++) answers.setUint32(to + 8 + 4 * i, verdictId[i]!, false)
    answers.setInt32(to + 24, sip | (decision.basis << 24), true)
    answers.setInt32(to + 36, 0)
    answers.setInt32(to + 40, 0)
    answers.setInt32(to + 44, 0)
    let listId = 0
    for (let i = 0; i < reasonCount; i++) {
      answers.setUint8(to + 40 + i, reasonCodes[i]!)
      if (listId === 0) listId = reasonLists[i]!
    }
    answers.setInt32(to + 28, (decision.flags & 0xff) | (reasonCount << 8) | (listId << 16), true)
    answers.setUint32(to + 32, decision.policyVersion, true)
    return to + ANSWER_RECORD_BYTES
  }

  function writeError(at: number, to: number, error: number): number {
    events.refused()
    for (let word = to; word < to + ANSWER_RECORD_BYTES; word += 4) answers.setInt32(word, 0)
    answers.setUint8(to, BINARY_VERSION)
    answers.setUint8(to + 1, ANSWER_TYPE.error)
    answers.setUint8(to + 2, error)
    answers.setInt32(to + 4, records.getInt32(at + 4, true), true)
    return to + ANSWER_RECORD_BYTES
  }

  function readEnd(at: number, end: CallEnd): void {
    end.caller = wireNumber(records.getFloat64(at + 8, true))
    end.callee = wireNumber(records.getFloat64(at + 16, true))
    end.answered = records.getUint8(at + 40) === 1
    end.ringMs = records.getUint32(at + 24, true)
    end.talkMs = records.getUint32(at + 28, true)
    end.nowMs = nowMs
    // Callers choose call ids: one used for every call must not make all of them one end.
    screener.hashCall(end, callIdAt(at))
  }

  function trunkIndex(trunks: TrunkTable, number: number): number {
    if (number === 0) return 0
    if (trunks.generation !== screener.generation) {
      trunks.generation = screener.generation
      for (const [named, name] of trunks.names) trunks.indexes.set(named, screener.trunkIndex(name))
    }
    return trunks.indexes.get(number) ?? 0
  }

  function nameTrunk(at: number, trunks: TrunkTable): boolean {
    const number = records.getUint16(at + 8, true)
    const bytes = records.getUint8(at + 2)
    if (number < 1 || number > TRUNK_NUMBER_MAX || bytes < 1 || bytes > TRUNK_NAME_BYTES_MAX) return false
    const name = Buffer.from(frame.buffer, at + 12, bytes).toString('utf8')
    trunks.names.set(number, name)
    trunks.indexes.set(number, screener.trunkIndex(name))
    return true
  }

  return {
    opened(socket) {
      trunksOf.set(socket, { generation: screener.generation, names: new Map(), indexes: new Map() })
    },
    closed(socket) {
      trunksOf.delete(socket)
    },
    message,
  }
}

function frameComplaint(data: Uint8Array, isBinary: boolean): string | undefined {
  if (!isBinary) return 'zaslon.bin.v1 speaks binary frames'
  if (data.byteLength === 0 || data.byteLength % REQUEST_RECORD_BYTES !== 0) return 'A frame is whole 64-byte records'
  return data.byteLength > RECORDS_PER_FRAME_MAX * REQUEST_RECORD_BYTES
    ? 'A frame holds at most 1024 records'
    : undefined
}

/** A number as the record carries it (PhoneNumber, or a NOT_A_NUMBER code); 0 is withheld, anything else malformed. */
function wireNumber(value: number): ParsedNumber {
  // Nearly every one is a whole number; NaN is none of these.
  if (value >= SHORT_CODE_LIMIT && value < PHONE_NUMBER_LIMIT && Math.floor(value) === value) return value
  if (value === 0) return NOT_A_NUMBER.withheld
  const isKnown = Number.isInteger(value) && value < SHORT_CODE_LIMIT && value >= NOT_A_NUMBER.malformed
  return isKnown && (value < 0 || isShortCodeForm(value)) ? value : NOT_A_NUMBER.malformed
}

/** A 1 followed by two to six digits. */
function isShortCodeForm(value: number): boolean {
  for (let base = 100; base <= 1_000_000; base *= 10) if (value >= base && value < 2 * base) return true
  return false
}

function code(value: number, names: readonly string[]): number {
  return value < names.length ? value : 0
}
