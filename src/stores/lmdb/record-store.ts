/**
 * The record of this node: live.mdb. One process writes it (the control process, process-lock.ts), all writes go through
 * one queue (commit-queue.ts), everybody reads it in place.
 */
import { join } from 'node:path'
import type { FactBody } from '../fact.ts'
import { factWrites, type WriteFact } from '../fact-writes.ts'
import { type Actor, AUDIT_KEPT, CHANGES_KEPT, type RecordStore } from '../ports.ts'
import { applyFact } from './apply-fact.ts'
import { CommitQueue } from './commit-queue.ts'
import { type Environment, openEnvironment } from './environment.ts'
import { type FormatSpec, settleFormat } from './format.ts'
import { LIVE_SPACE } from './keys.ts'
import { type ListReads, listReads, nextLayerId } from './lists.ts'
import { documentWrites, type LogReads, logReads, trimLog } from './logs.ts'
import { type PolicyReads, policyReads } from './policies.ts'
import { lockDirectory } from './process-lock.ts'
import { assertOwnNumber, type ReportReads, rekeyReports, reportReads } from './reports.ts'
import { type ReviewReads, reviewReads } from './reviews.ts'
import { storageError } from './storage-error.ts'

export const LIVE_FILE = 'live.mdb'
export const LIVE_FORMAT: FormatSpec = { name: LIVE_FILE, version: 2, migrations: [{ from: 1, run: rekeyReports }] }

export type RecordStoreOptions = {
  /** The data directory. Made when it is not there. */
  readonly directory: string
  readonly changesKept?: number
  readonly auditKept?: number
}

export type RecordStoreDependencies = { readonly now: () => number }

/**
 * Opens (or creates, or migrates) the record for writing. Rejects with STORAGE_LOCKED when another process writes it,
 * STORAGE_FORMAT when a newer version wrote it, STORAGE_FULL or STORAGE_FAILED when the disk refuses.
 */
export async function openRecordStore(
  options: RecordStoreOptions,
  dependencies: RecordStoreDependencies = { now: Date.now },
): Promise<RecordStore> {
  const { directory, changesKept = CHANGES_KEPT, auditKept = AUDIT_KEPT } = options
  const lock = lockDirectory(directory)
  let environment: Environment | undefined
  try {
    environment = openEnvironment({
      path: join(directory, LIVE_FILE),
      readOnly: false,
    })
    settleFormat(environment, LIVE_FORMAT)
    trimLog(environment, LIVE_SPACE.change, changesKept)
    trimLog(environment, LIVE_SPACE.audit, auditKept)
    const queue = new CommitQueue({ changesKept, auditKept }, { environment, now: dependencies.now })
    return assemble(environment, queue, lock.release)
  } catch (error) {
    await environment?.close()
    lock.release()
    throw storageError(error, 'opening the record', directory)
  }
}

function assemble(environment: Environment, queue: CommitQueue, release: () => void): RecordStore {
  let closing: Promise<void> | undefined
  const write = (body: FactBody, actor: Actor) =>
    queue.run((writes) => {
      if (body.kind === 'report') assertOwnNumber(environment, body.report)
      return applyFact(environment, writes, { ...body, actor, atMs: writes.nowMs })
    })
  return {
    ...recordReads(environment),
    ...factWrites(write as WriteFact),
    ...documentWrites(queue),
    allocateLayer: () => queue.run((writes) => nextLayerId(environment, writes)),
    close() {
      closing ??= queue
        .close()
        .then(() => environment.close())
        .finally(release)
      return closing
    },
  }
}

export type RecordReads = ReportReads & ListReads & PolicyReads & ReviewReads & LogReads

export function recordReads(environment: Environment): RecordReads {
  return {
    ...reportReads(environment),
    ...listReads(environment),
    ...policyReads(environment),
    ...reviewReads(environment),
    ...logReads(environment),
  }
}
