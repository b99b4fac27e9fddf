import { randomBytes } from 'node:crypto'
import type { LoadedConfig } from '../config/load-config.ts'
import { ScreeningError } from '../domain/errors.ts'
import type { RecordProblem, RecordState } from '../domain/record-view.ts'
import { patiently } from '../services/patience.ts'
import { type DataDirectory, keepPseudonymKey } from '../stores/data-directory.ts'
import { PARTITIONS } from '../stores/fact.ts'
import { keptLayers } from '../stores/kept-layers.ts'
import type { LayerStore } from '../stores/layer-rows.ts'
import { openListContents } from '../stores/lmdb/list-contents.ts'
import { openReplica, type Replica } from '../stores/lmdb/replica.ts'
import type { TakenFacts } from '../stores/lmdb/take-outbox.ts'
import type { ListContents } from '../stores/ports.ts'
import { beginMigration, goOnMigrating, MIGRATION_WORD_MS } from '../stores/redis/begin-migration.ts'
import { connectRedis } from '../stores/redis/connect-redis.ts'
import { createFactStreams } from '../stores/redis/fact-streams-redis.ts'
import { openLayerStore } from '../stores/redis/open-layer-store.ts'
import { openRecord } from '../stores/redis/open-record.ts'
import type { RecordTrouble } from '../stores/redis/record-follower.ts'
import type { RedisLink } from '../stores/redis/redis-link.ts'
import { createRedisRecordStore } from '../stores/redis/redis-record-store.ts'
import { recordIn, removeOtherRecord } from '../stores/redis/remove-partition.ts'
import type { RepairOptions } from '../stores/redis/repair-record.ts'
import { restorePartition } from '../stores/redis/restore-partition.ts'
import { assertSameKey, pseudonymCheckOf } from './find-record.ts'
import { hasContents, layersThrough, type MigrateProgress } from './migrate-layers.ts'

/** Moves the record of a node that is stopped: into Redis, or out of it. */
export type MigrateOptions = {
  readonly config: Pick<LoadedConfig, 'redis'>
  readonly directory: DataDirectory
  readonly pseudonymKey: Uint8Array
}

const ACTOR = 'migrate'
const CATCH_UP_MS = 600_000
const PATIENCE_MS = 30_000
const LATE_HINT = 'Look at zaslon record status of another node; or go on with what is here: --offline'
/** Of a node whose record is in a state that does not pass by itself. */
const NEXT_STEPS: Readonly<Partial<Record<RecordState, string>>> = {
  lost: 'Correct ZASLON_REDIS_URL when it names another Redis; else start a node and say zaslon record restore there',
  diverged: 'Start the node and decide: zaslon record accept, or zaslon record restore',
  damaged: 'Start a node that has everything and say zaslon record restore there',
  newer: 'Say it with the newer version',
  stopped: "Look at this node's disk",
}

/**
 * Begins a record in an empty Redis with everything this directory holds, and joins the directory to it. Rejects with
 * CONFIG_INVALID when the directory is joined already or Redis holds a record; then, and after any other failure, the
 * directory is still its own record and nobody joins what is in Redis.
 */
export async function migrateToRedis(options: MigrateOptions, onProgress: MigrateProgress): Promise<string> {
  const { config, directory, pseudonymKey } = options
  return using(directory, { mayBeOwn: true }, async ({ replica, contents }) => {
    if (replica.binding() !== undefined) throw alreadyJoined()
    const pseudonymCheck = pseudonymCheckOf(pseudonymKey)
    const { link, probe } = await connectRedis(config.redis)
    try {
      const recordId = await beginMigration(link, pseudonymCheck)
      const place = { config, directory, pseudonymCheck, link, recordId, replica, contents }
      await stayingAtIt(link, recordId, () => writeAll({ ...place, isMigration: true }, onProgress))
      await replica.bind({ recordId, redis: probe.kind, isWhole: true, pseudonymCheck })
      await openRecord(link, { known: recordId, pseudonymCheck, mayCreate: false })
      return recordId
    } finally {
      link.close()
    }
  })
}

/** Says now and then that the migration goes on. Rejects when another one has taken its place, or Redis lost a part of it. */
async function stayingAtIt(link: RedisLink, recordId: string, work: () => Promise<void>): Promise<void> {
  // A word that is lost does no harm; the last one counts.
  const timer = setInterval(() => goOnMigrating(link, recordId).catch(() => {}), MIGRATION_WORD_MS)
  try {
    await work()
  } finally {
    clearInterval(timer)
  }
  const { touch } = createFactStreams(link, recordId)
  for (let partition = 0; partition < PARTITIONS; partition++)
    await patiently(() => touch(partition), monotonic, PATIENCE_MS)
  await goOnMigrating(link, recordId)
}

