import { ScreeningError } from '../../domain/errors.ts'
import type { RecordState } from '../../domain/record-view.ts'
import { PARTITIONS } from '../fact.ts'
import { pushKeptLayers } from '../kept-layers.ts'
import type { Actor } from '../ports.ts'
import { type RecordViewOptions, recordView } from './record-view.ts'
import type { RedisRecordStore } from './redis-record-store.ts'
import {
  acceptPartition,
  DISPUTED,
  type RepairDependencies,
  type RepairOptions,
  restorePartition,
} from './repair-record.ts'

export type RecordDeskOptions = RepairOptions & RecordViewOptions

const PARTITIONS_AT_ONCE = 8

/** How this node stands to the record, and the operator's words about it: services/record-desk.ts. */
export function createRecordDesk(
  options: RecordDeskOptions,
  dependencies: RepairDependencies & { readonly store: RedisRecordStore },
) {
  const { store } = dependencies
  const { follower } = store
  let deciding = false

  async function decide(actor: Actor, word: 'accept' | 'restore', states: readonly RecordState[]): Promise<void> {
    if (deciding) throw new ScreeningError('UNAVAILABLE', 'Another decision is being carried out.')
    deciding = true
    try {
      const partitions = Array.from({ length: PARTITIONS }, (_, index) => index)
      const found = await Promise.all(partitions.map((partition) => follower.look(partition)))
      const disputed = partitions.filter((index) => states.includes(found[index]!))
      while (disputed.length > 0)
        await Promise.all(
          disputed.splice(0, PARTITIONS_AT_ONCE).map((partition) => settlePartition(partition, word, actor)),
        )
      if (word === 'restore') await pushKeptLayers(dependencies)
      await store.appendAudit({ action: `record.${word}`, subject: options.recordId }, actor).catch(() => {})
    } finally {
      deciding = false
    }
  }

  function settlePartition(partition: number, word: 'accept' | 'restore', actor: Actor): Promise<void> {
    return follower.holding(partition, () =>
      word === 'accept'
        ? acceptPartition(partition, dependencies)
        : restorePartition(partition, actor, options, dependencies),
    )
  }

  return {
    view: () => recordView(store.recordStatus(), options),
    accept: (actor: Actor) => decide(actor, 'accept', ['diverged', 'damaged']),
    restore: (actor: Actor) => decide(actor, 'restore', DISPUTED),
  }
}
