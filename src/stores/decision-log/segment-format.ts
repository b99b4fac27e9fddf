/**
 * A segment file of the decision log.
 *
 * ```
 *   0 magic "ZDEC"  4 version  8 header bytes  12 JSON bytes  16 CRC-32 of the JSON  20 0  24 created, f64 epoch ms
 *   32 JSON: { process, trunks, recordVersion }     … zeros up to a multiple of 4,096 …
 *   header bytes: records of 128 bytes (domain/decision-record.ts), in about the order they were decided
 * ```
 * Numbers are little-endian. Trunk names live here because a record has only the index. A crash can tear nothing but the
 * end: a rest shorter than a record is not read, and neither are zeros.
 */
import path from 'node:path'
import { crc32 } from 'node:zlib'
import { DECISION_RECORD_VERSION } from '../../domain/decision-record.ts'
import { ScreeningError } from '../../domain/errors.ts'

const SEGMENT_VERSION = 1
const MAGIC = 0x4345445a // "ZDEC"
/** What must be read first, to learn how long the header is. */
export const SEGMENT_FIXED_BYTES = 32
const HEADER_STEP_BYTES = 4_096

/** 65,536 trunks of 16 characters. Names that do not fit are left out: their records show no trunk. */
export const SEGMENT_HEADER_BYTES_MAX = 1_048_576

const SEGMENT_SUFFIX = '.decisions'

/** Lower-case words and digits joined by hyphens: part of a file name. Unique for each start of a process. */
export const PROCESS_LABEL_PATTERN = /^[a-z0-9](?:[a-z0-9-]{0,46}[a-z0-9])?$/

export type SegmentMeta = {
  readonly createdMs: number
  readonly process: string
  /** By trunk index. */
  readonly trunks: readonly string[]
}

/** `20250131T120000000Z-verdict-0-4711-0001.decisions`: sorts by time, unique by process. */
export function segmentName(createdMs: number, process: string, number: number): string {
  const time = new Date(createdMs).toISOString().replace(/[-:.]/g, '')
  return `${time}-${process}-${String(number).padStart(4, '0')}${SEGMENT_SUFFIX}`
}

const NAME_PATTERN = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z-(.+)-\d{4,}\.decisions$/

/** What a segment's name says; undefined for a file that is not a segment. */
export function parseSegmentName(file: string): { createdMs: number; process: string } | undefined {
  const match = NAME_PATTERN.exec(path.basename(file))
  if (!match) return undefined
  const [, year, month, day, hour, minute, second, ms, process = ''] = match
  const createdMs = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}.${ms}Z`)
  return Number.isNaN(createdMs) ? undefined : { createdMs, process }
}

export function encodeSegmentHeader(meta: SegmentMeta): Uint8Array {
  let trunks = [...meta.trunks]
  let json = jsonOf(meta, trunks)
  while (json.byteLength > SEGMENT_HEADER_BYTES_MAX - SEGMENT_FIXED_BYTES) {
    trunks = trunks.slice(0, trunks.length >>> 1)
    json = jsonOf(meta, trunks)
  }
  const headerBytes = Math.ceil((SEGMENT_FIXED_BYTES + json.byteLength) / HEADER_STEP_BYTES) * HEADER_STEP_BYTES
  const header = new Uint8Array(headerBytes)
  const view = new DataView(header.buffer)
  view.setUint32(0, MAGIC, true)
  view.setUint32(4, SEGMENT_VERSION, true)
  view.setUint32(8, headerBytes, true)
  view.setUint32(12, json.byteLength, true)
  view.setUint32(16, crc32(json), true)
  view.setFloat64(24, meta.createdMs, true)
  header.set(json, SEGMENT_FIXED_BYTES)
  return header
}

function jsonOf(meta: SegmentMeta, trunks: readonly string[]): Uint8Array {
  return Buffer.from(JSON.stringify({ process: meta.process, recordVersion: DECISION_RECORD_VERSION, trunks }))
}

/**
 * The first SEGMENT_FIXED_BYTES of a segment say how long its header is. Throws STORAGE_FORMAT for another file, a damaged one, or
 * one that a newer release wrote.
 */
export function segmentHeaderBytes(start: Uint8Array): number {
  if (start.byteLength < SEGMENT_FIXED_BYTES) throw damaged('it is cut short inside its header')
  const view = new DataView(start.buffer, start.byteOffset, start.byteLength)
  if (view.getUint32(0, true) !== MAGIC) throw damaged('it does not begin like one')
  const version = view.getUint32(4, true)
  if (version !== SEGMENT_VERSION) {
    throw new ScreeningError('STORAGE_FORMAT', `Got a v${version} decision segment, expected v${SEGMENT_VERSION}.`, {
      hint: 'A newer release wrote it: read it with that one.',
    })
  }
  const headerBytes = view.getUint32(8, true)
  if (
    headerBytes < HEADER_STEP_BYTES ||
    headerBytes > SEGMENT_HEADER_BYTES_MAX ||
    headerBytes % HEADER_STEP_BYTES !== 0
  ) {
    throw damaged(`its header claims ${headerBytes} bytes`)
  }
  return headerBytes
}

/** Reads a whole header (segmentHeaderBytes long). Throws STORAGE_FORMAT. */
export function decodeSegmentHeader(header: Uint8Array): SegmentMeta {
  if (header.byteLength < segmentHeaderBytes(header)) throw damaged('it is cut short inside its header')
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength)
  const json = header.subarray(SEGMENT_FIXED_BYTES, SEGMENT_FIXED_BYTES + view.getUint32(12, true))
  if (crc32(json) !== view.getUint32(16, true)) throw damaged('its header does not match its checksum')
  const { process, trunks, recordVersion } = JSON.parse(Buffer.from(json).toString())
  if (recordVersion !== DECISION_RECORD_VERSION) {
    throw new ScreeningError(
      'STORAGE_FORMAT',
      `The decision segment holds v${recordVersion} records, expected v${DECISION_RECORD_VERSION}.`,
    )
  }
  return { createdMs: view.getFloat64(24, true), process, trunks }
}

function damaged(why: string): ScreeningError {
  return new ScreeningError('STORAGE_FORMAT', `A decision segment cannot be read: ${why}.`)
}
