import { randomBytes } from 'node:crypto'
import type { LoadedConfig } from '../config/load-config.ts'
import type { ListJobRunner } from '../services/list-job-runner.ts'
import type { RecordDesk } from '../services/record-desk.ts'
import { PARTITIONS } from '../stores/fact.ts'
import { keptLayers } from '../stores/kept-layers.ts'
import { type LayerStore, layerName } from '../stores/layer-rows.ts'
import type { Replica } from '../stores/lmdb/replica.ts'
import type { ListContents } from '../stores/ports.ts'
import { type ActivityChannel, openActivityChannel } from '../stores/redis/activity-channel.ts'
import { createFactStreams, type RedisRecord } from '../stores/redis/fact-streams-redis.ts'
import { openLayerStore } from '../stores/redis/open-layer-store.ts'
import { createRecordDesk } from '../stores/redis/record-desk-redis.ts'
import { createRedisRecordStore, type RedisRecordStore } from '../stores/redis/redis-record-store.ts'
import type { RecordMembership } from './find-record.ts'
import { createFollowLog } from './follow-log.ts'
import { createLayerTraffic } from './layer-traffic.ts'

/** This node as one of many: its replica, its link to Redis, and what follows from both. */
export type JoinedRecord = {
  readonly store: RedisRecordStore
  readonly desk: RecordDesk
  /** The channel on which nodes tell each other who is busy. */
  openActivityChannel(onMessage: (message: Uint8Array) => void): ActivityChannel
  close(): Promise<void>
}

export type JoinRecordOptions = { readonly config: Pick<LoadedConfig, 'redis'> }

export type JoinRecordDependencies = {
  readonly replica: Replica
  readonly membership: RecordMembership
  readonly contents: ListContents
  readonly jobs: ListJobRunner
  readonly now: () => number
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
const FAULT_LOG_MS = 60_000
const NOT_BROUGHT = 'contents of a list, or a change that waits, were not brought to Redis; trying again'
const NOT_TOLD = 'other nodes were not told who is busy, or are not heard; trying again'

/** Follows the record. Resolves when a node that had nothing has caught up; others go on from what they have. */
export async function joinRecord(
  options: JoinRecordOptions,
  dependencies: JoinRecordDependencies,
): Promise<JoinedRecord> {
  const { replica, membership, log } = dependencies
  const { recordId, link } = membership
  const { outboxMax } = options.config.redis
  const streams = createFactStreams(link, recordId)
  const layerStore = openLayerStore({ redis: options.config.redis, kind: link.kind, recordId }, { random: Math.random })
  const layers = createLayerTraffic({ ...dependencies, streams, layerStore })
  const newFactId = () => randomBytes(16).toString('hex')
  const followLog = createFollowLog({}, { log, status: () => store.recordStatus() })
  const store = createRedisRecordStore(
    { recordId, outboxMax },
    {
      replica,
      streams,
      layers,
      publish: streams.publishReputation,
      newFactId,
      now: dependencies.now,
      random: Math.random,
      onApplied: dependencies.onApplied,
      onTrouble: followLog.trouble,
      onFault: faultLog(log, NOT_BROUGHT),
      onRefused: ({ kind, error }) =>
        log.warn({ kind, err: error }, 'an acknowledged change that Redis had lost does not fit any more'),
    },
  )
  const desk = createRecordDesk(
    { ...membership, redis: link.shown, outboxMax },
    { link, streams, replica, layers, store, newFactId, now: dependencies.now },
  )
  const stopCare = takeCare({ streams, layerStore, store }, dependencies)
  const binding = replica.binding()
  if (binding !== undefined && !binding.isWhole) {
    await untilCaughtUp(store, log)
    await replica.bind({ ...binding, isWhole: true })
  }
  return {
    store,
    desk,
    openActivityChannel: (onMessage) =>
      openActivityChannel(
        { redis: options.config.redis, kind: link.kind, recordId },
        { onMessage, onFault: faultLog(log, NOT_TOLD) },
      ),
    async close() {
      stopCare()
      followLog.stop()
      layers.stop()
      await store.close()
      await layerStore.close()
      link.close()
    },
  }
}

/** What waits is tried again each second: the same fault is said once a minute. */
function faultLog(log: JoinRecordDependencies['log'], text: string): (error: unknown) => void {
  let said = ''
  let saidMs = 0
  return (error) => {
    const problem = error instanceof Error ? error.message : String(error)
    if (problem === said && Date.now() - saidMs < FAULT_LOG_MS) return
    said = problem
    saidMs = Date.now()
    log.warn({ err: error }, text)
  }
}

/** Seals old facts and sweeps layers nobody uses: any node may, and all of them do. */
function takeCare(
  { streams, layerStore, store }: { streams: RedisRecord; layerStore: LayerStore; store: RedisRecordStore },
  { replica, log }: JoinRecordDependencies,
): () => void {
  let turn = 0
  const seal = setInterval(() => {
    const partition = turn++ % PARTITIONS
    if (store.follower.stateOf(partition).state !== 'following') return
    streams.seal(partition).catch((err: unknown) => log.warn({ partition, err }, 'old facts were not sealed'))
  }, SEAL_EVERY_MS)
  const sweep = setInterval(() => {
    const { states } = store.recordStatus()
    if (states.following !== PARTITIONS) return
    const inUse = new Set([...keptLayers(replica), ...replica.layersWaiting()].map(layerName))
    layerStore.sweep(inUse, LAYER_IDLE_MS).catch((err: unknown) => log.warn({ err }, 'unused layers were not swept'))
  }, SWEEP_EVERY_MS)
  return () => {
    clearInterval(seal)
    clearInterval(sweep)
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
