/**
 * Events of one thread that met a busy set: they wait in the thread's own ring and are counted, in order, with its next
 * event. A holder keeps a set for microseconds unless the machine takes its core away for some milliseconds; only when
 * PENDING_MAX events pile up meanwhile does the thread sleep, so that the holder may run, WAITS_MAX times a millisecond at
 * most, and then gives one up and counts it as lost.
 */
import { BUSY_CALLER, countOne, endCaller, endOne } from './activity-counting.ts'
import { BUSY } from './activity-events.ts'
import { type Activity, LOST, PENDING_MAX, PENDING_WORDS } from './activity-layout.ts'

export const WAITING_ATTEMPT = 0
export const WAITING_END = 1
export const WAITING_CALLER_END = 2

/** 0.2 s: longer than a machine with three runnable threads a core takes a core away. */
const WAITS_MAX = 200
/** Tries of some microseconds between two waits: a thread that comes back loses most races for a set that others hammer. */
const TRIES_AWAKE = 100

/** Arguments: trunk or answered, ring and talk in ms. */
export function postpone(
  activity: Activity,
  kind: number,
  key: number,
  of: number,
  other: number,
  first: number,
  ringMs: number,
  talkMs: number,
  nowMs: number,
): void {
  for (let waits = 0; activity.pendingCount === PENDING_MAX && waits < WAITS_MAX; waits++) {
    // Pairs with nothing: nobody notifies, so this sleeps a millisecond.
    Atomics.wait(activity.bed, 0, 0, 1)
    for (let tries = 0; activity.pendingCount === PENDING_MAX && tries < TRIES_AWAKE; tries++) flushActivity(activity)
  }
  if (activity.pendingCount === PENDING_MAX) {
    Atomics.add(activity.words, LOST, 1) // pairs with nothing: a counter for metrics
    return
  }
  const pending = activity.pending
  const at = ((activity.pendingFirst + activity.pendingCount) % PENDING_MAX) * PENDING_WORDS
  pending[at] = kind
  pending[at + 1] = key
  pending[at + 2] = of
  pending[at + 3] = other
  pending[at + 4] = first
  pending[at + 5] = ringMs
  pending[at + 6] = talkMs
  pending[at + 7] = nowMs
  activity.pendingCount++
}

/**
 * Counts what this thread had to postpone, as far as no set is busy. Every event does it first; call it now and then where
 * a thread may have no next event (before a snapshot, at the end of a test). True: nothing waits any more.
 */
export function flushActivity(activity: Activity): boolean {
  while (activity.pendingCount > 0) {
    if (!replay(activity, activity.pendingFirst * PENDING_WORDS)) return false
    activity.pendingFirst = (activity.pendingFirst + 1) % PENDING_MAX
    activity.pendingCount--
  }
  return true
}

function replay(activity: Activity, at: number): boolean {
  const pending = activity.pending
  const kind = pending[at]!
  const key = pending[at + 1]!
  const of = pending[at + 2]!
  const other = pending[at + 3]!
  const first = pending[at + 4]!
  const ringMs = pending[at + 5]!
  const talkMs = pending[at + 6]!
  const nowMs = pending[at + 7]!
  if (kind === WAITING_ATTEMPT) return countOne(activity, key, of, other, first, nowMs) !== BUSY
  if (kind === WAITING_END) return endOne(activity, key, of, other, first === 1, ringMs, talkMs, nowMs) !== BUSY
  return endCaller(activity, key, other, first === 1, ringMs, talkMs, nowMs) !== BUSY_CALLER
}
