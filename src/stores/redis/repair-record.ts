/** What an operator decides when Redis and a node disagree: which of the two is right (docs/OPERATIONS.md). */
import { ScreeningError } from '../../domain/errors.ts'
import { RECORD_STATES, type RecordState } from '../../domain/record-view.ts'
import { DESK_PARTITION, type FactBody } from '../fact.ts'
import { decodeFact, encodeFact } from '../fact-codec.ts'
import { keptLayers } from '../kept-layers.ts'
import { type DecodedEntry, LayersMissing } from '../lmdb/apply-entries.ts'
import type { Replica } from '../lmdb/replica.ts'
import type { Actor } from '../ports.ts'
import { type FactStreams, type Position, START } from './fact-streams.ts'
import { idsSeconds, partitionKeys } from './keys.ts'
import { recreateRecord } from './open-record.ts'
import type { RedisLink } from './redis-link.ts'
import type { LayerTraffic } from './redis-record-store.ts'

export type RepairOptions = { readonly recordId: string; readonly pseudonymCheck: string }

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
const APPENDS_IN_FLIGHT = 32

/**
 * Redis is right: what its partition holds takes the place of what this node has. Nothing follows the partition meanwhile.
 * Rejects with RECORD_LOST when there is nothing in Redis to take, RECORD_DAMAGED, UNAVAILABLE, a storage error; then
 * nothing has changed.
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
  for (;;) {
    try {
      return await replica.replace(partition, entries, { hasLayer: layers.has })
    } catch (error) {
      if (!(error instanceof LayersMissing)) throw error
      const gone = await layers.fetch(error.layers)
      if (gone.length === 0) continue
      throw new ScreeningError('RECORD_DAMAGED', `Redis has not the contents of layer ${gone[0]!.layerId}.`, {
        hint: 'Another node may have them: write it back there with: zaslon record restore',
      })
    }
  }
}

/**
 * This node is right: the partition is written anew from what it has. Nothing follows the partition here meanwhile; other
 * nodes find another history and wait for somebody's word. Stopped half-way, it is begun again from the start.
 */
export async function restorePartition(
  partition: number,
  actor: Actor,
  { recordId, pseudonymCheck }: RepairOptions,
  dependencies: RepairDependencies,
): Promise<void> {
  const { link, replica, layers, streams, now } = dependencies
  if (partition === DESK_PARTITION) await layers.push(keptLayers(replica).filter(layers.has))
  await removePartition(link, recordId, partition)
  const epochAtLeast = Math.max(now(), replica.position(partition).epoch + 1)
  await recreateRecord(link, { recordId, pseudonymCheck, partitions: [partition], epochAtLeast })
  await appendAll(partition, replica.factsOf(partition), actor, dependencies)
  const { epoch, sequence } = await streams.touch(partition)
  await replica.adopt(partition, { epoch, sequence })
}

async function removePartition(link: RedisLink, recordId: string, partition: number): Promise<void> {
  const { head, facts, epochs, ids, segments, segment } = partitionKeys(recordId, partition)
  const doing = `removing partition ${partition}`
  // The head first: without it nobody reads or appends what is left.
  await link.call(doing, () => link.client.unlink(head))
  const sealed = await link.call(doing, () => link.client.zrange(segments, 0, '-1')).catch(() => [])
  for (const from of sealed) await link.call(doing, () => link.client.unlink(`${segment}:${from}`))
  const seconds = idsSeconds(partition)
  const bucket = Math.floor(Date.now() / 1_000 / seconds)
  // The clock of Redis may be a little ahead or behind.
  const buckets = [-2, -1, 0, 1].map((offset) => `${ids}:${bucket + offset}`)
  await link.call(doing, () => link.client.unlink(facts, epochs, segments, ...buckets))
}

/** In order, because all appends take one connection; the first that fails ends it. */
async function appendAll(
  partition: number,
  facts: Iterable<FactBody>,
  actor: Actor,
  { streams, newFactId, now }: RepairDependencies,
): Promise<void> {
  let sent: Promise<unknown>[] = []
  for (const body of facts) {
    const atMs = body.kind === 'report' ? body.report.receivedMs : now()
    sent.push(streams.append(partition, newFactId(), encodeFact({ ...body, actor, atMs })))
    if (sent.length < APPENDS_IN_FLIGHT) continue
    await Promise.all(sent)
    sent = []
  }
  await Promise.all(sent)
}
