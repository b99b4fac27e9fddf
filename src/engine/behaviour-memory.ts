import { type Activity, createActivity, openActivity } from '../shm/activity.ts'
import { type BlockTable, createBlockTable, openBlockTable } from '../shm/block-table.ts'
import { createPairs, openPairs, type Pairs } from '../shm/pairs.ts'
import { createRecentCalls, openRecentCalls, type RecentCalls } from '../shm/recent-calls.ts'

/** What a process remembers of behaviour, as shared memory: plain data for a thread to be born with. */
export type BehaviourRegions = {
  readonly activity: SharedArrayBuffer
  readonly pairs: SharedArrayBuffer
  readonly blocks: SharedArrayBuffer
  readonly ends: SharedArrayBuffer
  /** Two secret words: without them nobody can ask whether two numbers have talked. */
  readonly pairKey: Uint32Array
}

/** The regions, opened by one thread. */
export type BehaviourMemory = {
  readonly activity: Activity
  readonly pairs: Pairs
  readonly blocks: BlockTable
  /** Call ends of the last minutes, so that one told twice counts once. */
  readonly ends: RecentCalls
}

/** How much is remembered: active numbers, pairs a day, number blocks, call ends. */
export type BehaviourSizes = {
  readonly activeNumbers: number
  readonly pairsPerDay: number
  readonly blocks: number
  readonly recentEnds: number
}

/** Empty memory of these sizes, made at `nowMs` (epoch milliseconds); for the bytes see createActivity, createPairs, createBlockTable, createRecentCalls. */
export function createBehaviourRegions(sizes: BehaviourSizes, pairKey: Uint32Array, nowMs: number): BehaviourRegions {
  return {
    activity: createActivity(sizes.activeNumbers),
    pairs: createPairs(sizes.pairsPerDay),
    blocks: createBlockTable(sizes.blocks, nowMs),
    ends: createRecentCalls(sizes.recentEnds),
    pairKey,
  }
}

/** Throws SNAPSHOT_FORMAT when a region is something else. */
export function openBehaviour(regions: BehaviourRegions): BehaviourMemory {
  return {
    activity: openActivity(regions.activity),
    pairs: openPairs(regions.pairs, regions.pairKey),
    blocks: openBlockTable(regions.blocks),
    ends: openRecentCalls(regions.ends),
  }
}