/** What is about to be replaced, and by what. */
export type Replacement = {
  readonly redis: string
  readonly found: string
  /** When this directory took in its last change, epoch milliseconds; undefined: that is not kept any more. */
  readonly newestMs: number | undefined
}

/**
 * Writes the record this directory was joined to in the place of another one that is in Redis, which is removed first, once
 * `confirm` has resolved. Rejects with CONFIG_INVALID when Redis holds no other record, or the directory never had all of
 * its own; nothing is changed then. Whatever fails later: the node starts, and `zaslon record restore` ends it.
 */
export async function replaceRecord(
  { config, directory, pseudonymKey }: MigrateOptions,
  onProgress: MigrateProgress,
  confirm: (what: Replacement) => Promise<void>,
): Promise<string> {
  return using(directory, { mayBeOwn: true }, async ({ replica, contents }) => {
    const binding = replica.binding()
    if (binding?.isWhole !== true) throw nothingToWrite()
    const { recordId } = binding
    const pseudonymCheck = pseudonymCheckOf(pseudonymKey)
    assertSameKey(binding, pseudonymCheck)
    const { link } = await connectRedis(config.redis)
    try {
      const found = await recordIn(link)
      if (found === undefined || found === recordId) throw nothingToReplace(link)
      const newestMs = replica.changesAfter(replica.lastSequence() - 1, 1)[0]?.atMs
      await confirm({ redis: link.shown, found, newestMs })
      if ((await recordIn(link)) !== found) throw nothingToReplace(link)
      await patiently(() => removeOtherRecord(link, recordId), monotonic, PATIENCE_MS)
      await writeAll({ config, directory, pseudonymCheck, link, recordId, replica, contents }, onProgress)
      return recordId
    } finally {
      link.close()
    }
  })
}

type Place = Pick<MigrateOptions, 'config' | 'directory'> & {
  readonly link: RedisLink
  readonly recordId: string
  readonly replica: Replica
  readonly contents: ListContents
}

/** Every partition of the record, from this directory. */
async function writeAll(
  { config, directory, link, recordId, replica, contents, ...how }: Place & Omit<RepairOptions, 'recordId'>,
  onProgress: MigrateProgress,
): Promise<void> {
  const layerStore = openStore(config, link, recordId)
  try {
    const streams = createFactStreams(link, recordId)
    const layers = layersThrough(layerStore, { contents, directory, allocate: streams.allocateLayer, onProgress })
    const newFactId = () => randomBytes(16).toString('hex')
    const dependencies = { link, streams, replica, layers, newFactId, now: Date.now }
    for (let partition = 0; partition < PARTITIONS; partition++) {
      onProgress('facts', partition / PARTITIONS)
      const write = () => restorePartition(partition, ACTOR, { recordId, ...how }, dependencies)
      await patiently(write, monotonic, PATIENCE_MS)
    }
  } finally {
    await layerStore.close()
  }
}

/**
 * Takes in what Redis has and makes the directory a record of its own. Redis stays as it is. Rejects with UNAVAILABLE when
 * Redis cannot be reached, unless `isOffline`: then what the directory has is the record. Resolves with what became of the
 * facts that waited in the outbox still.
 */
export async function migrateToEmbedded(
  options: MigrateOptions & { readonly isOffline: boolean },
  onProgress: MigrateProgress,
): Promise<TakenFacts> {
  const { config, directory, pseudonymKey, isOffline } = options
  return using(directory, { mayBeOwn: false }, async ({ replica, contents }) => {
    const binding = replica.binding()
    if (binding === undefined) throw notJoined()
    assertSameKey(binding, pseudonymCheckOf(pseudonymKey))
    if (!isOffline) {
      const { link } = await connectRedis(config.redis)
      try {
        await takeIn({ ...options, link, recordId: binding.recordId, replica, contents }, onProgress)
      } finally {
        link.close()
      }
    }
    // First: with another key every reporter would count once more.
    keepPseudonymKey(directory, pseudonymKey)
    const layerIdMax = Math.max(0, ...contents.layerIds(), ...replica.layersInUse())
    return replica.unbind({ layerIdMax, hasLayer: (layer) => hasContents(contents, layer) })
  })
}

async function takeIn(from: Place, onProgress: MigrateProgress): Promise<void> {
  const { config, directory, link, recordId, replica, contents } = from
  const streams = createFactStreams(link, recordId)
  const layerStore = openStore(config, link, recordId)
  const layers = layersThrough(layerStore, { contents, directory, allocate: streams.allocateLayer, onProgress })
  const hopeless = watchTrouble()
  const store = createRedisRecordStore(
    { recordId, outboxMax: config.redis.outboxMax },
    {
      replica: { ...replica, close: async () => {} },
      streams,
      layers,
      publish: streams.publishReputation,
      newFactId: () => randomBytes(16).toString('hex'),
      now: Date.now,
      random: Math.random,
      onApplied: () => onProgress('facts', 0.5),
      onTrouble: hopeless.onTrouble,
      onRefused: () => {},
      onFault: () => {},
    },
  )
  try {
    const problem = () => store.recordStatus().problem
    await Promise.race([hopeless.trouble, inTime(store.follower.caughtUp(), problem)])
    await Promise.race([hopeless.trouble, outboxTaken(replica, problem)])
    const missing = keptLayers(replica).filter((layer) => !layers.has(layer))
    await layers.fetch(missing)
  } finally {
    await store.close()
    await layerStore.close()
  }
}

