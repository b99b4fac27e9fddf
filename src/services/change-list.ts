/**
 * The last step of every change to a list: from a layer that a job wrote to the version in force. Changes of one list
 * take turns here, so a big import and single entries never undo each other.
 */
import { ScreeningError } from '../domain/errors.ts'
import type { ListEntry, ListKind } from '../domain/number-list.ts'
import { CHANGE_ENTRIES_MAX, type ChangeEntriesResult, type JobList, type JobVersion } from '../jobs/list-jobs.ts'
import { isLayerTaken } from '../stores/list-rules.ts'
import {
  type Actor,
  type ListRecord,
  type ListVersion,
  type NewListVersion,
  type RecordStore,
  VERSIONS_KEPT,
} from '../stores/ports.ts'
import { type ActivatedVersion, findActivated, findStaged } from './find-activated.ts'
import { BLOCKING_KINDS, blocksTooMuch, type HoldOptions } from './hold-import.ts'
import type { KeyedLock } from './keyed-lock.ts'
import type { ListJobRunner } from './list-job-runner.ts'
import { recordStep } from './patience.ts'

/**
 * Every single entry writes a layer, and pushes one that no kept version needs any more out of the history. Cleaning reads
 * the names of all layers and gates: once in so many changes costs nothing and lets hardly anything pile up.
 */
const CHANGES_PER_CLEANING = VERSIONS_KEPT
/** Somebody may restore an old version between two steps; more often than this in a row is a fault. */
const ATTEMPTS_MAX = 3
/** Well within the 30 s of a request, with time left for the change itself; an import may hold a list for longer. */
const LOCK_WAIT_MS = 10_000

export type EntriesChange = {
  readonly mode: 'append' | 'remove'
  readonly list: string
  readonly entries: readonly ListEntry[]
  /** True: a person has looked at these very numbers, whatever they block. */
  readonly isReviewed: boolean
}

export type ListChanges = {
  /**
   * Adds or takes away a few entries; in force everywhere when it resolves. Rejects with LIST_UNKNOWN, LIST_CHANGED,
   * IMPORT_TOO_WIDE, and with ENTRIES_NEED_PREVIEW when an import of these entries would be held for what they block.
   */
  changeEntries(change: EntriesChange, actor: Actor): Promise<ChangeEntriesResult>
  /**
   * Stages and activates a version built on `builtOn`. Undefined: the list changed meanwhile in a way that only building
   * again can take in, or another node has a layer of the same id in use. The caller holds the list's lock. Rejects with LIST_CHANGED, and with RecordAway when the record
   * takes no writes.
   */
  activateBuilt(name: string, built: BuiltImport, actor: Actor): Promise<ActivatedVersion | undefined>
  /** The version that an import became, when it is in force or was since this entry of the change log. */
  became(name: string, importId: string, since: number): ActivatedVersion | undefined
}

export type BuiltVersion = NewListVersion & {
  readonly builtOn: { readonly version: number } & JobVersion
}
/** `since`: newest entry of the change log when its activation began. */
type BuiltImport = BuiltVersion & { readonly importId: string; readonly since: number }

type ImportActivation = {
  readonly name: string
  readonly version: NewListVersion & { readonly importId: string }
  readonly active: ListVersion
  readonly since: number
}

export type ListChangesDependencies = {
  readonly store: Pick<
    RecordStore,
    'list' | 'lists' | 'versions' | 'lastSequence' | 'changesAfter' | 'stageVersion' | 'activateVersion'
  >
  readonly jobs: ListJobRunner
  readonly lock: KeyedLock
  /** Resolves when every verdict process has the change. */
  readonly notify: (sequence: number) => Promise<void>
  readonly now: () => number
  /** Garbage that could not be removed: for the log. */
  readonly onFault: (error: unknown) => void
}

export type ListChangesOptions = HoldOptions & {
  /** How long the activation of an import is tried at once; a few seconds by default. */
  readonly patienceMs?: number
  /** How long single entries wait for another change of their list. */
  readonly lockWaitMs?: number
}

