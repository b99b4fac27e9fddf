import { join } from 'node:path'
import { AUDIT_KEPT, CHANGES_KEPT } from '../ports.ts'
import { CommitQueue } from './commit-queue.ts'
import { type Environment, openEnvironment } from './environment.ts'
import { type FormatSpec, settleFormat } from './format.ts'
import { LIVE_SPACE } from './keys.ts'
import { LIVE_FILE, LIVE_FORMAT_VERSION } from './live-format.ts'
import { trimLog } from './logs.ts'
import { lockDirectory } from './process-lock.ts'
import { rekeyReports } from './reports.ts'
import { storageError } from './storage-error.ts'

export const LIVE_FORMAT: FormatSpec = {
  name: LIVE_FILE,
  version: LIVE_FORMAT_VERSION,
  migrations: [{ from: 1, run: rekeyReports }],
}

export type LiveOptions = {
  /** The data directory. Made when it is not there. */
  readonly directory: string
  readonly changesKept?: number
  readonly auditKept?: number
}

export type LiveDependencies = { readonly now: () => number }

export type LiveEnvironment = {
  readonly environment: Environment
  readonly queue: CommitQueue
  /** Takes nothing more, waits for what is on its way to the disk, and gives the directory back. */
  close(): Promise<void>
}

/**
 * live.mdb for its one writer, created or migrated when need be. `accept` looks at what it holds and may refuse it.
 * Rejects with STORAGE_LOCKED when another process writes it, STORAGE_FORMAT when a newer version wrote it, STORAGE_FULL
 * or STORAGE_FAILED when the disk refuses.
 */
export async function openLiveEnvironment(
  options: LiveOptions,
  dependencies: LiveDependencies,
  accept: (environment: Environment) => void,
): Promise<LiveEnvironment> {
  const { directory, changesKept = CHANGES_KEPT, auditKept = AUDIT_KEPT } = options
  const lock = lockDirectory(directory)
  let opened: Environment | undefined
  try {
    const environment = openEnvironment({ path: join(directory, LIVE_FILE), readOnly: false })
    opened = environment
    settleFormat(environment, LIVE_FORMAT)
    accept(environment)
    trimLog(environment, LIVE_SPACE.change, changesKept)
    trimLog(environment, LIVE_SPACE.audit, auditKept)
    const queue = new CommitQueue({ changesKept, auditKept }, { environment, now: dependencies.now })
    let closing: Promise<void> | undefined
    return {
      environment,
      queue,
      close() {
        closing ??= queue
          .close()
          .then(() => environment.close())
          .finally(lock.release)
        return closing
      },
    }
  } catch (error) {
    await opened?.close()
    lock.release()
    throw storageError(error, 'opening the record', directory)
  }
}
