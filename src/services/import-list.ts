/**
 * Imports of lists, from the spooled upload to the version in force. States:
 *
 *   queued ─▶ parsing ─▶ activating ─▶ active          cancelled: on request, any time before activating
 *                ├─▶ previewed ─▶ activating …         failed: with a code and a sentence; nothing has changed
 *                └─▶ held ──────▶ activating …
 *
 * While the record takes no writes (Redis is away, its memory is full) an import waits in `queued` or `activating`, with a
 * problem that says so, and is tried again until it is done or cancelled.
 *
 * Imports run one at a time for each list, `runningMax` in all; entries and numbering plans use other job threads. An
 * import that was interrupted by a restart begins again from its spool file, which is made durable before the import
 * is acknowledged; one that was interrupted twice fails with IMPORT_INTERRUPTED, lest it take the service down for ever.
 */
import { ScreeningError } from '../domain/errors.ts'
import type { ImportRecord } from '../domain/import.ts'
import type { Actor, RecordStore } from '../stores/ports.ts'
import { createListChanges, listOf } from './change-list.ts'
import type { ImportDesk } from './control-services.ts'
import { needsSecondPerson } from './hold-import.ts'
import { createImportAudit } from './import-audit.ts'
import { noteAway, noteEnd } from './import-ends.ts'
import {
  createImportRecords,
  filesNotNeeded,
  hasRejectedFile,
  IMPORTS_WAITING_MAX,
  isFinished,
  isWaiting,
  newImport,
  rejectedFile,
  type StoredImport,
} from './import-records.ts'
import { assertCountry, comparedAgain, secondPersonNeeded, wrongState } from './import-refusals.ts'
import { createImportRetries, type RetryOptions } from './import-retries.ts'
import { createKeyedLock } from './keyed-lock.ts'
import { JobStopped, type ListJobRunner } from './list-job-runner.ts'
import { RecordAway } from './patience.ts'
import { askToStop, createControlWord, createImportRunner, isStopped, type RunImportOptions } from './run-import.ts'
import { takeUpImport } from './take-up-import.ts'

/** Imports that wait for their turn, each with a spool file of up to bytesMax. */
export const IMPORTS_QUEUED_MAX = 32
/** What nobody asked for: holding an import, and letting the oldest preview go. */
const SYSTEM_ACTOR: Actor = 'system'

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

export type ImportServiceOptions = RunImportOptions & { readonly retries?: RetryOptions }

