/** What a node says when a list cannot come into force here, because contents of it are not to be had. */
import { ScreeningError } from '../../domain/errors.ts'
import { layerName } from '../layer-rows.ts'
import type { LayerRef } from '../ports.ts'

/** It passes when a node that has the contents pushes them; until then nothing that is in force changes. */
export function contentsMissing(layers: readonly LayerRef[]): ScreeningError {
  const [first] = layers
  const message = `Redis has not the contents of layer ${first?.layerId}, which a list in force needs.`
  return new ScreeningError('CONTENTS_MISSING', message, {
    hint: 'A node that has them gives them back within seconds: start the node where the list was imported.',
    layerIds: layers.map(({ layerId }) => layerId),
  })
}

/**
 * Throws RECORD_DAMAGED when one of `missing` was fetched already (layerName): then it does not stay here, and fetching it
 * again and again would not end.
 */
export function assertNotFetched(missing: readonly LayerRef[], fetched: ReadonlySet<string>): void {
  const layer = missing.find((candidate) => fetched.has(layerName(candidate)))
  if (layer === undefined) return
  const message = `The contents of layer ${layer.layerId} were fetched and are not here: two lists name it for different contents.`
  throw new ScreeningError('RECORD_DAMAGED', message, {
    hint: 'Import one of the lists that were changed last again, on a node that follows the record.',
    layerId: layer.layerId,
  })
}
