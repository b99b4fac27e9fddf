import type { Call } from '../domain/call-event.ts'
import { ACTIVITY_OF, aimEnd, aimRows, fetchEndHeads, fetchHeads, fetchLists, fetchSets } from '../shm/activity.ts'
import { AHEAD_MAX } from '../shm/ahead.ts'
import { fetchBlocks } from '../shm/block-table.ts'
import { gateLine } from '../shm/gate.ts'
import { callLine, contactLine } from '../shm/pairs.ts'
import { fetchKeys, fetchPayload, type RecentCalls } from '../shm/recent-calls.ts'
import { type Traffic, trafficLine } from '../shm/traffic.ts'
import { blockOf, type CallEnd, isContact } from './behaviour.ts'
import type { BehaviourMemory } from './behaviour-memory.ts'
import type { CompiledState } from './compiled-state.ts'
import { ingressOf } from './gather-evidence.ts'

export type FetchedMemory = {
  readonly recent: RecentCalls
  /** The thread's own: it is the only writer. */
  readonly traffic: Traffic
  /** Shared by all threads of the process, as recent calls are. */
  readonly behaviour: BehaviourMemory
}

/** Points what is aimed at for a call to a place of its own, 0 to AHEAD_MAX - 1, of those that are loaded together. */
export function useAhead({ activity, pairs }: BehaviourMemory, index: number): void {
  useRows(activity, index)
  pairs.hasher = pairs.ahead[index] as typeof pairs.hasher
}

function useRows(activity: BehaviourMemory['activity'], index: number): void {
  activity.rows = activity.ahead[index] as typeof activity.rows
}

const gateLines = new Int32Array(AHEAD_MAX)
const trafficLines = new Int32Array(AHEAD_MAX)
const pairLines = new Int32Array(AHEAD_MAX)

/**
 * Loads what calls (`count` of them, AHEAD_MAX at most) will touch into the cache, all at once: each of a dozen places of a call
 * is cold, and the locks between them are fences, so that each would wait for the one before. Knows nothing, changes nothing.
 *
 * Three times the processor waits, each time for all that is in flight together: first lines, then what they name, then long
 * lists. Where they are is reckoned before, for a processor works no more than some 300 instructions ahead of a load.
 */
export function fetchCalls(
  calls: readonly Call[],
  count: number,
  state: Pick<CompiledState, 'globalGate' | 'trunks'>,
  { recent, traffic, behaviour }: FetchedMemory,
): void {
  const { activity, pairs, blocks } = behaviour
  for (let i = 0; i < count; i++) {
    const call = calls[i] as Call
    const { caller, callee, nowMs } = call
    useAhead(behaviour, i)
    aimRows(activity, caller, ACTIVITY_OF.caller + ingressOf(call, state), callee, blockOf(caller))
    gateLines[i] = gateLine(state.globalGate, caller)
    trafficLines[i] = trafficLine(traffic, caller, nowMs)
    pairLines[i] = callLine(pairs, caller, callee, nowMs)
  }
  const gate = state.globalGate.words
  const entries = traffic.words
  const filters = pairs.calls.words
  // Kept, so that no load is dropped as useless.
  let seen = 0
  for (let i = 0; i < count; i++) {
    seen ^= fetchKeys(recent, (calls[i] as Call).callHashLow)
    seen ^= (gate[gateLines[i] as number] as number) ^ (entries[trafficLines[i] as number] as number)
    seen ^= filters[pairLines[i] as number] as number
    useRows(activity, i)
    fetchSets(activity)
  }
  for (let i = 0; i < count; i++) {
    const { caller, callHashLow, nowMs } = calls[i] as Call
    seen ^= fetchBlocks(blocks, caller) ^ fetchPayload(recent, callHashLow)
    useRows(activity, i)
    fetchHeads(activity, (nowMs / 1_000) >>> 0)
  }
  for (let i = 0; i < count; i++) {
    useRows(activity, i)
    fetchLists(activity)
  }
  activity.seen ^= seen
}

/** As fetchCalls, of ends, in the places from `first` on. */
export function fetchEnds(ends: readonly CallEnd[], count: number, first: number, behaviour: BehaviourMemory): void {
  const { activity, pairs } = behaviour
  for (let i = 0; i < count; i++) {
    const end = ends[i] as CallEnd
    const { caller, callee } = end
    useAhead(behaviour, first + i)
    aimEnd(activity, caller, callee, blockOf(caller))
    pairLines[i] = isContact(end) ? contactLine(pairs, caller, callee, end.nowMs) : 0
  }
  const filters = pairs.contacts.words
  let seen = 0
  for (let i = 0; i < count; i++) {
    seen ^= fetchKeys(behaviour.ends, (ends[i] as CallEnd).callHashLow) ^ (filters[pairLines[i] as number] as number)
    useRows(activity, first + i)
    fetchSets(activity)
  }
  for (let i = 0; i < count; i++) {
    useRows(activity, first + i)
    fetchEndHeads(activity)
  }
  for (let i = 0; i < count; i++) {
    useRows(activity, first + i)
    fetchLists(activity)
  }
  activity.seen ^= seen
}
