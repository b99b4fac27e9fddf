/**
 * Imports of lists, from the spooled upload to the version in force. States:
 *
 *   queued ─▶ parsing ─▶ activating ─▶ active          cancelled: on request, any time before activating
 *                ├─▶ previewed ─▶ activating …         failed: with a code and a sentence; nothing has changed
 *                └─▶ held ──────▶ activating …
 *
 * Imports run one at a time for each list, `runningMax` in all; entries and numbering plans use other job threads. An
 * import that was interrupted by a restart begins again from its spool file, which is made durable before the import
 * is acknowledged; one that was interrupted twice fails with IMPORT_INTERRUPTED, lest it take the service down for ever.
 */
import { ScreeningError } from '../domain/errors.ts'
import type { ImportRecord } from '../domain/import.ts'
import { CONTROL_CANCEL, type RefusedUpload } from '../jobs/list-jobs.ts'
import type { Actor, RecordStore } from '../stores/ports.ts'
import { createListChanges, listOf } from './change-list.ts'
import type { ImportDesk } from './control-services.ts'
import { needsSecondPerson } from './hold-import.ts'
import {
  createImportRecords,
  hasRejectedFile,
  IMPORTS_WAITING_MAX,
  isFinished,
  isWaiting,
  newImport,
  rejectedFile,
  type StoredImport,
} from './import-records.ts'
import { assertCountry, comparedAgain, secondPersonNeeded, wrongState } from './import-refusals.ts'
import { createKeyedLock } from './keyed-lock.ts'
import { JobStopped, type ListJobRunner } from './list-job-runner.ts'
import { patiently } from './patience.ts'
import { createControlWord, createImportRunner, type RunImportOptions } from './run-import.ts'

/** Imports that wait for their turn, each with a spool file of up to bytesMax. */
export const IMPORTS_QUEUED_MAX = 32
/** What nobody asked for: holding an import, and letting the oldest preview go. */
const SYSTEM_ACTOR: Actor = 'system'
/** Starts of one import, restarts of the process included. */
const ATTEMPTS_MAX = 2

export type ImportServiceDependencies = {
  readonly store: RecordStore
  readonly jobs: ListJobRunner
  /** Resolves when every verdict process has applied changes up to this one. */
  readonly notify: (sequence: number) => Promise<void>
  readonly now: () => number
  /** Faults of our own, and garbage that could not be removed: for the log. */
  readonly onFault: (error: unknown) => void
  /** An import came to rest: active, failed, cancelled, or waiting for somebody. For metrics. */
  readonly onSettled?: (record: ImportRecord) => void
}

export type ImportService = ImportDesk & {
  /** Call once, before anything else: removes garbage and takes interrupted imports up again. */
  resume(): Promise<void>
  /** Takes nothing new and stops what runs, which the next resume takes up again. Before the pool and the store close. */
  close(): Promise<void>
}

