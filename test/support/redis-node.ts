import { openReplica, type Replica } from '../../src/stores/lmdb/replica.ts'
import type { LayerRef } from '../../src/stores/ports.ts'
import type { FactStreams } from '../../src/stores/redis/fact-streams.ts'
import {
  createRedisRecordStore,
  type LayerTraffic,
  type RedisRecordStore,
} from '../../src/stores/redis/redis-record-store.ts'
import { temporaryDirectory } from '../fixtures/temporary-directory.ts'

export const RECORD_ID = '0123456789abcdef0123456789abcdef'

export type NodeOptions = {
  readonly streams: FactStreams
  readonly directory?: string
  readonly layers?: LayerTraffic
  readonly now?: () => number
  readonly changesKept?: number
  readonly auditKept?: number
  readonly outboxMax?: number
  readonly newFactId: () => string
  /** Of a write; the default is more patient than a service, for busy machines. */
  readonly deadlineMs?: number
  readonly pushDeadlineMs?: number
  readonly pollMs?: number
  readonly touchMs?: number
}

export type RecordNode = { readonly store: RedisRecordStore; readonly replica: Replica; readonly directory: string }

/** A record store on streams, caught up, in a directory of its own: what the control process of a node has. */
export async function openRecordNode(options: NodeOptions): Promise<RecordNode> {
  const { now = Date.now, directory = temporaryDirectory(), outboxMax = 1_000 } = options
  const { changesKept, auditKept, pollMs = 20, touchMs = 1_000, deadlineMs = 10_000, pushDeadlineMs = 10_000 } = options
  const kept = {
    ...(changesKept === undefined ? {} : { changesKept }),
    ...(auditKept === undefined ? {} : { auditKept }),
  }
  const replica = await openReplica({ directory, ...kept }, { now })
  if (replica.binding() === undefined) await replica.bind({ recordId: RECORD_ID, redis: 'single', isWhole: false })
  const store = createRedisRecordStore(
    { recordId: RECORD_ID, outboxMax, pollMs, touchMs, deadlineMs, pushDeadlineMs },
    {
      replica,
      streams: options.streams,
      layers: options.layers ?? countedLayers(),
      publish: async () => true,
      newFactId: options.newFactId,
      now,
      random: Math.random,
      onApplied: () => {},
      onTrouble: () => {},
      onRefused: () => {},
      onFault: () => {},
    },
  )
  return { store, replica, directory }
}

/** Layers that are everywhere at once: for tests of facts alone. */
export function countedLayers(counter = { last: 0 }): LayerTraffic {
  return {
    allocate: async (known) => {
      counter.last = Math.max(counter.last, known) + 1
      return counter.last
    },
    push: async () => {},
    fetch: async (): Promise<LayerRef[]> => [],
    wanted: async () => new Set(),
    has: () => true,
    newest: () => 0,
  }
}
