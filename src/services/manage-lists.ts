import { ScreeningError } from '../domain/errors.ts'
import { LIST_NAME_PATTERN, type ListKind } from '../domain/number-list.ts'
import type { Actor, ListContents, ListRecord, ListVersion, RecordStore } from '../stores/ports.ts'
import { createListReaders, type ListReader } from './export-list.ts'

export type ListDesk = {
  all(): ListRecord[]
  /** Throws LIST_UNKNOWN. */
  get(name: string): ListRecord
  /** Oldest first. Throws LIST_UNKNOWN. */
  versions(name: string): ListVersion[]
  /** Makes a list or changes its title. Rejects with LIST_NAME_INVALID, LIST_KIND_CONFLICT, LISTS_TOO_MANY. */
  put(
    list: { name: string; kind: ListKind; title: string | undefined },
    actor: Actor,
  ): Promise<{ list: ListRecord; created: boolean }>
  /** Makes an older version the active one, in force everywhere when it resolves. */
  restore(name: string, version: number, expectedActive: number | undefined, actor: Actor): Promise<ListRecord>
  /** Reads a version in order; the active one when none is named. Throws LIST_UNKNOWN, VERSION_UNKNOWN. */
  open(name: string, version: number | undefined): { list: ListRecord; version: ListVersion; reader: ListReader }
  /** False: the version dropped off while it was read, so what was read may be incomplete. */
  isKept(name: string, version: number): boolean
}

export type ListDeskDependencies = {
  readonly store: Pick<RecordStore, 'lists' | 'list' | 'versions' | 'putList' | 'activateVersion' | 'lastSequence'>
  readonly contents: Pick<ListContents, 'readNumbers' | 'readRanges' | 'dictionary'>
  readonly notify: (sequence: number) => Promise<void>
}

export function createListDesk(deps: ListDeskDependencies): ListDesk {
  const openReader = createListReaders(deps.contents)

  function get(name: string): ListRecord {
    const list = LIST_NAME_PATTERN.test(name) ? deps.store.list(name) : undefined
    if (list === undefined) throw new ScreeningError('LIST_UNKNOWN', 'There is no list with this name.')
    return list
  }

  return {
    all: () => deps.store.lists(),
    get,
    versions: (name) => deps.store.versions(get(name).name),
    async put({ name, kind, title }, actor) {
      if (!LIST_NAME_PATTERN.test(name)) {
        throw new ScreeningError('LIST_NAME_INVALID', 'The name cannot be a list name.')
      }
      const known = deps.store.list(name)
      const result = await deps.store.putList({ name, kind, title: title ?? known?.title ?? name }, actor)
      await deps.notify(deps.store.lastSequence())
      return result
    },
    async restore(name, version, expectedActive, actor) {
      get(name)
      const options = expectedActive === undefined ? {} : { expectedActive }
      const { list, sequence } = await deps.store.activateVersion(name, version, options, actor)
      await deps.notify(sequence)
      return list
    },
    open(name, wanted) {
      const list = get(name)
      const version =
        wanted === undefined || wanted === list.activeVersion
          ? list.active
          : deps.store.versions(name).find((one) => one.version === wanted)
      if (version === undefined) {
        throw new ScreeningError('VERSION_UNKNOWN', `List ${name} has no version ${wanted} any more.`)
      }
      return { list, version, reader: openReader(version) }
    },
    isKept(name, version) {
      const list = deps.store.list(name)
      if (list === undefined) return false
      return list.activeVersion === version || deps.store.versions(name).some((one) => one.version === version)
    },
  }
}
