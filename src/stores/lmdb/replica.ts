/**
 * The record of this node as a replica of one in Redis: the same live.mdb, read in the same way, but written by applying
 * facts in the order of their partition. The position in a partition is stored in the transaction that applies a fact,
 * so each is applied exactly once.
 *
 * Redis may lose its newest facts (a failover, a power cut without AOF), and other nodes may never have seen them. So the
 * newest facts of each partition are kept with what they overwrote: rewind() takes them back one by one, and the caller
 * offers them to Redis again.
 */
import { DESK_PARTITION, type FactBody } from '../fact.ts'
import { decodeFact } from '../fact-codec.ts'
import { layersOfFact } from '../kept-layers.ts'
import type { LayerRef, RecordStore } from '../ports.ts'
import type { EpochStart } from '../redis/epochs.ts'
import { type Position, START } from '../redis/fact-streams.ts'
import {
  type AppliedFact,
  adopt,
  applyEntries,
  assertLayers,
  type DecodedEntry,
  epochsOf,
  leaveRecord,
  oldestApplied,
  readPosition,
  rewind,
} from './apply-entries.ts'
import { type LiveDependencies, type LiveOptions, openLiveEnvironment } from './live-environment.ts'
import { documentWrites } from './logs.ts'
import { createOutbox, type Outbox } from './outbox.ts'
import { partitionFacts, removePartition } from './partition-rows.ts'
import { assertReplica, bindingOf, bindTo, type RecordBinding } from './record-binding.ts'
import { type RecordReads, recordReads } from './record-reads.ts'
import type { TakenFacts } from './take-outbox.ts'

export type Replica = RecordReads &
  Pick<RecordStore, 'putDocument' | 'close'> & {
    readonly outbox: Outbox
    /** What facts in the outbox point to; layersInUse() names these too. */
    layersWaiting(): LayerRef[]
    binding(): RecordBinding | undefined
    /** Joins an empty directory to a record, or says more about how it is joined. */
    bind(binding: Omit<RecordBinding, 'boundMs'>): Promise<void>
    position(partition: number): Position
    /** Sequence of the last fact that rewind() could keep: facts behind it can be taken back. */
    rewindableTo(partition: number): number
    /** The epochs of that fact and of those behind it. */
    epochsOf(partition: number): EpochStart[]
    /**
     * Applies entries that follow the position without a gap, in one transaction. `newest` is the sequence of the
     * partition's newest entry as far as is known: of entries far behind it nothing is kept to take them back. With
     * `hasLayer`, rejects with LayersMissing, and has done nothing, when a list or plan would then be in force whose
     * contents are not there.
     */
    apply(
      partition: number,
      entries: readonly DecodedEntry[],
      options: { readonly newest: number; readonly hasLayer?: (layer: LayerRef) => boolean },
    ): Promise<AppliedFact[]>
    /**
     * Takes back every fact behind `keptUpTo`, puts them into the outbox in one transaction with that, and says how many.
     * Rejects with RECORD_DIVERGED, and has done nothing, when that is more than is kept; with `hasLayer` like apply.
     */
    rewind(
      partition: number,
      keptUpTo: number,
      options?: { readonly hasLayer?: (layer: LayerRef) => boolean },
    ): Promise<number>
    /** Puts what `entries`, the whole partition, make in the place of what is there, in one transaction. */
    replace(
      partition: number,
      entries: readonly DecodedEntry[],
      options: { readonly hasLayer: (layer: LayerRef) => boolean },
    ): Promise<void>
    /** Facts which, applied in this order to an empty partition, make what is there. */
    factsOf(partition: number): Iterable<FactBody>
    /** Says that what is there is what the partition's facts up to `position` make. */
    adopt(partition: number, position: Position): Promise<void>
    /**
     * Makes the directory a record of its own, with everything that is there and what waits in the outbox. New layers get ids
     * above `layerIdMax`.
     */
    unbind(options: {
      readonly layerIdMax: number
      readonly hasLayer: (layer: LayerRef) => boolean
    }): Promise<TakenFacts>
  }

/**
 * Opens (or creates, or migrates) the replica for writing. Rejects like openLiveEnvironment, and with CONFIG_INVALID when
 * the directory holds a record of its own, unless it may (`mayBeOwn`).
 */
export async function openReplica(
  options: LiveOptions & { readonly mayBeOwn?: boolean },
  dependencies: LiveDependencies = { now: Date.now },
): Promise<Replica> {
  const { environment, queue, close } = await openLiveEnvironment(
    options,
    dependencies,
    options.mayBeOwn === true ? () => {} : assertReplica,
  )
  const outbox = createOutbox(environment, queue)
  const reads = recordReads(environment)
  const layersWaiting = () =>
    outbox.ofPartition(DESK_PARTITION).flatMap(({ payload }) => layersOfFact(decodeFact(payload)))
  return {
    ...reads,
    ...documentWrites(queue),
    outbox,
    close,
    layersInUse() {
      const inUse = reads.layersInUse()
      for (const { layerId } of layersWaiting()) inUse.add(layerId)
      return inUse
    },
    layersWaiting() {
      environment.refresh()
      return layersWaiting()
    },
    binding() {
      environment.refresh()
      return bindingOf(environment)
    },
    bind: (binding) => queue.run((writes) => bindTo(writes, binding)),
    position(partition) {
      environment.refresh()
      return readPosition(environment, partition)
    },
    rewindableTo(partition) {
      environment.refresh()
      return oldestApplied(environment, partition) - 1
    },
    epochsOf(partition) {
      environment.refresh()
      return epochsOf(environment, partition)
    },
    apply: (partition, entries, { newest, hasLayer }) =>
      queue.runSeries(
        (step) => {
          const applied = applyEntries(environment, step, { partition, entries, newest, outbox })
          if (hasLayer !== undefined) assertLayers(environment, hasLayer)
          return applied
        },
        { operations: entries.length, isWhole: hasLayer !== undefined },
      ),
    replace: (partition, entries, { hasLayer }) =>
      queue.runSeries(
        (step) => {
          removePartition(environment, step, partition)
          adopt(environment, step, partition, START)
          const newest = entries.at(-1)?.position.sequence ?? 0
          applyEntries(environment, step, { partition, entries, newest, outbox })
          assertLayers(environment, hasLayer)
        },
        { isWhole: true },
      ),
    factsOf(partition) {
      environment.refresh()
      return partitionFacts(environment, partition)
    },
    adopt: (partition, position) => queue.runSeries((step) => adopt(environment, step, partition, position)),
    unbind: (options) =>
      queue.runSeries((step) => leaveRecord(environment, step, { ...options, outbox }), { isWhole: true }),
    rewind: (partition, keptUpTo, { hasLayer } = {}) =>
      queue.runSeries(
        (step) => {
          const taken = rewind(environment, step, { partition, keptUpTo, outbox })
          if (hasLayer !== undefined) assertLayers(environment, hasLayer)
          return taken
        },
        { isWhole: true },
      ),
  }
}
