/** What every implementation of the record store answers in the same way about lists. */
import { ScreeningError } from '../domain/errors.ts'
import { LISTS_MAX, type ListKind } from '../domain/number-list.ts'
import { isSameLayer } from './layer-rows.ts'
import { type Actor, type LayerRef, type ListRecord, type ListVersion, VERSIONS_KEPT } from './ports.ts'

export function emptyVersion(createdMs: number, actor: Actor): ListVersion {
  return { version: 0, layers: [], entryCount: 0, createdMs, actor }
}

/** Which of the kept versions (oldest first) drop off when one more is added: never the active one. */
export function versionsToDrop(kept: readonly ListVersion[], activeVersion: number): ListVersion[] {
  const droppable = kept.filter((version) => version.version !== activeVersion)
  // Single entries make versions too: twenty of them must not push out the imports an analyst may want back.
  droppable.sort((a, b) => Number(a.importId !== undefined) - Number(b.importId !== undefined) || a.version - b.version)
  return droppable.slice(0, Math.max(0, kept.length + 1 - VERSIONS_KEPT))
}

/** Throws LIST_CHANGED when somebody else activated a version in between. */
export function assertActive(list: ListRecord, expectedActive: number | undefined): void {
  if (expectedActive === undefined || expectedActive === list.activeVersion) return
  throw new ScreeningError(
    'LIST_CHANGED',
    `Version ${list.activeVersion} of list ${list.name} is active, expected ${expectedActive}.`,
    { hint: 'Look at the list again and repeat the change on the version that is active now.' },
  )
}

/**
 * Throws LIST_CHANGED when a layer id of `wanted` names other contents among `inUse`, what kept versions and plans point to:
 * two nodes may be given one id when Redis loses its counter in a failover, and the first fact has it.
 */
export function assertLayersFree(wanted: readonly LayerRef[], inUse: Iterable<LayerRef>): void {
  for (const known of inUse) {
    const layer = wanted.find(({ layerId }) => layerId === known.layerId)
    if (layer !== undefined && !isSameLayer({ ...known, blockCount: 0, dictionaryCount: 0 }, layer)) {
      throw layerTaken(layer)
    }
  }
}

export function layerTaken({ layerId }: Pick<LayerRef, 'layerId'>): ScreeningError {
  return new ScreeningError('LIST_CHANGED', `Layer ${layerId} has other contents than these by now.`, {
    hint: 'Send the change again: it gets a layer of its own.',
    layerId,
  })
}

/** Whether the change was refused only because of its layer id: built again under another one it may fit. */
export function isLayerTaken(error: unknown): boolean {
  return error instanceof ScreeningError && error.code === 'LIST_CHANGED' && error.details.layerId !== undefined
}

/** Another node's version has the place of the one that was meant. */
export function versionReplaced(list: ListRecord): ScreeningError {
  return new ScreeningError(
    'LIST_CHANGED',
    `List ${list.name} has other versions than those that were meant; version ${list.activeVersion} is active.`,
    { hint: 'Look at the list again and repeat the change on the version that is active now.' },
  )
}

export function listUnknown(name: string): ScreeningError {
  return new ScreeningError('LIST_UNKNOWN', `There is no list ${name}.`, {
    hint: 'Create it with PUT /v1/lists/{name}.',
  })
}

export function versionUnknown(name: string, version: number): ScreeningError {
  return new ScreeningError('VERSION_UNKNOWN', `List ${name} has no version ${version}.`, {
    hint: `The newest ${VERSIONS_KEPT} versions can be restored.`,
  })
}

export function kindConflict(list: ListRecord, kind: ListKind): ScreeningError {
  return new ScreeningError('LIST_KIND_CONFLICT', `List ${list.name} is a ${list.kind} list, not ${kind}.`, {
    hint: 'Choose another name: the kind of a list never changes.',
  })
}

export function tooManyLists(): ScreeningError {
  return new ScreeningError('LISTS_TOO_MANY', `There are ${LISTS_MAX} lists already.`, {
    hint: 'Put the entries on an existing list of the same kind.',
  })
}