export function createListChanges(options: ListChangesOptions, dependencies: ListChangesDependencies): ListChanges {
  const { store, jobs, lock, notify, now, onFault } = dependencies
  let changesSinceCleaning = 0

  async function stageAndActivate(name: string, version: NewListVersion, active: ListVersion, actor: Actor) {
    const staged = await store.stageVersion(name, version, actor)
    const { sequence } = await store.activateVersion(name, staged.version, { expectedActive: active.version }, actor)
    return { version: staged.version, sequence }
  }

  /** What was said to be unknown may have happened: each try looks first. */
  async function activateImport({ name, version, active, since }: ImportActivation, actor: Actor) {
    let isUnknown = false
    const work = async () => {
      const became = findActivated(store, name, version.importId, since)
      if (became !== undefined) return became
      const staged = findStaged(store, name, version) ?? (await store.stageVersion(name, version, actor))
      try {
        const how = { expectedActive: active.version }
        const { sequence } = await store.activateVersion(name, staged.version, how, actor)
        return { version: staged.version, sequence }
      } catch (error) {
        isUnknown ||= error instanceof ScreeningError && error.code === 'UNAVAILABLE'
        throw error
      }
    }
    const { patienceMs } = options
    return recordStep(work, now, {
      isUnknown: () => isUnknown,
      ...(patienceMs === undefined ? {} : { patienceMs }),
    })
  }

  async function changeOnce({ mode, list: name, entries, isReviewed }: EntriesChange, actor: Actor) {
    const { active, kind } = listOf(store, name)
    const isAsked = mode === 'append' && !isReviewed && BLOCKING_KINDS.includes(kind)
    const heldAgainst = isAsked ? { heldAgainst: listsOfKinds(store.lists(), ['protected'], name) } : {}
    return jobs.withLayer(async (layerId) => {
      const result = await jobs.run({
        kind: 'change-entries',
        mode,
        entries,
        layerId,
        active,
        ...heldAgainst,
        nowMs: now(),
      })
      const { impact, added } = result
      // Whoever only writes another reason to entries that are there already blocks nothing new.
      const problem = impact === undefined || added === 0 ? undefined : blocksTooMuch({ kind, impact }, options)
      if (problem !== undefined) throw needPreview(problem.detail)
      if (!result.written && result.added + result.removed + result.updated === 0) return { result, sequence: 0 }
      const version = { layers: result.layers, entryCount: result.entryCount }
      const { sequence } = await stageAndActivate(name, version, active, actor)
      return { result, sequence }
    })
  }

  /** Refused changes count too: they have written their layer. */
  function cleanSometimes(): void {
    if (++changesSinceCleaning < CHANGES_PER_CLEANING) return
    changesSinceCleaning = 0
    jobs.clean().catch(onFault)
  }

  return {
    async changeEntries(change, actor) {
      const { list: name, entries } = change
      if (entries.length > CHANGE_ENTRIES_MAX) {
        throw new ScreeningError('BODY_TOO_LARGE', `At most ${CHANGE_ENTRIES_MAX} entries are taken at once.`, {
          hint: 'Upload a list instead.',
        })
      }
      listOf(store, name)
      const { result, sequence } = await lock(name, () => retryWhenChanged(() => changeOnce(change, actor)), {
        waitMs: options.lockWaitMs ?? LOCK_WAIT_MS,
      }).finally(cleanSometimes)
      if (sequence > 0) await notify(sequence)
      return result
    },
    async activateBuilt(name, built, actor) {
      const { active } = listOf(store, name)
      const { builtOn, since, ...version } = built
      if (active.version === builtOn.version) {
        return activateImport({ name, version, active, since }, actor).catch((error: unknown) => {
          if (isLayerTaken(error)) return undefined
          throw error
        })
      }
      if (!isRebasable(version, builtOn, active)) return undefined
      return jobs.withLayer(
        async (layerId) => {
          const job = { kind: 'rebase-import', built: version, builtOn, active, layerId, nowMs: now() } as const
          const { layers, entryCount } = await jobs.run(job)
          return activateImport({ name, version: { ...version, layers, entryCount }, active, since }, actor)
        },
        { isPatient: true },
      )
    },
    became: (name, importId, since) => findActivated(store, name, importId, since),
  }
}

/** Active versions of the lists of these kinds, in this order, but one. */
export function listsOfKinds(lists: readonly ListRecord[], kinds: readonly ListKind[], but: string): JobList[] {
  const others = lists.filter(({ name }) => name !== but)
  return kinds.flatMap((kind) =>
    others.filter((list) => list.kind === kind).map(({ name, active }) => ({ name, kind, layers: active.layers })),
  )
}

function needPreview(detail: string): ScreeningError {
  return new ScreeningError(
    'ENTRIES_NEED_PREVIEW',
    `The entries were not added. ${detail.replace(/^It /, 'The change ')}`,
  )
}

/** Throws LIST_UNKNOWN. */
export function listOf(store: Pick<RecordStore, 'list'>, name: string): ListRecord {
  const list = store.list(name)
  if (list === undefined) throw new ScreeningError('LIST_UNKNOWN', 'There is no list with this name.')
  return list
}

/** A new base can take in what only the delta above the old base has gained. */
function isRebasable(version: NewListVersion, builtOn: JobVersion, active: JobVersion): boolean {
  const before = builtOn.layers.at(-1)?.layerId
  const isNewBase = version.layers.length === 1 && version.layers[0]?.layerId !== before
  return isNewBase && before !== undefined && before === active.layers.at(-1)?.layerId
}

async function retryWhenChanged<T>(change: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await change()
    } catch (error) {
      const isChanged = error instanceof ScreeningError && error.code === 'LIST_CHANGED'
      if (!isChanged || attempt === ATTEMPTS_MAX) throw error
    }
  }
}