export function createImportService(
  options: ImportServiceOptions,
  dependencies: ImportServiceDependencies,
): ImportService {
  const { store, jobs, notify, now, onFault } = dependencies
  const records = createImportRecords(store)
  const audit = createImportAudit({ store, now, onFault })
  const retries = createImportRetries(options.retries)
  const lock = createKeyedLock()
  const changes = createListChanges(options, { store, jobs, lock, notify, now, onFault })
  const runner = createImportRunner(options, { store, records, jobs, changes, lock, notify, now })
  const queue: StoredImport[] = []
  const running = new Map<string, { stored: StoredImport; control: SharedArrayBuffer; done: Promise<void> }>()
  let isClosed = false
  jobs.keepAlso(() => records.all().flatMap(({ waiting }) => waiting?.layers.map(({ layerId }) => layerId) ?? []))

  function startNext(): void {
    while (!isClosed && running.size < options.runningMax) {
      const busy = new Set([...[...running.values()].map(({ stored }) => stored.record.list), ...retries.lists()])
      const index = queue.findIndex(({ record }) => !busy.has(record.list))
      if (index < 0) return
      const [stored] = queue.splice(index, 1)
      if (stored !== undefined) void start(stored, (control) => work(stored, control))
    }
  }

  /** What comes next for an import that was begun: all of it, or the rest of its activation. */
  async function work(stored: StoredImport, control: SharedArrayBuffer): Promise<void> {
    if (stored.record.state === 'activating') await runner.goOn(stored, control)
    else {
      stored.record.state = 'parsing'
      delete stored.record.problem
      stored.attempts++
      await records.put(stored)
      await runner.run(stored, control)
    }
    if (isWaiting(stored) && !stored.record.dryRun) await audit('hold', stored, SYSTEM_ACTOR)
  }

  /** Runs the work of one import to its end, whatever that is, and stores the outcome. */
  function start(stored: StoredImport, work: (control: SharedArrayBuffer) => Promise<void>): Promise<void> {
    const { importId } = stored.record
    const control = createControlWord()
    const done = work(control)
      .then(
        () => false,
        (error: unknown) => !isClosed && waitsFor(stored, error, isStopped(control)),
      )
      .then(async (isAway) => {
        if (isAway) await postpone(stored)
        else if (!isClosed || isFinished(stored)) await settle(stored)
      })
      .catch(onFault)
      .finally(() => {
        running.delete(importId)
        startNext()
      })
    running.set(importId, { stored, control, done })
    return done
  }

  /** Notes what went wrong; true: nothing but that the record takes no writes now. */
  function waitsFor(stored: StoredImport, error: unknown, isCancelled: boolean): boolean {
    if (runner.isActive(stored)) return false
    const isAway = error instanceof RecordAway
    if (isAway && !isCancelled) noteAway(stored, error)
    else noteEnd(stored, isAway ? new JobStopped() : error, { nowMs: now(), onFault })
    return isAway && !isCancelled
  }

  async function postpone(stored: StoredImport): Promise<void> {
    await records.put(stored).catch(onFault)
    const again = () => {
      if (stored.record.state === 'queued') queue.unshift(stored)
      else void start(stored, (control) => work(stored, control))
      startNext()
    }
    if (!isClosed) retries.later(stored, again)
  }

  /**
   * Stores the outcome and removes what is not needed any more, also when the outcome cannot be stored: the disk may be
   * full of the very spool of this import.
   */
  async function settle(stored: StoredImport): Promise<void> {
    retries.forget(stored.record.importId)
    if (isFinished(stored)) delete stored.waiting
    let forgotten: readonly StoredImport[] = []
    try {
      forgotten = await records.put(stored)
    } finally {
      dependencies.onSettled?.(stored.record)
      jobs.clean({ removeFiles: filesNotNeeded(stored, forgotten) }).catch(onFault)
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

  /** What cannot be activated now goes on waiting as it was, unless it may have been activated: then the service finds out. */
  async function activateStaged(stored: StoredImport, actor: Actor): Promise<void> {
    const { record } = stored
    const before = structuredClone({ record, waiting: stored.waiting })
    let failure: unknown
    await start(stored, async (control) => {
      try {
        await audit('activate', stored, actor)
        if (!(await runner.activateStaged(stored, control, actor))) failure = comparedAgain(record)
      } catch (error) {
        if (runner.isActive(stored)) return
        if (error instanceof RecordAway && error.isUnknown) throw error
        Object.assign(stored, before)
        delete stored.activation
        failure = error instanceof RecordAway ? error.cause : error
      }
    })
    if (failure !== undefined) throw failure
  }

  async function takeUp(stored: StoredImport, spoolBytes: number | undefined): Promise<void> {
    const next = takeUpImport(stored, { store, spoolBytes, nowMs: now(), onFault })
    if (next === 'go-on') void start(stored, (control) => work(stored, control))
    if (next === 'begin-again') {
      await records.put(stored)
      queue.push(stored)
      startNext()
    }
    if (next === 'ended') await settle(stored)
  }

  /** An activation that was given up may have been on its way to Redis. */
  function lookAgain(stored: StoredImport): StoredImport {
    const isGivenUp = isFinished(stored) && stored.activation !== undefined
    if (isGivenUp && runner.isActive(stored)) records.put(stored).catch(onFault)
    return stored
  }

  async function cancel(importId: string, actor: Actor): Promise<ImportRecord> {
    const stored = records.get(importId)
    const { state } = lookAgain(stored).record
    const job = running.get(importId)
    if (job !== undefined && (state === 'parsing' || (state === 'activating' && retries.isTried(importId)))) {
      askToStop(job.control)
      await job.done
      if (stored.record.state !== 'cancelled') return cancel(importId, actor)
      await audit('cancel', stored, actor)
    } else if (state === 'queued' || (job === undefined && (isWaiting(stored) || retries.has(importId)))) {
      const index = queue.indexOf(stored)
      if (index >= 0) queue.splice(index, 1)
      if (runner.isActive(stored)) await settle(stored)
      else await drop(stored, actor)
    }
    if (stored.record.state !== 'cancelled') throw wrongState(stored.record)
    return structuredClone(stored.record)
  }

  return {
    async begin(request, actor) {
      const spool = request.spoolPath.split('/').at(-1) ?? ''
      try {
        assertCountry(request.country)
        listOf(store, request.list)
        if (queue.length >= IMPORTS_QUEUED_MAX || isClosed) {
          throw new ScreeningError('QUEUE_FULL', `${queue.length} imports are waiting.`, { retryAfterSeconds: 10 })
        }
        const { bytes } = await jobs.run({ kind: 'keep-spool', spoolPath: request.spoolPath })
        const stored = newImport(request, { actor, spool, spoolBytes: bytes, nowMs: now() })
        await records.put(stored)
        const begun = structuredClone(stored.record)
        const noted = audit('begin', stored, actor)
        queue.push(stored)
        startNext()
        await noted
        return begun
      } catch (error) {
        jobs.clean({ removeFiles: [spool] }).catch(onFault)
        throw error
      }
    },
    list: () => records.all().map((stored) => structuredClone(lookAgain(stored).record)),
    get: (importId) => structuredClone(lookAgain(records.get(importId)).record),
    async activate(importId, actor, { mustBeSecond } = { mustBeSecond: false }) {
      const stored = records.get(importId)
      // What can be seen to wait may still be on its way to the disk.
      if (isWaiting(stored)) await running.get(importId)?.done
      const { record } = lookAgain(stored)
      if (record.state === 'active') return structuredClone(record)
      if (!isWaiting(stored) || running.has(importId)) throw wrongState(record)
      if (mustBeSecond && record.actor === actor && needsSecondPerson(record.problem)) throw secondPersonNeeded(record)
      await activateStaged(stored, actor)
      return structuredClone(stored.record)
    },
    cancel,
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
      const interrupted = all.filter((stored) => !isFinished(stored) && !isWaiting(stored))
      for (const stored of interrupted.reverse())
        await takeUp(stored, files.find(({ name }) => name === stored.spool)?.bytes)
    },
    async close() {
      isClosed = true
      queue.length = 0
      retries.close()
      const stopped = [...running.values()]
      for (const { control } of stopped) askToStop(control)
      await Promise.all(stopped.map(({ done }) => done))
      for (const { stored } of stopped.filter(({ stored }) => !isFinished(stored) && !isWaiting(stored))) {
        // An orderly stop is no attempt.
        stored.attempts = Math.max(0, stored.attempts - 1)
        await records.put(stored)
      }
    },
  }
}
