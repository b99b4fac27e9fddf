import type { LoadedConfig } from '../config/load-config.ts'
import { ScreeningError } from '../domain/errors.ts'
import { embeddedRecordDesk, type RecordDesk } from '../services/record-desk.ts'
import type { DataDirectory } from '../stores/data-directory.ts'
import { openRecordStore } from '../stores/lmdb/record-store.ts'
import { openReplica } from '../stores/lmdb/replica.ts'
import type { ListContents, RecordStore } from '../stores/ports.ts'
import { findRecord } from './find-record.ts'
import { type JobThreads, startJobThreads } from './job-threads.ts'
import { type JoinedRecord, type JoinRecordDependencies, joinRecord } from './join-record.ts'

/** The record of this node, whether its own or shared through Redis, with the threads that write list contents. */
export type OpenedRecord = {
  readonly store: RecordStore
  readonly desk: RecordDesk
  readonly jobs: JobThreads
  /** Missing when the node is its own record: there are no others. */
  readonly openActivityChannel?: JoinedRecord['openActivityChannel']
  close(): Promise<void>
}

export type OpenRecordOptions = {
  readonly config: LoadedConfig
  readonly directory: DataDirectory
  readonly pseudonymKey: Uint8Array
}

export type OpenRecordDependencies = {
  /** Opened when live.mdb is known to be ours. */
  readonly openContents: () => ListContents
  readonly log: JoinRecordDependencies['log']
  readonly now: () => number
  /** The change log has grown by what other nodes wrote. */
  readonly onApplied: () => void
}

/** Longer than a control process needs to finish what is in flight (the supervisor gives it 8 s). */
const LOCK_WAIT_MS = 10_000
const LOCK_RETRY_MS = 50
/**
 * Of one call of a transfer. Whoever needs the layer begins it again, and meanwhile neither the list nor the turn of other
 * transfers is held. Above CALL_TIMEOUT_MS: a thread that sleeps finds out with its first call, by its time running out, that its
 * connection broke.
 */
const TRANSFER_RETRY_MS = 6_000

export async function openRecordOf(
  options: OpenRecordOptions,
  dependencies: OpenRecordDependencies,
): Promise<OpenedRecord> {
  return options.config.redis.url === '' ? openOwn(options, dependencies) : openShared(options, dependencies)
}

async function openOwn({ directory }: OpenRecordOptions, { log, now }: OpenRecordDependencies): Promise<OpenedRecord> {
  const store = await whenUnlocked(() => openRecordStore({ directory: directory.root }, { now }), log)
  const jobs = startJobThreads({ directory }, store)
  return { store, desk: embeddedRecordDesk, jobs, close: () => store.close() }
}

async function openShared(
  { config, directory, pseudonymKey }: OpenRecordOptions,
  { openContents, log, now, onApplied }: OpenRecordDependencies,
): Promise<OpenedRecord> {
  const options = { config, pseudonymKey }
  const replica = await whenUnlocked(() => openReplica({ directory: directory.root }, { now }), log)
  try {
    const membership = await findRecord(options, { replica, log })
    let store: RecordStore | undefined
    const jobs = startJobThreads(
      {
        directory,
        redis: {
          redis: config.redis,
          kind: membership.link.kind,
          recordId: membership.recordId,
          retryForMs: TRANSFER_RETRY_MS,
        },
      },
      {
        layersInUse: () => replica.layersInUse(),
        allocateLayer: () => {
          if (store === undefined) throw new ScreeningError('UNAVAILABLE', 'The node is still starting.')
          return store.allocateLayer()
        },
      },
    )
    const contents = openContents()
    const joined = await joinRecord(options, { replica, membership, contents, jobs: jobs.runner, log, now, onApplied })
    store = joined.store
    return { store, desk: joined.desk, jobs, openActivityChannel: joined.openActivityChannel, close: joined.close }
  } catch (error) {
    await replica.close()
    throw error
  }
}

/** The data directory, when the control process of a life before has left it: its supervisor may have been killed a moment ago. */
async function whenUnlocked<T>(open: () => Promise<T>, log: OpenRecordDependencies['log']): Promise<T> {
  const giveUpMs = Date.now() + LOCK_WAIT_MS
  for (let isFirst = true; ; isFirst = false) {
    try {
      return await open()
    } catch (error) {
      const isLocked = error instanceof ScreeningError && error.code === 'STORAGE_LOCKED'
      if (!isLocked || Date.now() > giveUpMs) throw error
      if (isFirst) log.info({}, 'another control process still has the data directory; waiting for it to end')
      await new Promise((resolve) => setTimeout(resolve, LOCK_RETRY_MS))
    }
  }
}
