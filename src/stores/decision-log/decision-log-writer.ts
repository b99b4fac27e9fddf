/**
 * Appends drained decision records to segment files. One per verdict process, on its main thread.
 *
 * The trade: records are lost rather than anything delayed. Writes go to the page cache and are not synced: a crash of the
 * process loses nothing that was appended, a crash of the machine the last seconds. On a full or broken disk records are
 * counted as lost and the next append tries again, so the log comes back by itself when there is room.
 * The invariant: inside a segment, records lie at whole multiples of their size. A half-written record is overwritten by
 * the next append, because positions are computed, never taken from the file.
 */
import { DECISION_RECORD_BYTES } from '../../domain/decision-record.ts'
import { DAY_MS, expiredSegments, type RetentionLimits } from './retention.ts'
import { openSegmentFiles, type SegmentFiles } from './segment-files.ts'
import { encodeSegmentHeader, PROCESS_LABEL_PATTERN, segmentName } from './segment-format.ts'

/** Half a million records: minutes of nothing but blocks, and a search skips whole segments. */
const SEGMENT_BYTES_MAX = 64 * 1024 * 1024
const RETENTION_DAYS = 30
/** 33 M decisions. */
const RETENTION_BYTES_MAX = 4 * 1024 ** 3

/** After a failure nothing is tried for so long: a drain comes every few milliseconds, a disk does not empty so fast. */
export const RETRY_AFTER_MS = 1_000

export type DecisionLogWriterOptions = Partial<RetentionLimits> & {
  /** `<dataDir>/decisions`. */
  readonly directory: string
  /** Unique for each start of a process, PROCESS_LABEL_PATTERN: e.g. `verdict-0-<pid>`. */
  readonly process: string
  /** Trunk names by index, as Call.trunk counts them. */
  readonly trunks: readonly string[]
  readonly segmentBytesMax?: number
}

export type DecisionLogWriterDependencies = {
  readonly now: () => number
  readonly files?: SegmentFiles
}

export type DecisionLogStats = {
  /** Records on disk, lost to failures, and failures, since the start. */
  readonly written: number
  readonly lost: number
  readonly failures: number
  /** errno code of the newest failure, e.g. `ENOSPC`; undefined while the log is healthy. */
  readonly failing: string | undefined
}

export type DecisionLogWriter = {
  /** Whole records (a multiple of DECISION_RECORD_BYTES). Never throws; blocks for a page-cache write only. */
  append(records: Uint8Array): void
  /** Deletes what is too old or too much, of all processes. Never throws. Also done whenever a segment begins. */
  expire(): void
  stats(): DecisionLogStats
  close(): void
}

type OpenSegment = { readonly file: number; readonly day: number; position: number }

export function createDecisionLogWriter(
  options: DecisionLogWriterOptions,
  dependencies: DecisionLogWriterDependencies,
): DecisionLogWriter {
  if (!PROCESS_LABEL_PATTERN.test(options.process)) {
    throw new RangeError(`A process label is made of lower-case letters, digits and hyphens, got "${options.process}".`)
  }
  const { now } = dependencies
  const files = dependencies.files ?? openSegmentFiles(options.directory)
  const segmentBytesMax = options.segmentBytesMax ?? SEGMENT_BYTES_MAX
  const limits = {
    retentionDays: options.retentionDays ?? RETENTION_DAYS,
    retentionBytesMax: options.retentionBytesMax ?? RETENTION_BYTES_MAX,
  }
  let segment: OpenSegment | undefined
  let segmentCount = 0
  let written = 0
  let lost = 0
  let failures = 0
  let failing: string | undefined
  let retryAtMs = 0

  function begin(nowMs: number): OpenSegment {
    const file = files.create(segmentName(nowMs, options.process, ++segmentCount))
    const opened = { file, day: Math.floor(nowMs / DAY_MS), position: 0 }
    segment = opened
    const header = encodeSegmentHeader({ createdMs: nowMs, process: options.process, trunks: options.trunks })
    writeAll(opened, header, header.byteLength)
    expire()
    return opened
  }

  /** Writes as much as the disk takes, in whole units; throws when that is not everything. */
  function writeAll(into: OpenSegment, bytes: Uint8Array, unitBytes: number): void {
    let done = 0
    try {
      while (done < bytes.byteLength) {
        const count = files.write(into.file, bytes.subarray(done), into.position + done)
        if (count === 0) throw Object.assign(new Error('The disk took nothing.'), { code: 'ENOSPC' })
        done += count
      }
    } finally {
      into.position += done - (done % unitBytes)
    }
  }

  function end(): void {
    const ended = segment
    segment = undefined
    try {
      if (ended) files.close(ended.file)
    } catch (error) {
      noteFailure(error)
    }
  }

  /** The open segment, a new one when it is full or of another day, or when its header never made it to disk. */
  function segmentFor(nowMs: number, bytes: number): OpenSegment {
    const fits = segment && segment.position > 0 && segment.position + bytes <= segmentBytesMax
    if (segment && fits && segment.day === Math.floor(nowMs / DAY_MS)) return segment
    end()
    return begin(nowMs)
  }

  function noteFailure(error: unknown): void {
    failures++
    failing = errorCode(error)
    retryAtMs = now() + RETRY_AFTER_MS
  }

  function expire(): void {
    try {
      for (const name of expiredSegments(files.list(), limits, now())) files.remove(name)
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') noteFailure(error)
    }
  }

  return {
    append(records) {
      const count = records.byteLength / DECISION_RECORD_BYTES
      if (!Number.isInteger(count)) throw new RangeError(`Got ${records.byteLength} bytes, expected whole records.`)
      if (count === 0) return
      if (failing !== undefined && now() < retryAtMs) {
        lost += count
        return
      }
      let kept = 0
      try {
        const into = segmentFor(now(), records.byteLength)
        const before = into.position
        try {
          writeAll(into, records, DECISION_RECORD_BYTES)
        } finally {
          kept = (into.position - before) / DECISION_RECORD_BYTES
        }
        failing = undefined
      } catch (error) {
        noteFailure(error)
      }
      written += kept
      lost += count - kept
    },
    expire,
    stats: () => ({ written, lost, failures, failing }),
    close: end,
  }
}

function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'UNKNOWN'
}
