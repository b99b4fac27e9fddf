/** What has become of an import whose activation was not answered. */
import { ScreeningError } from '../domain/errors.ts'
import type { ListVersion, NewListVersion, RecordStore } from '../stores/ports.ts'

const CHANGES_PAGE = 4_096

export type ActivatedVersion = { readonly version: number; readonly sequence: number }

/**
 * The version that an import became, when it is in force or was since this entry of the change log: somebody may have
 * changed the list again already. Undefined too when the change log does not reach back that far any more.
 */
export function findActivated(
  store: Pick<RecordStore, 'list' | 'versions' | 'changesAfter' | 'lastSequence'>,
  name: string,
  importId: string,
  since: number,
): ActivatedVersion | undefined {
  const active = store.list(name)?.active
  if (active?.importId === importId) return { version: active.version, sequence: store.lastSequence() }
  const own = new Set(versionsOf(store, name, importId).map(({ version }) => version))
  if (own.size === 0) return undefined
  try {
    for (let after = since; ; ) {
      const page = store.changesAfter(after, CHANGES_PAGE)
      for (const change of page) {
        const isOurs = change.kind === 'list' && change.name === name && own.has(change.version)
        if (isOurs) return { version: change.version, sequence: change.sequence }
      }
      const last = page.at(-1)
      if (last === undefined) return undefined
      after = last.sequence
    }
  } catch (error) {
    if (error instanceof ScreeningError && error.code === 'CHANGES_TRIMMED') return undefined
    throw error
  }
}

/** A version with these very contents that was staged for the import before: trying again must not push the history out. */
export function findStaged(
  store: Pick<RecordStore, 'list' | 'versions'>,
  name: string,
  { importId, layers }: NewListVersion & { readonly importId: string },
): ListVersion | undefined {
  return versionsOf(store, name, importId).findLast(
    (version) =>
      version.layers.length === layers.length &&
      version.layers.every(({ layerId }, index) => layerId === layers[index]?.layerId),
  )
}

function versionsOf(store: Pick<RecordStore, 'list' | 'versions'>, name: string, importId: string): ListVersion[] {
  return store.list(name) === undefined ? [] : store.versions(name).filter((version) => version.importId === importId)
}
