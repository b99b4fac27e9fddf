import type { FileHandle } from 'node:fs/promises'
import { open } from 'node:fs/promises'
import { DECISION_FIELD, DECISION_RECORD_BYTES, isDecisionRecord } from '../../domain/decision-record.ts'
import { decodeSegmentHeader, SEGMENT_FIXED_BYTES, segmentHeaderBytes } from './segment-format.ts'

/** 64 KiB a read: a millisecond of work between two turns of the event loop. */
const CHUNK_RECORDS = 512

/** A record that a cursor stands on. `view` and `offset` are valid until the next step. */
export type RecordAt = { readonly view: DataView; readonly offset: number; readonly timeMs: number }

/** Walks one segment from its newest record to its oldest, holding one chunk of it. */
export type SegmentCursor = {
  readonly trunks: readonly string[]
  /** The record the cursor stands on; undefined before the first step and past the oldest record. */
  readonly current: RecordAt | undefined
  /** Moves to the next older record that `wanted` accepts, reading on as needed. False: there is none. */
  step(wanted: (record: RecordAt) => boolean): Promise<boolean>
  close(): Promise<void>
}

/** What is there when it is opened; records appended later are not seen. Throws STORAGE_FORMAT, or what node:fs throws. */
export async function openSegmentCursor(file: string): Promise<SegmentCursor> {
  const handle = await open(file, 'r')
  try {
    const start = await readAt(handle, 0, SEGMENT_FIXED_BYTES)
    const headerBytes = segmentHeaderBytes(start)
    const { trunks } = decodeSegmentHeader(await readAt(handle, 0, headerBytes))
    const { size } = await handle.stat()
    const recordCount = Math.max(0, Math.floor((size - headerBytes) / DECISION_RECORD_BYTES))
    return cursorOver(handle, trunks, headerBytes, recordCount)
  } catch (error) {
    await handle.close()
    throw error
  }
}

function cursorOver(
  handle: FileHandle,
  trunks: readonly string[],
  headerBytes: number,
  recordCount: number,
): SegmentCursor {
  let unread = recordCount
  let inChunk = 0
  let view: DataView = new DataView(new ArrayBuffer(0))
  let current: RecordAt | undefined

  async function readChunk(): Promise<void> {
    const count = Math.min(CHUNK_RECORDS, unread)
    unread -= count
    const bytes = await readAt(handle, headerBytes + unread * DECISION_RECORD_BYTES, count * DECISION_RECORD_BYTES)
    inChunk = Math.floor(bytes.byteLength / DECISION_RECORD_BYTES)
    view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  return {
    trunks,
    get current() {
      return current
    },
    async step(wanted) {
      while (inChunk > 0 || unread > 0) {
        if (inChunk === 0) await readChunk()
        while (inChunk > 0) {
          const offset = --inChunk * DECISION_RECORD_BYTES
          if (!isDecisionRecord(view, offset)) continue
          const record = { view, offset, timeMs: view.getFloat64(offset + DECISION_FIELD.time, true) }
          if (!wanted(record)) continue
          current = record
          return true
        }
      }
      current = undefined
      return false
    },
    close: () => handle.close(),
  }
}

/** Up to `bytes` bytes; fewer at the end of the file. */
async function readAt(handle: FileHandle, position: number, bytes: number): Promise<Uint8Array> {
  const buffer = new Uint8Array(bytes)
  let done = 0
  while (done < bytes) {
    const { bytesRead } = await handle.read(buffer, done, bytes - done, position + done)
    if (bytesRead === 0) break
    done += bytesRead
  }
  return buffer.subarray(0, done)
}