/** What does not pass by itself: `trouble` rejects with the first of it. */
function watchTrouble() {
  let reject: (error: unknown) => void = () => {}
  const trouble = new Promise<never>((_resolve, rejectIt) => {
    reject = rejectIt
  })
  // It may come when nobody waits any more.
  trouble.catch(() => {})
  const onTrouble = ({ partition, state, error }: RecordTrouble) => {
    const step = NEXT_STEPS[state]
    if (step !== undefined) reject(hopelessNow({ partition, state, error }, step))
  }
  return { trouble, onTrouble }
}

async function outboxTaken(
  { outbox }: Pick<Replica, 'outbox'>,
  problem: () => RecordProblem | undefined,
): Promise<void> {
  for (const giveUpMs = performance.now() + PATIENCE_MS; outbox.size > 0; await pause(100)) {
    if (performance.now() > giveUpMs) throw notTaken(outbox.size, problem())
  }
}

async function using<T>(
  directory: DataDirectory,
  { mayBeOwn }: { mayBeOwn: boolean },
  work: (opened: { replica: Replica; contents: ListContents }) => Promise<T>,
): Promise<T> {
  const replica = await openReplica({ directory: directory.root, mayBeOwn })
  try {
    const contents = openListContents({ directory: directory.root, readOnly: false })
    try {
      return await work({ replica, contents })
    } finally {
      await contents.close()
    }
  } finally {
    await replica.close()
  }
}

function openStore(config: MigrateOptions['config'], link: RedisLink, recordId: string): LayerStore {
  return openLayerStore({ redis: config.redis, kind: link.kind, recordId }, { random: Math.random })
}

function monotonic(): number {
  return performance.now()
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

async function inTime(work: Promise<void>, problem: () => RecordProblem | undefined): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(notRead(problem())), CATCH_UP_MS)
  })
  await Promise.race([work, late]).finally(() => clearTimeout(timer))
}

function alreadyJoined(): ScreeningError {
  return new ScreeningError('CONFIG_INVALID', 'The data directory is joined to a record in Redis already.', {
    hint: 'Start it with ZASLON_REDIS_URL; or make it its own record first: zaslon migrate to-embedded',
  })
}

function notJoined(): ScreeningError {
  return new ScreeningError('CONFIG_INVALID', 'The data directory is its own record already: there is nothing to do.')
}

function nothingToWrite(): ScreeningError {
  const message = 'The data directory was never joined to a record in Redis, or never had all of it.'
  const hint =
    'Say it on a node of that record. Without --replace-record a directory that is its own record goes to an empty Redis.'
  return new ScreeningError('CONFIG_INVALID', message, { hint })
}

function nothingToReplace({ shown }: RedisLink): ScreeningError {
  return new ScreeningError(
    'CONFIG_INVALID',
    `Redis (${shown}) holds no other record than that of this node, or not the one asked about.`,
    {
      hint: 'Start this node: it says what is wrong with zaslon record status, and writes what Redis lost with zaslon record restore.',
    },
  )
}

function hopelessNow({ partition, state, error }: RecordTrouble, step: string): unknown {
  if (!(error instanceof ScreeningError)) return error
  const message = `Partition ${partition} of the record is ${state}: ${error.message}`
  const first = typeof error.details.hint === 'string' ? error.details.hint.replace(/\.$/, '') : step
  const hint = `${first}; or go on with what is here: zaslon migrate to-embedded --offline`
  return new ScreeningError(error.code, message, { ...error.details, hint }, { cause: error })
}

function notRead(problem: RecordProblem | undefined): ScreeningError {
  const message = `Redis was not read to its end in ${CATCH_UP_MS / 1_000} s.${because(problem)}`
  return new ScreeningError('UNAVAILABLE', message, { hint: LATE_HINT })
}

function notTaken(facts: number, problem: RecordProblem | undefined): ScreeningError {
  const message = `Redis did not take ${facts} reports that wait on this node's disk.${because(problem)}`
  return new ScreeningError('UNAVAILABLE', message, { hint: LATE_HINT })
}

function because(problem: RecordProblem | undefined): string {
  return problem === undefined ? '' : ` ${problem.detail}`
}
