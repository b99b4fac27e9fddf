import { type Activity, createActivity, openActivity } from '../shm/activity.ts'
import { type BlockTable, createBlockTable, openBlockTable } from '../shm/block-table.ts'
import { createLongTalks, type LongTalks, openLongTalks } from '../shm/long-talks.ts'
import { createPairs, openPairs, type Pairs } from '../shm/pairs.ts'
import { createNotedCalls, openNotedCalls, type RecentCalls } from '../shm/recent-calls.ts'
import { createRemoteActivity, openRemoteActivity, type RemoteActivity } from '../shm/remote-activity.ts'

/** What a process remembers of behaviour, as shared memory: plain data for a thread to be born with. */
export type BehaviourRegions = {
  readonly activity: SharedArrayBuffer
  /** What other verdict processes and nodes have of it. */
  readonly remote: SharedArrayBuffer
  readonly pairs: SharedArrayBuffer
  readonly blocks: SharedArrayBuffer
  readonly ends: SharedArrayBuffer
  readonly longTalks: SharedArrayBuffer
  /** Two secret words: without them nobody can ask whether two numbers have talked. */
  readonly pairKey: Uint32Array
}

/** The regions, opened by one thread. */
export type BehaviourMemory = {
  readonly activity: Activity
  readonly remote: RemoteActivity
  readonly pairs: Pairs
  readonly blocks: BlockTable
  /** Call ends of the last minutes, so that one told twice counts once. */
  readonly ends: RecentCalls
  /** Of numbers that may have been reported, until the main thread takes them. */
  readonly longTalks: LongTalks
}

/** How much is remembered: active numbers, pairs a day, number blocks, call ends. */
export type BehaviourSizes = {
  readonly activeNumbers: number
  readonly pairsPerDay: number
  readonly blocks: number
  readonly recentEnds: number
}

/** A second of a busy node; what finds no room is lost (shm/long-talks.ts). */
export const LONG_TALKS = 1_024
/** The smallest table: of a process that hears no other. */
const REMOTE_ROWS = 1

/** Empty memory of these sizes for a process that is alone, made at `nowMs` (epoch milliseconds); for the bytes see createActivity, createPairs, createBlockTable, createNotedCalls. */
export function createBehaviourRegions(sizes: BehaviourSizes, pairKey: Uint32Array, nowMs: number): BehaviourRegions {
  return {
    activity: createActivity(sizes.activeNumbers),
    remote: createRemoteActivity(REMOTE_ROWS),
    pairs: createPairs(sizes.pairsPerDay),
    blocks: createBlockTable(sizes.blocks, nowMs),
    ends: createNotedCalls(sizes.recentEnds),
    longTalks: createLongTalks(LONG_TALKS),
    pairKey,
  }
}

/** Throws SNAPSHOT_FORMAT when a region is something else. */
export function openBehaviour(regions: BehaviourRegions): BehaviourMemory {
  return {
    activity: openActivity(regions.activity),
    remote: openRemoteActivity(regions.remote),
    pairs: openPairs(regions.pairs, regions.pairKey),
    blocks: openBlockTable(regions.blocks),
    ends: openNotedCalls(regions.ends),
    longTalks: openLongTalks(regions.longTalks),
  }
}
