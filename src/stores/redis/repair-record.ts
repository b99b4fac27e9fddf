/** What an operator decides when Redis and a node disagree: here that Redis is right; restore-partition.ts: the node. */
import { RECORD_STATES, type RecordState } from '../../domain/record-view.ts'
import { decodeFact } from '../fact-codec.ts'
import { type DecodedEntry, LayersMissing } from '../lmdb/apply-entries.ts'
import type { Replica } from '../lmdb/replica.ts'
import { type FactStreams, type Position, START } from './fact-streams.ts'
import { contentsMissing, fetchMissing } from './missing-layers.ts'
import type { RedisLink } from './redis-link.ts'
import type { LayerTraffic } from './redis-record-store.ts'

export type RepairOptions = {
  readonly recordId: string
  readonly pseudonymCheck: string
  /** The record was begun before, and others must not find it whole: its key is not made anew when it is lost. */
  readonly isMigration?: boolean
}

export type RepairDependencies = {
  readonly link: RedisLink
  readonly streams: FactStreams
  readonly replica: Pick<
    Replica,
    'position' | 'replace' | 'factsOf' | 'adopt' | 'lists' | 'versions' | 'numberingPlans'
  >
  readonly layers: Pick<LayerTraffic, 'push' | 'fetch' | 'has'>
  readonly newFactId: () => string
  readonly now: () => number
}

/** States that somebody's word ends; `waiting` when the node with the contents is gone for good. */
export const DISPUTED: readonly RecordState[] = RECORD_STATES.filter(
  (state) => state === 'waiting' || state === 'lost' || state === 'diverged' || state === 'damaged',
)

const PAGE_ENTRIES = 2_000

/**
 * Redis is right: what its partition holds takes the place of what this node has. Nothing follows the partition meanwhile.
 * Rejects with RECORD_LOST when there is nothing in Redis to take, CONTENTS_MISSING, RECORD_DAMAGED, UNAVAILABLE, a storage
 * error; then nothing has changed.
 */
export async function acceptPartition(partition: number, dependencies: RepairDependencies): Promise<void> {
  const { streams, replica, layers } = dependencies
  const entries: DecodedEntry[] = []
  for (let after: Position = START; ; after = entries.at(-1)!.position) {
    const { entries: page } = await streams.read(partition, after, { limit: PAGE_ENTRIES, isBulk: true })
    if (page.length === 0) break
    for (const entry of page) {
      entries.push({ ...entry, fact: entry.factId === '' ? undefined : decodeFact(entry.payload) })
    }
  }
  const fetched = new Set<string>()
  for (;;) {
    try {
      return await replica.replace(partition, entries, { hasLayer: layers.has })
    } catch (error) {
      if (!(error instanceof LayersMissing)) throw error
      const gone = await fetchMissing(error.layers, { fetched, fetchLayers: layers.fetch })
      if (gone.length > 0) throw contentsMissing(gone, replica)
    }
  }
}
