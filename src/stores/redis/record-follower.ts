import type { RecordState } from '../../domain/record-view.ts'
import type { FactKind } from '../fact.ts'
import type { Replica } from '../lmdb/replica.ts'
import type { LayerRef } from '../ports.ts'
import type { FactStreams } from './fact-streams.ts'
import type { FollowerStatus } from './partition-state.ts'

/** A partition of the record is not followed any more, and why. */
export type RecordTrouble = { readonly partition: number; readonly state: RecordState; readonly error: unknown }

export type RefusedFact = { readonly factId: string; readonly kind: FactKind; readonly error: unknown }

export type RecordFollower = {
  /** Reads the partition now, and again when it is being read. */
  nudge(partition: number): void
  /** Resolves when the fact is applied here, with what it did; rejects with why it was refused, or why it will not come. */
  awaitFact(factId: string): Promise<unknown>
  forgetFact(factId: string): void
  stateOf(partition: number): { readonly state: RecordState; readonly error: unknown }
  /** Looks at the partition now, whatever was known of it, and resolves with what it is. */
  look(partition: number): Promise<RecordState>
  /** Resolves when every partition was once read to its end. Rejects never: it waits. */
  caughtUp(): Promise<void>
  status(): FollowerStatus
  /** Runs `work` while nothing reads or applies the partition. Rejects with UNAVAILABLE when it is held already. */
  holding<T>(partition: number, work: () => Promise<T>): Promise<T>
  close(): Promise<void>
}

export type FollowerOptions = {
  /** Between two looks at all partitions. */
  readonly pollMs?: number
  /** Between two questions whether Redis is still the same server; also the pause of a partition in trouble. */
  readonly touchMs?: number
}

export type FollowerDependencies = {
  readonly streams: FactStreams
  readonly replica: Pick<Replica, 'position' | 'rewindableTo' | 'epochsOf' | 'apply' | 'rewind' | 'lists' | 'versions'>
  /** Brings layers into this node's lists.mdb; resolves with those that Redis does not have (any more). */
  readonly fetchLayers: (layers: readonly LayerRef[]) => Promise<readonly LayerRef[]>
  readonly hasLayer: (layer: LayerRef) => boolean
  readonly now: () => number
  /** Milliseconds that only grow, for pauses. */
  readonly clock?: () => number
  /** 0..1, for pauses. */
  readonly random: () => number
  /** New facts are in the change log. */
  readonly onApplied: () => void
  readonly onTrouble: (trouble: RecordTrouble) => void
  /** A change that was acknowledged, and offered again because Redis lost it, does not fit any more. */
  readonly onRefused: (refused: RefusedFact) => void
}
