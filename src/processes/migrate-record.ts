import { randomBytes } from 'node:crypto'
import { ScreeningError } from '../domain/errors.ts'
import { patiently } from '../services/patience.ts'
import { PARTITIONS } from '../stores/fact.ts'
import { beginMigration, goOnMigrating, MIGRATION_WORD_MS } from '../stores/redis/begin-migration.ts'
import { connectRedis } from '../stores/redis/connect-redis.ts'
import { createFactStreams } from '../stores/redis/fact-streams-redis.ts'
import { openRecord } from '../stores/redis/open-record.ts'
import type { RedisLink } from '../stores/redis/redis-link.ts'
import { recordIn, removeOtherRecord } from '../stores/redis/remove-partition.ts'
import type { RepairOptions } from '../stores/redis/repair-record.ts'
import { restorePartition } from '../stores/redis/restore-partition.ts'
import { assertSameKey, pseudonymCheckOf } from './find-record.ts'
import { type MigrateOptions, monotonic, openStore, PATIENCE_MS, type Place, using } from './migrate-directory.ts'
import { layersThrough, type MigrateProgress } from './migrate-layers.ts'

const ACTOR = 'migrate'
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

function alreadyJoined(): ScreeningError {
  return new ScreeningError('CONFIG_INVALID', 'The data directory is joined to a record in Redis already.', {
    hint: 'Start it with ZASLON_REDIS_URL; or make it its own record first: zaslon migrate to-embedded',
  })
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