export function createImportService(options: RunImportOptions, dependencies: ImportServiceDependencies): ImportService {
  const { store, jobs, notify, now, onFault } = dependencies
  const records = createImportRecords(store)
  const lock = createKeyedLock()
  const changes = createListChanges(options, { store, jobs, lock, notify, now, onFault })
  const runner = createImportRunner(options, { store, records, jobs, changes, lock, notify, now })
  const queue: StoredImport[] = []
  const running = new Map<string, { stored: StoredImport; control: SharedArrayBuffer; done: Promise<void> }>()
  let isClosed = false
  jobs.keepAlso(() => records.all().flatMap(({ waiting }) => waiting?.layers.map(({ layerId }) => layerId) ?? []))

  /** What becomes of an import, beside the versions of the list, which have entries of their own. */
  function audit(
    what: 'begin' | 'hold' | 'cancel' | 'activate',
    { record }: StoredImport,
    actor: Actor,
  ): Promise<void> {
    const { importId, list, mode, dryRun, state, problem } = record
    const why = what === 'hold' && problem !== undefined ? { code: problem.code } : {}
    return store.appendAudit(
      { action: `import.${what}`, subject: importId, detail: { list, mode, dryRun, state, ...why } },
      actor,
    )
  }

  function startNext(): void {
    while (!isClosed && running.size < options.runningMax) {
      const busy = new Set([...running.values()].map(({ stored }) => stored.record.list))
      const index = queue.findIndex(({ record }) => !busy.has(record.list))
      if (index < 0) return
      const [stored] = queue.splice(index, 1)
      if (stored !== undefined) start(stored, (control) => runQueued(stored, control))
    }
  }

  async function runQueued(stored: StoredImport, control: SharedArrayBuffer): Promise<void> {
    stored.record.state = 'parsing'
    stored.attempts++
    await records.put(stored)
    await runner.run(stored, control)
    if (isWaiting(stored) && !stored.record.dryRun) {
      await patiently(() => audit('hold', stored, SYSTEM_ACTOR), now)
    }
  }

  /** Runs the work of one import to its end, whatever that is, and stores the outcome. */
  function start(stored: StoredImport, work: (control: SharedArrayBuffer) => Promise<void>): Promise<void> {
    const { importId } = stored.record
    const control = createControlWord()
    const done = work(control)
      .catch((error: unknown) => {
        if (!isClosed) fail(stored, error)
      })
      .then(() => (isClosed && !isFinished(stored) ? undefined : settle(stored)))
      .catch(onFault)
      .finally(() => {
        running.delete(importId)
        startNext()
      })
    running.set(importId, { stored, control, done })
    return done
  }

  function fail({ record }: StoredImport, error: unknown): void {
    record.finishedMs = now()
    if (error instanceof JobStopped) {
      record.state = 'cancelled'
      return
    }
    record.state = 'failed'
    const isOurs = error instanceof ScreeningError
    if (!isOurs) onFault(error)
    const detail = isOurs
      ? [error.message, error.details.hint].filter(Boolean).join(' ')
      : 'The import failed; see the log.'
    record.problem = { code: isOurs ? error.code : 'INTERNAL', detail }
    if (isOurs && error.code === 'IMPORT_EMPTY' && 'rejected' in error.details) {
      const { counts, rejected } = error.details as unknown as RefusedUpload
      record.counts = { ...record.counts, ...counts }
      record.rejected = [...rejected]
    }
  }

  /**
   * Stores the outcome and removes what is not needed any more, also when the outcome cannot be stored: the disk may be
   * full of the very spool of this import.
   */
  async function settle(stored: StoredImport): Promise<void> {
    if (isFinished(stored)) delete stored.waiting
    const removeFiles: string[] = []
    try {
      const forgotten = await records.put(stored)
      removeFiles.push(...forgotten.map(({ record }) => rejectedFile(record.importId)))
    } finally {
      dependencies.onSettled?.(stored.record)
      if (isFinished(stored)) removeFiles.push(stored.spool)
      if (!hasRejectedFile(stored.record)) removeFiles.push(rejectedFile(stored.record.importId))
      jobs.clean({ removeFiles }).catch(onFault)
    }
    const waiting = records.all().filter(isWaiting)
    for (const old of waiting.slice(IMPORTS_WAITING_MAX)) await drop(old, SYSTEM_ACTOR)
  }

  async function drop(stored: StoredImport, actor: Actor): Promise<void> {
    stored.record.state = 'cancelled'
    stored.record.finishedMs = now()
    await settle(stored)
    await audit('cancel', stored, actor)
  }

  /** What cannot be activated now goes on waiting as it was. */
  async function activateStaged(stored: StoredImport, actor: Actor): Promise<void> {
    const { record } = stored
    const before = structuredClone(record)
    let failure: unknown
    await start(stored, async (control) => {
      try {
        await audit('activate', stored, actor)
        if (!(await runner.activateStaged(stored, control, actor))) failure = comparedAgain(record)
      } catch (error) {
        stored.record = before
        failure = error
      }
    })
    if (failure !== undefined) throw failure
  }

  function enqueue(stored: StoredImport): void {
    queue.push(stored)
    startNext()
  }

  async function takeUp(stored: StoredImport, files: ReadonlyMap<string, number>): Promise<void> {
    const { record } = stored
    const list = store.list(record.list)
    if (record.state === 'activating' && list?.active.importId === record.importId) {
      record.state = 'active'
      record.version = list.activeVersion
      record.finishedMs = now()
    } else if (list !== undefined && files.get(stored.spool) === stored.spoolBytes && stored.attempts < ATTEMPTS_MAX) {
      record.state = 'queued'
      record.progress = 0
      await records.put(stored)
      enqueue(stored)
      return
    } else
      fail(
        stored,
        new ScreeningError('IMPORT_INTERRUPTED', 'The service stopped while it imported this upload. Send it again.'),
      )
    await settle(stored)
  }

  return {
    async begin(request, actor) {
      const spool = fileName(request.spoolPath)
      try {
        assertCountry(request.country)
        listOf(store, request.list)
        if (queue.length >= IMPORTS_QUEUED_MAX || isClosed) {
          throw new ScreeningError('QUEUE_FULL', `${queue.length} imports are waiting.`, { retryAfterSeconds: 10 })
        }
        const { bytes } = await jobs.run({ kind: 'keep-spool', spoolPath: request.spoolPath })
        const stored = newImport(request, { actor, spool, spoolBytes: bytes, nowMs: now() })
        await audit('begin', stored, actor)
        await records.put(stored)
        enqueue(stored)
        return structuredClone(stored.record)
      } catch (error) {
        jobs.clean({ removeFiles: [spool] }).catch(onFault)
        throw error
      }
    },
    list: () => records.all().map(({ record }) => structuredClone(record)),
    get: (importId) => structuredClone(records.get(importId).record),
    async activate(importId, actor, { mustBeSecond } = { mustBeSecond: false }) {
      const stored = records.get(importId)
      // What can be seen to wait may still be on its way to the disk.
      if (isWaiting(stored)) await running.get(importId)?.done
      const { record } = stored
      if (record.state === 'active') return structuredClone(record)
      if (!isWaiting(stored) || running.has(importId)) throw wrongState(record)
      if (mustBeSecond && record.actor === actor && needsSecondPerson(record.problem)) throw secondPersonNeeded(record)
      await activateStaged(stored, actor)
      return structuredClone(record)
    },
    async cancel(importId, actor) {
      const stored = records.get(importId)
      const { record } = stored
      const job = running.get(importId)
      if (record.state === 'parsing' && job !== undefined) {
        // Pairs with the load in job-control.ts.
        Atomics.store(new Int32Array(job.control), CONTROL_CANCEL, 1)
        await audit('cancel', stored, actor)
        await job.done
      } else if (record.state === 'queued' || (isWaiting(stored) && job === undefined)) {
        const index = queue.indexOf(stored)
        if (index >= 0) queue.splice(index, 1)
        await drop(stored, actor)
      } else if (record.state !== 'cancelled') throw wrongState(record)
      return structuredClone(record)
    },
    rejectedCsvPath(importId) {
      const { record } = records.get(importId)
      return hasRejectedFile(record) ? `${options.directory}/${rejectedFile(importId)}` : undefined
    },
    addEntries: (list, entries, actor, { isReviewed } = { isReviewed: false }) =>
      changes.changeEntries({ mode: 'append', list, entries, isReviewed }, actor),
    removeEntries: (list, entries, actor) =>
      changes.changeEntries({ mode: 'remove', list, entries, isReviewed: false }, actor),
    async resume() {
      const all = records.all()
      const keepFiles = all.flatMap((stored) => [
        rejectedFile(stored.record.importId),
        ...(isFinished(stored) ? [] : [stored.spool]),
      ])
      const { files } = await jobs.clean({ keepFiles })
      const bytesByName = new Map(files.map(({ name, bytes }) => [name, bytes]))
      const interrupted = all.filter((stored) => !isFinished(stored) && !isWaiting(stored))
      for (const stored of interrupted.reverse()) await takeUp(stored, bytesByName)
    },
    async close() {
      isClosed = true
      queue.length = 0
      const stopped = [...running.values()]
      for (const { control } of stopped) Atomics.store(new Int32Array(control), CONTROL_CANCEL, 1)
      await Promise.all(stopped.map(({ done }) => done))
      for (const { stored } of stopped.filter(({ stored }) => !isFinished(stored) && !isWaiting(stored))) {
        // An orderly stop is no attempt.
        stored.attempts = Math.max(0, stored.attempts - 1)
        await records.put(stored)
      }
    },
  }
}

function fileName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}
