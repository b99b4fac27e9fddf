import type { ListKind } from '../domain/number-list.ts'
import type { PolicyDocument } from '../domain/policy.ts'
import type { Trunk } from '../domain/trunk.ts'

/**
 * Everything a verdict thread decides from, as the verdict process publishes it: plain data and shared memory, so it
 * crosses postMessage. A thread compiles it (engine/compiled-state.ts) and swaps it in between two calls, then
 * acknowledges `generation`; until every thread has, the process keeps inserting into the gates of the one before.
 */
export type ScreeningSnapshot = {
  readonly generation: number
  /** shm/gate.ts over every exact number of every active layer and every number with a reputation. */
  readonly globalGate: SharedArrayBuffer
  /** shm/gate.ts over every number with a reputation. */
  readonly reportedGate: SharedArrayBuffer
  readonly lists: readonly SnapshotList[]
  /** shm/intervals.ts over the ranges of all active lists; a tag is an index into the two arrays below (a list id, an expiry). */
  readonly ranges: SharedArrayBuffer
  readonly rangeList: Uint16Array
  /** Epoch milliseconds, Infinity when the range never expires. */
  readonly rangeExpiresMs: Float64Array
  readonly numbering: readonly SnapshotNumbering[]
  readonly policy: PolicyDocument
  readonly policyVersion: number
  /** Index 0 is `no trunk named or not registered`. */
  readonly trunks: readonly Trunk[]
}

export type SnapshotList = {
  readonly listId: number
  readonly name: string
  readonly kind: ListKind
  readonly version: number
  /** Newest first. */
  readonly layers: readonly SnapshotLayer[]
}

export type SnapshotLayer = {
  readonly layerId: number
  /** shm/gate.ts: its own, or where `numbers` is there the global one. A layer without numbers has none. */
  readonly gate?: SharedArrayBuffer
  /** shm/number-table.ts: its numbers exactly. Without it the store is asked. */
  readonly numbers?: SharedArrayBuffer
}

export type SnapshotNumbering = {
  readonly name: string
  readonly asOfMs: number
  /** shm/intervals.ts: what the plan covers, and what it says exists. Tags are 0. */
  readonly covered: SharedArrayBuffer
  readonly allocated: SharedArrayBuffer
}
