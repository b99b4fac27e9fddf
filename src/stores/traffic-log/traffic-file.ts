/**
 * One process's calls of one hour on disk: caller → count, sorted, ready for a merge join.
 *
 * ```
 *   0 magic "ZTRL"   4 version   8 hour (epoch hours)   12 flags: 1 complete   16 calls f64
 *  24 callers u32   28 CRC-32 of all else   32 zeros   64 numbers f64 x callers   … counts u32 x callers
 * ```
 * Little-endian. `calls` is the total, calls without a usable caller number included.
 */
import { crc32 } from 'node:zlib'
import { ScreeningError } from '../../domain/errors.ts'

const TRAFFIC_FILE_VERSION = 1
const MAGIC = 0x4c52545a // "ZTRL"
const HEADER_BYTES = 64
const ENTRY_BYTES = 12
const CHECKSUM_AT = 28
const FLAG_COMPLETE = 1

/** Callers of one process in one hour: 201 MB. More than all verdict threads of a machine count. */
export const TRAFFIC_CALLERS_MAX = 2 ** 24
export const TRAFFIC_FILE_BYTES_MAX = HEADER_BYTES + TRAFFIC_CALLERS_MAX * ENTRY_BYTES

export type TrafficHour = {
  /** Epoch hours: epoch milliseconds / 3,600,000, rounded down. */
  readonly hour: number
  readonly calls: number
  /** False: callers are missing, because a table was full. */
  readonly complete: boolean
  /** Ascending, distinct. */
  readonly callers: Float64Array
  readonly counts: Uint32Array
}

const NAME_PATTERN = /^h(\d{6,})-(.+)\.traffic$/

/** `h490001-verdict-0-4711.traffic`. */
export function trafficFileName(hour: number, process: string): string {
  return `h${hour}-${process}.traffic`
}

/** The hour in a file's name; undefined for another file. */
export function hourOfTrafficFile(name: string): number | undefined {
  const match = NAME_PATTERN.exec(name)
  return match ? Number(match[1]) : undefined
}

/** 64 KiB are copied and summed in a step. */
const STEP_BYTES = 2 ** 16

/** The bytes of the file, made in steps of some 50 microseconds. */
export function* encodeTrafficHour(traffic: TrafficHour): Generator<undefined, Uint8Array> {
  const { callers, counts } = traffic
  const bytes = new Uint8Array(HEADER_BYTES + callers.length * ENTRY_BYTES)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, MAGIC, true)
  view.setUint32(4, TRAFFIC_FILE_VERSION, true)
  view.setUint32(8, traffic.hour, true)
  view.setUint32(12, traffic.complete ? FLAG_COMPLETE : 0, true)
  view.setFloat64(16, traffic.calls, true)
  view.setUint32(24, callers.length, true)
  let checksum = crc32(bytes.subarray(0, HEADER_BYTES)) // its own field still holds 0
  let at = HEADER_BYTES
  for (const column of [callers, counts]) {
    const from = new Uint8Array(column.buffer, column.byteOffset, column.byteLength)
    for (let start = 0; start < from.byteLength; start += STEP_BYTES) {
      const part = from.subarray(start, start + STEP_BYTES)
      bytes.set(part, at)
      checksum = crc32(part, checksum)
      at += part.byteLength
      yield undefined
    }
  }
  view.setUint32(CHECKSUM_AT, checksum, true)
  return bytes
}

/** Throws STORAGE_FORMAT for a damaged file or one of a newer release. `bytes` must own its buffer: views stay on it. */
export function decodeTrafficHour(bytes: Uint8Array<ArrayBuffer>): TrafficHour {
  if (bytes.byteOffset !== 0) throw new RangeError('The bytes of a traffic file must begin their buffer.')
  if (bytes.byteLength < HEADER_BYTES) throw damaged('it is cut short')
  const view = new DataView(bytes.buffer, 0, bytes.byteLength)
  if (view.getUint32(0, true) !== MAGIC) throw damaged('it does not begin like one')
  const version = view.getUint32(4, true)
  if (version !== TRAFFIC_FILE_VERSION) {
    throw new ScreeningError('STORAGE_FORMAT', `Got a v${version} traffic file, expected v${TRAFFIC_FILE_VERSION}.`)
  }
  const callers = view.getUint32(24, true)
  if (callers > TRAFFIC_CALLERS_MAX || bytes.byteLength !== HEADER_BYTES + callers * ENTRY_BYTES) {
    throw damaged('its length is wrong')
  }
  const checksum = view.getUint32(CHECKSUM_AT, true)
  view.setUint32(CHECKSUM_AT, 0, true)
  if (crc32(bytes) !== checksum) throw damaged('it does not match its checksum')
  return {
    hour: view.getUint32(8, true),
    calls: view.getFloat64(16, true),
    complete: (view.getUint32(12, true) & FLAG_COMPLETE) !== 0,
    callers: new Float64Array(bytes.buffer, HEADER_BYTES, callers),
    counts: new Uint32Array(bytes.buffer, HEADER_BYTES + callers * Float64Array.BYTES_PER_ELEMENT, callers),
  }
}

function damaged(why: string): ScreeningError {
  return new ScreeningError('STORAGE_FORMAT', `A traffic file cannot be read: ${why}.`)
}
