import type { RecordState, RecordView } from '../../domain/record-view.ts'
import type { RecordStatus } from './redis-record-store.ts'

/** What a person would want to hear of first, when partitions differ. */
const WORST_FIRST: readonly RecordState[] = [
  'lost',
  'damaged',
  'diverged',
  'stopped',
  'newer',
  'waiting',
  'away',
  'catching-up',
  'following',
]

export type RecordViewOptions = {
  /** Addresses as configured, without passwords. */
  readonly redis: string
  /** Facts that may wait in the outbox. */
  readonly outboxMax: number
}

/** The status of a record store as operators see it. */
export function recordView(status: RecordStatus, { redis, outboxMax }: RecordViewOptions): RecordView {
  const { recordId, states, problem, freshMs, behind, applied, rewound, outbox } = status
  const { facts, oldestMs } = outbox
  return {
    kind: 'redis',
    recordId,
    redis,
    state: WORST_FIRST.find((state) => (states[state] ?? 0) > 0) ?? 'away',
    partitions: states,
    ...(problem === undefined ? {} : { problem }),
    freshMs,
    ...(behind === undefined ? {} : { behind }),
    applied,
    rewound,
    outbox: { facts, max: outboxMax, ...(oldestMs === undefined ? {} : { oldestMs }) },
  }
}
