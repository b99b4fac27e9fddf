import { ScreeningError } from '../domain/errors.ts'
import type { ImportCounts } from '../domain/import.ts'
import {
  CONTROL_BYTES,
  CONTROL_CANCEL,
  type ImportLimits,
  type JobProgress,
  type StageImportResult,
} from '../jobs/list-jobs.ts'
import type { LayerId, ListVersion, RecordStore } from '../stores/ports.ts'
import { createSlots } from '../stores/slots.ts'
import { type BuiltVersion, type ListChanges, type ListChangesOptions, listOf, listsOfKinds } from './change-list.ts'
import type { ActivatedVersion } from './find-activated.ts'
import { type ApprovedImport, type HoldReason, reasonToHold, reasonToLookAgain } from './hold-import.ts'
import { type ImportRecords, rejectedFile, type StoredImport } from './import-records.ts'
import type { KeyedLock } from './keyed-lock.ts'
import type { ListJobRunner } from './list-job-runner.ts'

/** A list that somebody keeps changing by hand while we build on it. */
const BUILDS_MAX = 3

export type RunImportOptions = ListChangesOptions & {
  /** Imports that are built at the same time, on request or by themselves: at least one less than job threads. */
  readonly runningMax: number
  /** `<dataDir>/imports`. */
  readonly directory: string
  /** IANA name: when the day of a bare expiry date ends. */
  readonly timeZone: string
  readonly limits: ImportLimits
}

export type RunImportDependencies = {
  readonly store: Pick<RecordStore, 'list' | 'lists' | 'lastSequence'>
  readonly records: ImportRecords
  readonly jobs: ListJobRunner
  readonly changes: ListChanges
  readonly lock: KeyedLock
  readonly notify: (sequence: number) => Promise<void>
  readonly now: () => number
}

export type ImportRunner = {
  /**
   * Parses, then previews, holds or activates. `control` is the word that cancels the job. All three reject with RecordAway
   * when the record takes no writes: what was built until then is in `stored.waiting`.
   */
  run(stored: StoredImport, control: SharedArrayBuffer): Promise<void>
  /**
   * Activates what was previewed or held, building it again when the list has changed since. False: built again it is too
   * big a change, so it goes on waiting, with what it is now in its record.
   */
  activateStaged(stored: StoredImport, control: SharedArrayBuffer, actor: string): Promise<boolean>
  /** Goes on with an activation that was begun (`stored.activation`). False as above. */
  goOn(stored: StoredImport, control: SharedArrayBuffer): Promise<boolean>
  /** Whether the import has become a version after all; then its record says so. */
  isActive(stored: StoredImport): boolean
}

