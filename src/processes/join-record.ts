import { randomBytes } from 'node:crypto'
import type { LoadedConfig } from '../config/load-config.ts'
import { ScreeningError } from '../domain/errors.ts'
import type { ListJobRunner } from '../services/list-job-runner.ts'
import type { RecordDesk } from '../services/record-desk.ts'
import { keptLayers } from '../stores/kept-layers.ts'
import { isSameLayer, layerName } from '../stores/layer-rows.ts'
import type { Replica } from '../stores/lmdb/replica.ts'
import type { LayerRef, ListContents } from '../stores/ports.ts'
import { createFactStreams, type RedisRecord } from '../stores/redis/fact-streams-redis.ts'
import type { RecordTrouble } from '../stores/redis/follow-record.ts'
import { openLayerStore } from '../stores/redis/open-layer-store.ts'
import { createRecordDesk } from '../stores/redis/record-desk-redis.ts'
import { createRedisRecordStore, type LayerTraffic, type RedisRecordStore } from '../stores/redis/redis-record-store.ts'
import type { RecordMembership } from './find-record.ts'

/** This node as one of many: its replica, its link to Redis, and what follows from both. */
export type JoinedRecord = {
  readonly store: RedisRecordStore
  readonly desk: RecordDesk
  close(): Promise<void>
}

export type JoinRecordOptions = {
  readonly config: Pick<LoadedConfig, 'redis'>
  readonly root: string
}

export type JoinRecordDependencies = {
  readonly replica: Replica
  readonly membership: RecordMembership
  readonly contents: ListContents
  readonly jobs: ListJobRunner
  readonly log: {
    info(fields: object, text: string): void
    warn(fields: object, text: string): void
  }
  /** The change log has grown without a write of this node. */
  readonly onApplied: () => void
}

/** Layers that nobody uses stay this long in Redis: a node may be about to bring them into force. */
const LAYER_IDLE_MS = 3_600_000
const SWEEP_EVERY_MS = 600_000
/** One partition each second is looked at, whether older facts can be sealed. */
const SEAL_EVERY_MS = 1_000
const PROGRESS_EVERY_MS = 2_000
const TROUBLE_LOG_MS = 500

/** Follows the record. Resolves when a node that had nothing has caught up; others go on from what they have. */
export async function joinRecord(
  options: JoinRecordOptions,
  dependencies: JoinRecordDependencies,
): Promise<JoinedRecord> {
  const { replica, membership, log } = dependencies
  const { recordId, link } = membership
  const { outboxMax } = options.config.redis
  const streams = createFactStreams(link, recordId)
  const layers = layerTraffic(streams, dependencies)
  const newFactId = () => randomBytes(16).toString('hex')
  const store = createRedisRecordStore(
    { recordId, outboxMax },
    {
      replica,
      streams,
      layers,
      publish: streams.publishReputation,
      newFactId,
      now: Date.now,
      random: Math.random,
      onApplied: dependencies.onApplied,
      onTrouble: troubleLog(log),
      onRefused: ({ kind, error }) =>
        log.warn({ kind, err: error }, 'an acknowledged change that Redis had lost does not fit any more'),
    },
  )
  const desk = createRecordDesk(
    { ...membership, redis: link.shown, outboxMax },
    { link, streams, replica, layers, store, newFactId, now: Date.now },
  )
  const stopCare = takeCare(streams, options, dependencies, store)
  const binding = replica.binding()
  if (binding !== undefined && !binding.isWhole) {
    await untilCaughtUp(store, log)
    await replica.bind({ ...binding, isWhole: true })
  }
  return {
    store,
    desk,
    async close() {
      await stopCare()
      await store.close()
      link.close()
    },
  }
}

/** Troubles come for many partitions at once: one line says how many, and what the first of them is. */
function troubleLog(log: JoinRecordDependencies['log']): (trouble: RecordTrouble) => void {
  const pending: RecordTrouble[] = []
  const write = () => {
    const [first, ...others] = pending.splice(0)
    if (first === undefined) return
    const { partition, state, error } = first
    const code = error instanceof ScreeningError ? error.code : 'INTERNAL'
    const problem = error instanceof Error ? error.message : String(error)
    log.warn({ partition, state, code, problem, others: others.length }, 'the record is not followed')
  }
  return (trouble) => {
    if (pending.push(trouble) === 1) setTimeout(write, TROUBLE_LOG_MS).unref()
  }
}

function layerTraffic(
  streams: Pick<RedisRecord, 'allocateLayer'>,
  { contents, jobs, replica }: JoinRecordDependencies,
): LayerTraffic {
  /** Fetched for a version that is not applied yet: no garbage. */
  const fetched = new Set<number>()
  jobs.keepAlso(() => {
    const inUse = replica.layersInUse()
    for (const layerId of fetched) if (inUse.has(layerId)) fetched.delete(layerId)
    return [...fetched]
  })
  const has = (layer: LayerRef) => {
    const stored = contents.layer(layer.layerId)
    return stored !== undefined && isSameLayer(stored, layer)
  }
  return {
    has,
    newest: () => Math.max(0, ...contents.layerIds(), ...replica.layersInUse()),
    allocate: (known) => streams.allocateLayer(known),
    async push(layers) {
      for (const layer of layers) await jobs.pushLayer(layer)
    },
    async fetch(layers) {
      const gone: LayerRef[] = []
      for (const layer of layers) {
        fetched.add(layer.layerId)
        const { outcome } = await jobs.fetchLayer(layer)
        if (outcome === 'gone') gone.push(layer)
      }
      return gone
    },
  }
}

/** Seals old facts and sweeps layers nobody uses: any node may, and all of them do. */
function takeCare(
  streams: RedisRecord,
  { config }: JoinRecordOptions,
  { replica, membership, log }: JoinRecordDependencies,
  store: RedisRecordStore,
): () => Promise<void> {
  const partitions = 65
  let turn = 0
  const seal = setInterval(() => {
    const partition = turn++ % partitions
    if (store.follower.stateOf(partition).state !== 'following') return
    streams.seal(partition).catch((err: unknown) => log.warn({ partition, err }, 'old facts were not sealed'))
  }, SEAL_EVERY_MS)
  const { recordId, link } = membership
  const layerStore = openLayerStore(
    { redis: config.redis, kind: link.kind, recordId },
    { now: Date.now, random: Math.random },
  )
  const sweep = setInterval(() => {
    const { states } = store.recordStatus()
    if (states.following !== partitions) return
    const inUse = new Set(keptLayers(replica).map(layerName))
    layerStore.sweep(inUse, LAYER_IDLE_MS).catch((err: unknown) => log.warn({ err }, 'unused layers were not swept'))
  }, SWEEP_EVERY_MS)
  return async () => {
    clearInterval(seal)
    clearInterval(sweep)
    await layerStore.close()
  }
}

async function untilCaughtUp(store: RedisRecordStore, log: JoinRecordDependencies['log']): Promise<void> {
  const progress = setInterval(() => {
    const { applied, behind, states, problem } = store.recordStatus()
    log.info({ applied, behind, states, problem }, 'catching up with the record')
  }, PROGRESS_EVERY_MS)
  try {
    await store.follower.caughtUp()
  } finally {
    clearInterval(progress)
  }
}
