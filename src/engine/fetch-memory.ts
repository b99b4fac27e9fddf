import type { Call } from '../domain/call-event.ts'
import { ACTIVITY_OF, aimRows, fetchHeads, fetchLists, fetchSets } from '../shm/activity.ts'
import { fetchBlocks } from '../shm/block-table.ts'
import { fetchGate } from '../shm/gate.ts'
import { aimPair, fetchPair } from '../shm/pairs.ts'
import { fetchRecent, type RecentCalls } from '../shm/recent-calls.ts'
import { fetchTraffic, type Traffic } from '../shm/traffic.ts'
import { blockOf } from './behaviour.ts'
import type { BehaviourMemory } from './behaviour-memory.ts'
import type { CompiledState } from './compiled-state.ts'

export type FetchedMemory = {
  readonly recent: RecentCalls
  /** The thread's own: it is the only writer. */
  readonly traffic: Traffic
  /** Shared by all threads of the process, as recent calls are. */
  readonly behaviour: BehaviourMemory
}

/**
 * Loads what a call will touch into the cache, all at once: each of a dozen places is cold, and the locks between them are
 * fences, so that each would wait for the one before. Knows nothing, changes nothing.
 *
 * Three times the processor waits, each time for all that is in flight together: first lines, then what they name, then long
 * lists. Where they are is reckoned before, for a processor works no more than some 300 instructions ahead of a load.
 */
export function fetchMemory(
  call: Call,
  ingress: number,
  { globalGate }: Pick<CompiledState, 'globalGate'>,
  { recent, traffic, behaviour }: FetchedMemory,
): void {
  const { caller, callee, callHashLow, callHashHigh, nowMs } = call
  const { activity, pairs, blocks } = behaviour
  aimPair(pairs, caller, callee)
  aimRows(activity, caller, ACTIVITY_OF.caller + ingress, callee, blockOf(caller))
  fetchSets(activity)
  // Kept, so that no load is dropped as useless.
  let seen = fetchGate(globalGate, caller) ^ fetchTraffic(traffic, caller, nowMs)
  seen ^= fetchPair(pairs, caller, callee, nowMs) ^ fetchBlocks(blocks, caller)
  if ((callHashLow | callHashHigh) !== 0) seen ^= fetchRecent(recent, callHashLow)
  fetchHeads(activity)
  fetchLists(activity)
  activity.seen ^= seen
}
