import { ScreeningError } from '../../domain/errors.ts'
import { RECORD_STATES, type RecordState, type RecordView } from '../../domain/record-view.ts'
import { PARTITIONS } from '../fact.ts'
import type { Actor } from '../ports.ts'
import type { RedisRecordStore } from './redis-record-store.ts'
import {
  acceptPartition,
  DISPUTED,
  type RepairDependencies,
  type RepairOptions,
  restorePartition,
} from './repair-record.ts'

export type RecordDeskOptions = RepairOptions & {
  /** Addresses without passwords. */
  readonly redis: string
  readonly outboxMax: number
}

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
    view(): RecordView {
      const { states, problem, freshMs, behind, applied, rewound, outbox, recordId } = store.recordStatus()
      const { facts, oldestMs } = outbox
      return {
        kind: 'redis',
        recordId,
        redis: options.redis,
        state: worst(states),
        partitions: states,
        ...(problem === undefined ? {} : { problem }),
        freshMs,
        behind,
        applied,
        rewound,
        outbox: { facts, max: options.outboxMax, ...(oldestMs === undefined ? {} : { oldestMs }) },
      }
    },
    accept: (actor: Actor) => decide(actor, 'accept', ['diverged', 'damaged']),
    restore: (actor: Actor) => decide(actor, 'restore', DISPUTED),
  }
}

/** What needs somebody before what passes by itself. */
function worst(states: Readonly<Partial<Record<RecordState, number>>>): RecordState {
  const order = [...RECORD_STATES.filter((state) => state !== 'following' && state !== 'away'), 'away'] as const
  return order.find((state) => states[state] !== undefined) ?? 'following'
}
