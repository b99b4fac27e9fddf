import { ATTESTATIONS, CONFIRMATIONS, INGRESS_KINDS, TREATMENTS, VERSTATS } from '../../domain/call-event.ts'
import { NOT_A_NUMBER, type ParsedNumber, PHONE_NUMBER_LIMIT, SHORT_CODE_LIMIT } from '../../domain/phone-number.ts'
import { SIP_BLOCK_STYLES } from '../../domain/policy.ts'
import { BLOCK } from '../../domain/verdict.ts'
import { createCallEnd } from '../../engine/behaviour.ts'
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
import { CLOSE_CODE, type SocketProtocol } from './socket-protocol.ts'
import type { VerdictSocket } from './verdict-server.ts'

/** The trunks a connection has named: their registry indexes hold for one generation of the configuration. */
type TrunkTable = { generation: number; readonly names: Map<number, string>; readonly indexes: Map<number, number> }

/**
 * zaslon.bin.v1 (layout: binary-records.ts). One answer frame for every request frame that holds calls, its records in
 * the order of the calls. A record we cannot read gets an error record; a frame we cannot read ends the connection.
 */
export function createBinaryProtocol(screening: CallScreening): SocketProtocol {
  const { screener, events, now } = screening
  const trunksOf = new Map<VerdictSocket, TrunkTable>()
  const answerBytes = new Uint8Array(RECORDS_PER_FRAME_MAX * ANSWER_RECORD_BYTES)
  const end = createCallEnd()
  const answers = new DataView(answerBytes.buffer)

  function message(socket: VerdictSocket, data: Uint8Array, isBinary: boolean, receivedMs: number): void {
    const complaint = frameComplaint(data, isBinary)
    if (complaint !== undefined) {
      events.refused()
      socket.close(isBinary ? CLOSE_CODE.policy : CLOSE_CODE.unsupportedData, complaint)
      return
    }
    const records = new DataView(data.buffer, data.byteOffset, data.byteLength)
    const trunks = trunksOf.get(socket)
    if (trunks === undefined) return
    let length = 0
    for (let at = 0; at < data.byteLength; at += REQUEST_RECORD_BYTES) {
      length = answerRecord(records, at, trunks, receivedMs, length)
    }
    if (length > 0) socket.send(answerBytes.subarray(0, length))
  }

  /** Handles one record and returns where the next answer goes. */
  function answerRecord(records: DataView, at: number, trunks: TrunkTable, receivedMs: number, to: number): number {
    if (records.getUint8(at) !== BINARY_VERSION) return writeError(records, at, to, ERROR_RECORD.version)
    switch (records.getUint8(at + 1)) {
      case REQUEST_TYPE.call:
        readCall(records, at, trunks, receivedMs)
        screener.screen(screening.call, screening.decision)
        return writeVerdict(records, at, to)
      case REQUEST_TYPE.end:
        endCall(records, at)
        return to
      case REQUEST_TYPE.trunk:
        return nameTrunk(records, at, trunks) ? to : writeError(records, at, to, ERROR_RECORD.trunk)
      default:
        return writeError(records, at, to, ERROR_RECORD.type)
    }
  }

  function readCall(records: DataView, at: number, trunks: TrunkTable, receivedMs: number): void {
    const { call, reader } = screening
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
    reader.setTimes(call, receivedMs, deadlineAtMs > 0 ? deadlineAtMs : Number.NaN)
    screener.hashCall(call, hashText(records.getUint32(at + 32, true), records.getUint32(at + 36, true)))
  }

  function writeVerdict(records: DataView, at: number, to: number): number {
    const { decision, renderer } = screening
    const reply = decision.verdict === BLOCK ? renderer.sipReply(decision) : undefined
    answerBytes.fill(0, to, to + ANSWER_RECORD_BYTES)
    answers.setUint8(to, BINARY_VERSION)
    answers.setUint8(to + 1, ANSWER_TYPE.verdict)
    answers.setUint8(to + 2, decision.verdict)
    answers.setUint8(to + 3, decision.score)
    answers.setUint32(to + 4, records.getUint32(at + 4, true), true)
    // Big-endian words: the bytes then read like the hexadecimal form.
    for (let i = 0; i < 4; i++) answers.setUint32(to + 8 + 4 * i, decision.verdictId[i]!, false)
    if (reply !== undefined) {
      answers.setUint16(to + 24, reply.status, true)
      answers.setUint8(to + 26, SIP_BLOCK_STYLES.indexOf(reply.style) + 1)
    }
    answers.setUint8(to + 27, decision.basis)
    answers.setUint8(to + 28, decision.flags)
    answers.setUint8(to + 29, decision.reasonCount)
    let listId = 0
    for (let i = 0; i < decision.reasonCount; i++) {
      answers.setUint8(to + 40 + i, decision.reasonCodes[i]!)
      if (listId === 0) listId = decision.reasonLists[i]!
    }
    answers.setUint16(to + 30, listId, true)
    answers.setUint32(to + 32, decision.policyVersion, true)
    return to + ANSWER_RECORD_BYTES
  }

  function writeError(records: DataView, at: number, to: number, error: number): number {
    events.refused()
    answerBytes.fill(0, to, to + ANSWER_RECORD_BYTES)
    answers.setUint8(to, BINARY_VERSION)
    answers.setUint8(to + 1, ANSWER_TYPE.error)
    answers.setUint8(to + 2, error)
    answers.setUint32(to + 4, records.getUint32(at + 4, true), true)
    return to + ANSWER_RECORD_BYTES
  }

  function endCall(records: DataView, at: number): void {
    end.caller = wireNumber(records.getFloat64(at + 8, true))
    end.callee = wireNumber(records.getFloat64(at + 16, true))
    end.answered = records.getUint8(at + 40) === 1
    end.ringMs = records.getUint32(at + 24, true)
    end.talkMs = records.getUint32(at + 28, true)
    end.nowMs = now()
    // Callers choose call ids: one used for every call must not make all of them one end.
    screener.hashCall(end, hashText(records.getUint32(at + 32, true), records.getUint32(at + 36, true)))
    screener.endCall(end)
  }

  function trunkIndex(trunks: TrunkTable, number: number): number {
    if (number === 0) return 0
    if (trunks.generation !== screener.generation) {
      trunks.generation = screener.generation
      for (const [named, name] of trunks.names) trunks.indexes.set(named, screener.trunkIndex(name))
    }
    return trunks.indexes.get(number) ?? 0
  }

  function nameTrunk(records: DataView, at: number, trunks: TrunkTable): boolean {
    const number = records.getUint16(at + 8, true)
    const bytes = records.getUint8(at + 2)
    if (number < 1 || number > TRUNK_NUMBER_MAX || bytes < 1 || bytes > TRUNK_NAME_BYTES_MAX) return false
    const name = Buffer.from(records.buffer, records.byteOffset + at + 12, bytes).toString('utf8')
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
  if (value === 0) return NOT_A_NUMBER.withheld
  if (!Number.isInteger(value) || value >= PHONE_NUMBER_LIMIT || value < NOT_A_NUMBER.malformed) {
    return NOT_A_NUMBER.malformed
  }
  return value < 0 || value >= SHORT_CODE_LIMIT || isShortCodeForm(value) ? value : NOT_A_NUMBER.malformed
}

/** A 1 followed by two to six digits. */
function isShortCodeForm(value: number): boolean {
  for (let base = 100; base <= 1_000_000; base *= 10) if (value >= base && value < 2 * base) return true
  return false
}

function code(value: number, names: readonly string[]): number {
  return value < names.length ? value : 0
}

/** The switch's hash of its call id as a text of four characters: the screener hashes it again, with a secret key. */
function hashText(low: number, high: number): string {
  if (low === 0 && high === 0) return ''
  return String.fromCharCode(low & 0xffff, low >>> 16, high & 0xffff, high >>> 16)
}