export function createImportRunner(options: RunImportOptions, dependencies: RunImportDependencies): ImportRunner {
  const { store, records, jobs, changes, lock, notify, now } = dependencies
  // Always taken before the lock of a list, never while holding it: entries would wait for the imports of other lists.
  const slots = createSlots(options.runningMax)

  /** Runs the job and takes its findings into the record. The layer is reserved until `use` is done with it. */
  async function build<T>(
    stored: StoredImport,
    control: SharedArrayBuffer,
    use: (built: BuiltVersion, result: StageImportResult) => Promise<T>,
  ): Promise<T> {
    const { record } = stored
    const { active } = listOf(store, record.list)
    return jobs.withLayer(
      async (layerId) => {
        const result = await runJob(stored, control, layerId, active)
        Object.assign(record, { counts: result.counts, rejected: result.rejected, impact: result.impact, progress: 1 })
        const built: BuiltVersion = {
          layers: result.layers,
          entryCount: result.entryCount,
          importId: record.importId,
          builtOn: { version: active.version, layers: active.layers, entryCount: active.entryCount },
        }
        return use(built, result)
      },
      { isPatient: true },
    )
  }

  async function runJob(
    stored: StoredImport,
    control: SharedArrayBuffer,
    layerId: LayerId,
    active: ListVersion,
  ): Promise<StageImportResult> {
    const { record } = stored
    const channel = new MessageChannel()
    channel.port1.on('message', (message: JobProgress) => noteProgress(stored, message))
    try {
      return await jobs.run(
        {
          kind: 'stage-import',
          spoolPath: `${options.directory}/${stored.spool}`,
          rejectedPath: `${options.directory}/${rejectedFile(record.importId)}`,
          mode: record.mode,
          country: record.country,
          timeZone: options.timeZone,
          layerId,
          active: { layers: active.layers, entryCount: active.entryCount },
          // Protected lists first: the sample of clashes is short.
          heldAgainst: listsOfKinds(store.lists(), ['protected', 'allow'], record.list),
          limits: options.limits,
          nowMs: now(),
          control,
          progress: channel.port2,
        },
        [channel.port2],
      )
    } finally {
      // From here on the result speaks; a message that is still under way is older.
      channel.port1.close()
    }
  }

  async function activate(
    stored: StoredImport,
    built: BuiltVersion,
    actor: string,
    approved?: ApprovedImport,
  ): Promise<boolean> {
    const { record } = stored
    const { layers, entryCount, builtOn } = built
    record.state = 'activating'
    stored.waiting = { layers, entryCount, builtOn }
    stored.activation ??= { actor, since: store.lastSequence(), approved }
    await records.put(stored)
    const { since } = stored.activation
    const activated = await changes.activateBuilt(record.list, { ...built, importId: record.importId, since }, actor)
    if (activated === undefined) return false
    await notify(activated.sequence)
    noteActive(stored, activated)
    return true
  }

  function noteActive(stored: StoredImport, { version }: ActivatedVersion): void {
    const { record } = stored
    record.version = version
    record.state = 'active'
    record.finishedMs = now()
    delete record.problem
    delete stored.waiting
    delete stored.activation
  }

  function activatedVersion({ record, activation }: StoredImport): ActivatedVersion | undefined {
    return activation && changes.became(record.list, record.importId, activation.since)
  }

  function reasonOf({ record }: StoredImport, built: BuiltVersion, result: StageImportResult): HoldReason | undefined {
    const { kind } = listOf(store, record.list)
    const { counts, impact, entryCount: entryCountAfter } = result
    return reasonToHold({ kind, entryCount: built.builtOn.entryCount, entryCountAfter, counts, impact }, options)
  }

  /** From here on it waits for somebody, with what was built for it. */
  function wait(stored: StoredImport, built: BuiltVersion, problem: HoldReason | undefined): void {
    const { record } = stored
    const { layers, entryCount, builtOn } = built
    stored.waiting = { layers, entryCount, builtOn }
    delete stored.activation
    record.finishedMs = now()
    record.state = record.dryRun ? 'previewed' : 'held'
    delete record.problem
    if (problem !== undefined) record.problem = problem
  }

  /**
   * Builds with the list's lock held, so that the entries API cannot overtake it again. The list is another one than the
   * import was compared with before, so the rules are asked again: false when it waits for somebody now. `approved` is
   * what the person who activates has seen.
   */
  async function buildAndActivate(
    stored: StoredImport,
    control: SharedArrayBuffer,
    actor: string,
    approved?: ApprovedImport,
  ): Promise<boolean> {
    for (let attempt = 1; attempt <= BUILDS_MAX; attempt++) {
      try {
        const outcome = await build(stored, control, async (built, result) => {
          const found = reasonOf(stored, built, result)
          const problem = approved === undefined ? found : reasonToLookAgain(found, stored.record, approved)
          if (problem === undefined) return (await activate(stored, built, actor, approved)) ? 'active' : 'changed'
          wait(stored, built, problem)
          return 'waiting'
        })
        if (outcome !== 'changed') return outcome === 'active'
      } catch (error) {
        // Only a restore can come between: it does not wait for the lock.
        if (!(error instanceof ScreeningError && error.code === 'LIST_CHANGED') || attempt === BUILDS_MAX) throw error
      }
    }
    throw new ScreeningError('LIST_CHANGED', 'The list kept changing while the import was built.')
  }

  async function activateReady(stored: StoredImport, actor: string, approved?: ApprovedImport): Promise<boolean> {
    const { record, waiting } = stored
    const { active } = listOf(store, record.list)
    if (waiting === undefined || active.version !== waiting.builtOn.version) return false
    return activate(stored, { ...waiting, importId: record.importId }, actor, approved)
  }

  async function activateAny(
    stored: StoredImport,
    control: SharedArrayBuffer,
    actor: string,
    approved?: ApprovedImport,
  ): Promise<boolean> {
    const { list } = stored.record
    // Only building takes a slot: what is ready does not wait for an import of another list.
    if (await lock(list, () => activateReady(stored, actor, approved))) return true
    return slots(() => lock(list, () => buildAndActivate(stored, control, actor, approved)))
  }

  return {
    async run(stored, control) {
      const { record } = stored
      await slots(async () => {
        const isSettled = await build(stored, control, async (built, result) => {
          const problem = reasonOf(stored, built, result)
          if (record.dryRun || problem !== undefined) {
            wait(stored, built, problem)
            return true
          }
          return lock(record.list, () => activate(stored, built, record.actor)).catch((error: unknown) => {
            if (error instanceof ScreeningError && error.code === 'LIST_CHANGED') return false
            throw error
          })
        })
        if (!isSettled) await lock(record.list, () => buildAndActivate(stored, control, record.actor))
      })
    },

    activateStaged(stored, control, actor) {
      const { problem, counts, impact } = stored.record
      return activateAny(stored, control, actor, { problem, counts, impact })
    },

    async goOn(stored, control) {
      const { record, activation } = stored
      const activated = activatedVersion(stored)
      if (activated !== undefined) {
        await notify(activated.sequence)
        noteActive(stored, activated)
        return true
      }
      return activateAny(stored, control, activation?.actor ?? record.actor, activation?.approved)
    },

    isActive(stored) {
      const activated = activatedVersion(stored)
      if (activated !== undefined) noteActive(stored, activated)
      return activated !== undefined
    },
  }
}

export function createControlWord(): SharedArrayBuffer {
  return new SharedArrayBuffer(CONTROL_BYTES)
}

export function askToStop(control: SharedArrayBuffer): void {
  // Pairs with the loads in job-control.ts and isStopped.
  Atomics.store(new Int32Array(control), CONTROL_CANCEL, 1)
}

export function isStopped(control: SharedArrayBuffer): boolean {
  // Pairs with the store in askToStop.
  return Atomics.load(new Int32Array(control), CONTROL_CANCEL) !== 0
}

function noteProgress({ record }: StoredImport, { progress, counts }: JobProgress): void {
  if (record.state !== 'parsing' && record.state !== 'activating') return
  record.progress = Math.max(record.progress, Math.min(1, progress))
  if (counts !== undefined) record.counts = { ...record.counts, ...(counts as ImportCounts) }
}
