/**
 * Carries decision records from one verdict thread to the main thread of its process, which writes the decision log.
 *
 * ```
 *        tail (reader's)          head (writer's)
 *          ▼                        ▼
 *   ┌────┬────┬────┬────┬────┬────┬────┬────┐   positions count up for ever modulo 2^32; a slot is
 *   │free│ r5 │ r6 │ r7 │ r8 │ r9 │free│free│   position & (records - 1)
 *   └────┴────┴────┴────┴────┴────┴────┴────┘
 * ```
 * A single-producer single-consumer ring (Lamport 1983). The trade: it never blocks an answer, so it can refuse a
 * record; unimportant ones (sampled calls) are refused above half full, so that a burst of them cannot push out a block.
 * The invariant: the writer only moves the head, the reader only moves the tail, and a record is readable only after
 * the head has passed it.
 */
import { DECISION_RECORD_BYTES } from '../domain/decision-record.ts'
import {
  assertCapacity,
  createRegion,
  HEADER_BYTES,
  magicOf,
  openRegion,
  powerOfTwoAtLeast,
  type RegionFormat,
} from './layout.ts'

/** 2^20 records are 128 MiB: seconds of nothing but blocks. */
export const RING_RECORDS_MAX = 2 ** 20

// Head and tail on lines of their own, or each write of one side would take the line from the other.
const LINE_WORDS = 16
const HEAD_WORD = LINE_WORDS
const TAIL_WORD = LINE_WORDS * 2
const BODY_BYTES = HEADER_BYTES + 128

const FORMAT: RegionFormat = {
  name: 'decision ring',
  magic: magicOf('ZRNG'),
  version: 1,
  regionBytes: (records) => BODY_BYTES + records * DECISION_RECORD_BYTES,
}

/** One side of an opened ring: the writer's thread opens one, the reader's another. */
export type DecisionRing = {
  /** Over the whole region: claimRecord returns byte offsets into it, of whole lines. */
  readonly bytes: Uint8Array
  readonly words: Uint32Array
  readonly doubles: Float64Array
  readonly control: Int32Array
  readonly records: number
  /** This side's copy of both positions; the other side's may be behind, which only errs on the safe side. */
  head: number
  tail: number
}

/** A ring for `records` records, rounded up to a power of two (at least 2). */
export function createDecisionRing(records: number): SharedArrayBuffer {
  assertCapacity('decision ring', records, RING_RECORDS_MAX)
  return createRegion(FORMAT, powerOfTwoAtLeast(Math.max(2, records)))
}

/** Throws SNAPSHOT_FORMAT when the memory holds something else. */
export function openDecisionRing(memory: SharedArrayBuffer): DecisionRing {
  const records = openRegion(FORMAT, memory)
  const control = new Int32Array(memory, 0, BODY_BYTES / 4)
  return {
    bytes: new Uint8Array(memory),
    words: new Uint32Array(memory),
    doubles: new Float64Array(memory),
    control,
    records,
    // Pair with the stores in commitRecord and drainRecords: a thread that takes over continues where the last one was.
    head: Atomics.load(control, HEAD_WORD),
    tail: Atomics.load(control, TAIL_WORD),
  }
}

/**
 * Writer: the byte offset in the region of a record to fill, or -1 when there is no room for it (above half full for an
 * unimportant one). Claiming again before commitRecord returns the same record.
 */
export function claimRecord(ring: DecisionRing, important: boolean): number {
  const limit = important ? ring.records : ring.records >>> 1
  if (((ring.head - ring.tail) | 0) >= limit) {
    // Pairs with the store in drainRecords: once we see the new tail, the reader is done copying those records.
    ring.tail = Atomics.load(ring.control, TAIL_WORD)
    if (((ring.head - ring.tail) | 0) >= limit) return -1
  }
  return BODY_BYTES + (ring.head & (ring.records - 1)) * DECISION_RECORD_BYTES
}

/** Writer: hands the claimed record to the reader. */
export function commitRecord(ring: DecisionRing): void {
  ring.head = (ring.head + 1) | 0
  // Pairs with the load in drainRecords: the record's bytes are visible before the head that covers them.
  Atomics.store(ring.control, HEAD_WORD, ring.head)
}

/** Reader: moves as many whole records as fit into `into`, oldest first. Returns how many. */
export function drainRecords(ring: DecisionRing, into: Uint8Array): number {
  // Pairs with the store in commitRecord.
  ring.head = Atomics.load(ring.control, HEAD_WORD)
  const room = Math.floor(into.byteLength / DECISION_RECORD_BYTES)
  const count = Math.min((ring.head - ring.tail) | 0, room)
  if (count === 0) return 0
  const first = ring.tail & (ring.records - 1)
  const untilEnd = Math.min(count, ring.records - first)
  const start = BODY_BYTES + first * DECISION_RECORD_BYTES
  into.set(ring.bytes.subarray(start, start + untilEnd * DECISION_RECORD_BYTES))
  const rest = (count - untilEnd) * DECISION_RECORD_BYTES
  into.set(ring.bytes.subarray(BODY_BYTES, BODY_BYTES + rest), untilEnd * DECISION_RECORD_BYTES)
  ring.tail = (ring.tail + count) | 0
  // Pairs with the load in claimRecord: the writer may reuse the records only after they were copied.
  Atomics.store(ring.control, TAIL_WORD, ring.tail)
  return count
}

/** Records waiting, as this side sees it; for metrics. */
export function ringLength(ring: DecisionRing): number {
  // Pair with the stores in commitRecord and drainRecords.
  return (Atomics.load(ring.control, HEAD_WORD) - Atomics.load(ring.control, TAIL_WORD)) | 0
}
