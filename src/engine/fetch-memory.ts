import type { Call } from '../domain/call-event.ts'
import { ACTIVITY_OF, fetchRows } from '../shm/activity.ts'
import { fetchBlocks } from '../shm/block-table.ts'
import { fetchGate } from '../shm/gate.ts'
import { fetchCall } from '../shm/pairs.ts'
import { fetchRecent, type RecentCalls } from '../shm/recent-calls.ts'
import { fetchTraffic, type Traffic } from '../shm/traffic.ts'
import { BLOCK_SIZE } from './behaviour.ts'
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
 */
export function fetchMemory(
  call: Call,
  ingress: number,
  { globalGate }: Pick<CompiledState, 'globalGate'>,
  { recent, traffic, behaviour }: FetchedMemory,
): void {
  const { caller, callee, callHashLow, nowMs } = call
  const { activity, pairs, blocks } = behaviour
  // Kept, so that no load is dropped as useless.
  activity.seen ^=
    fetchGate(globalGate, caller) ^ fetchTraffic(traffic, caller, nowMs) ^ fetchRecent(recent, callHashLow)
  activity.seen ^= fetchCall(pairs, caller, callee, nowMs) ^ fetchBlocks(blocks, caller)
  const block = Math.floor(caller / BLOCK_SIZE)
  const { callee: called, block: inBlock } = ACTIVITY_OF
  fetchRows(activity, caller, ACTIVITY_OF.caller + ingress, callee, called, block, inBlock, caller, called)
}
