/**
 * What verdict threads count: one row of numbers per thread in one region, added up when somebody asks for metrics.
 *
 * One writer per row, so counting is a plain add: no lock, no Atomics, no cache line shared between threads (rows are
 * whole lines). Counters are 64-bit floats, exact to 2^53: at 10 M a second, 28 years. A reader may see a row a moment
 * old, and on a 64-bit machine, the only kind we run on, never half of an aligned 8-byte store. Not a stored format:
 * the names may grow with every release, and a restart begins at zero as Prometheus counters do.
 */
import { REASON_CODES, type ReasonCode } from '../domain/reason.ts'
import { VERDICTS } from '../domain/verdict.ts'
import {
  assertCapacity,
  createRegion,
  HEADER_BYTES,
  magicOf,
  openRegion,
  type RegionFormat,
  refusal,
} from './layout.ts'

/** Buckets of countDecisionTime: bucket b holds decisions of [2^b, 2^(b+1)) ns, the last everything from 2^31 ns (2 s). */
export const DECISION_TIME_BUCKETS = 32

const PLAIN_COUNTERS = [
  /** Calls answered from the memory of recent calls. */
  'recent-calls.hits',
  /** Answers of the global gate: certainly unknown; maybe known; of the latter, those nothing confirmed. */
  'gate.misses',
  'gate.hits',
  'gate.false-hits',
  'range.hits',
  'store.lookups',
  'decisions.logged',
  /** Records the full decision ring refused, by kind: sampled calls, then blocks, flags and overloads. */
  'decisions.lost',
  'decisions.lost-important',
  'verdicts.overloaded',
  'verdicts.not-ready',
  'verdicts.shadowed',
  'verdicts.capped',
  'verdicts.review-wanted',
  'call-ends',
  /** Not noted, because a field was of another type: POST /v1/call-ends. */
  'call-ends.refused',
  'requests.refused',
  /** Closed at once: beyond verdict.connectionsMax. */
  'connections.refused',
  'ws.opened',
  'ws.frames-received',
  'internal-errors',
  /** Sum of decision times, nanoseconds: with the buckets it makes a histogram. */
  'decision-time.sum-ns',
] as const

type PlainCounter = (typeof PLAIN_COUNTERS)[number]
export type CounterName = PlainCounter | `verdicts.${(typeof VERDICTS)[number]}` | `reasons.${ReasonCode}`

/** Every counter, in row order. `decision-time.<b>` are the DECISION_TIME_BUCKETS. */
export const COUNTER_NAMES: readonly string[] = [
  ...PLAIN_COUNTERS,
  ...VERDICTS.map((verdict) => `verdicts.${verdict}`),
  ...REASON_CODES.map((code) => `reasons.${code}`),
  ...Array.from({ length: DECISION_TIME_BUCKETS }, (_, bucket) => `decision-time.${bucket}`),
]

/** Add a verdict code (VERDICTS index) to get its counter. */
export const VERDICT_COUNTERS = PLAIN_COUNTERS.length
/** Add a reason index (REASON_CODES index, so the stored code minus one) to get its counter. */
export const REASON_COUNTERS = VERDICT_COUNTERS + VERDICTS.length
/** Add a bucket to get its counter. */
export const DECISION_TIME_COUNTERS = REASON_COUNTERS + REASON_CODES.length

/** The row index of a counter; look it up once, at start. */
export function counterIndex(name: CounterName): number {
  return COUNTER_NAMES.indexOf(name)
}

/** One per verdict thread; 256 threads are more than any machine we know runs. */
export const COUNTER_THREADS_MAX = 256

const LINE_BYTES = 64
const ROW_BYTES = Math.ceil((COUNTER_NAMES.length * 8) / LINE_BYTES) * LINE_BYTES
const FORMAT: RegionFormat = {
  name: 'counter table',
  magic: magicOf('ZCNT'),
  version: 1,
  regionBytes: (threads) => HEADER_BYTES + threads * ROW_BYTES,
}

/** One thread's row. */
export type Counters = { readonly row: Float64Array }

export function createCounters(threads: number): SharedArrayBuffer {
  assertCapacity('counter table', threads, COUNTER_THREADS_MAX)
  return createRegion(FORMAT, threads)
}

/** The row of a thread (0-based), of which that thread must be the only writer. Throws SNAPSHOT_FORMAT. */
export function openCounters(memory: SharedArrayBuffer, thread: number): Counters {
  const threads = openRegion(FORMAT, memory)
  if (!Number.isInteger(thread) || thread < 0 || thread >= threads) {
    throw refusal(FORMAT, `The counter table has ${threads} rows, row ${thread} was asked for.`)
  }
  return { row: new Float64Array(memory, HEADER_BYTES + thread * ROW_BYTES, COUNTER_NAMES.length) }
}

/** Adds `by` to a counter of this thread. */
export function count(counters: Counters, index: number, by = 1): void {
  counters.row[index] = counters.row[index]! + by
}

/** Counts one measured decision into its bucket and into the sum. Decisions are sampled: the share is the caller's. */
export function countDecisionTime(counters: Counters, nanoseconds: number): void {
  // clz32 of 1 is 31: bucket 0; anything beyond 2^32 ns is clamped into the last bucket.
  const bucket = 31 - Math.clz32(Math.max(1, Math.min(nanoseconds, 0xffffffff)) >>> 0)
  count(counters, DECISION_TIME_COUNTERS + bucket)
  count(counters, DECISION_TIME_SUM, nanoseconds)
}
const DECISION_TIME_SUM = counterIndex('decision-time.sum-ns')

/** All rows added up, in COUNTER_NAMES order. */
export function sumCounters(memory: SharedArrayBuffer): Float64Array {
  const threads = openRegion(FORMAT, memory)
  const sums = new Float64Array(COUNTER_NAMES.length)
  for (let thread = 0; thread < threads; thread++) {
    const { row } = openCounters(memory, thread)
    for (let i = 0; i < sums.length; i++) sums[i] = sums[i]! + row[i]!
  }
  return sums
}
