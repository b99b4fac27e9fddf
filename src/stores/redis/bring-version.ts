import { setTimeout as sleep } from 'node:timers/promises'
import { ScreeningError } from '../../domain/errors.ts'
import type { LayerRef, RecordStore } from '../ports.ts'
import type { LayerTraffic } from './redis-record-store.ts'

export type BringVersionDependencies = {
  readonly reads: Pick<RecordStore, 'list' | 'versions'>
  readonly layers: Pick<LayerTraffic, 'fetch' | 'has'>
}

/** A node that has what another one looked for in vain gives it within a second, and a large layer takes another. */
const TRIES = 4
const PAUSE_MS = 1_000

/**
 * Before a version comes into force everywhere: its contents are here, or fetched. An activation that no node has the contents
 * for would hold up all of them. What is not known here passes: the activation itself says so. Rejects with CONTENTS_GONE.
 */
export async function bringVersion(
  name: string,
  version: number,
  { reads, layers }: BringVersionDependencies,
): Promise<void> {
  const list = reads.list(name)
  if (list === undefined || version === list.activeVersion) return
  const meant = reads.versions(name).find((kept) => kept.version === version)
  let missing: readonly LayerRef[] = meant?.layers ?? []
  for (let tried = 1; ; tried++) {
    missing = missing.filter((layer) => !layers.has(layer))
    if (missing.length === 0) return
    const gone = await layers.fetch(missing)
    if (gone.length === 0) return
    if (tried === TRIES) throw contentsGone(name, version, gone)
    await sleep(PAUSE_MS)
  }
}

function contentsGone(name: string, version: number, layers: readonly LayerRef[]): ScreeningError {
  const message = `Neither this node nor Redis has the contents of version ${version} of list ${name}: it stays as it is.`
  return new ScreeningError('CONTENTS_GONE', message, {
    hint: 'Start the node where that version was imported and ask again, or restore another version.',
    layerIds: layers.map(({ layerId }) => layerId),
  })
}
