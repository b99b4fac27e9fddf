/** What a node says when a list cannot come into force here, because contents of it are not to be had. */
import { ScreeningError } from '../../domain/errors.ts'
import { layerName } from '../layer-rows.ts'
import type { RecordReads } from '../lmdb/record-reads.ts'
import type { LayerRef } from '../ports.ts'
import { ownFailure } from './own-failure.ts'
import type { FollowerDependencies } from './record-follower.ts'

const GIVEN_BACK = 'A node that has them gives them back within seconds: start the node where the list was imported. '
const COMES = 'Are they gone for good, put another version of that list in force: zaslon lists restore NAME VERSION'
const COMES_AGAIN = 'Are they gone for good, write what this node has to Redis: zaslon record restore'

/**
 * It passes when a node that has the contents pushes them; until then nothing that is in force changes. `isTakenBack`: they were
 * in force before, and come again because Redis has lost what replaced them.
 */
export function contentsMissing(
  layers: readonly LayerRef[],
  reads: ListReads,
  { isTakenBack }: { readonly isTakenBack: boolean } = { isTakenBack: false },
): ScreeningError {
  const [first] = layers
  const whose = first === undefined ? undefined : versionWith(first, reads)
  const which = whose === undefined ? 'which a list in force needs' : `which version ${whose} needs`
  const why = isTakenBack ? ' again, because Redis has lost what replaced it' : ''
  return new ScreeningError(
    'CONTENTS_MISSING',
    `Redis has not the contents of layer ${first?.layerId}, ${which}${why}.`,
    { hint: GIVEN_BACK + (isTakenBack ? COMES_AGAIN : COMES), layerIds: layers.map(({ layerId }) => layerId) },
  )
}

type ListReads = Pick<RecordReads, 'lists' | 'versions'>

/** The version that points to the layer, as this node knows it, for people. */
function versionWith({ layerId }: LayerRef, { lists, versions }: ListReads): string | undefined {
  for (const { name } of lists()) {
    const version = versions(name).find(({ layers }) => layers.some((layer) => layer.layerId === layerId))
    if (version !== undefined) return `${version.version} of list ${name}`
  }
  return undefined
}

/**
 * Resolves with those that Redis does not have. Throws RECORD_DAMAGED when one of `missing` is among `fetched` (layerName)
 * already: then it does not stay here, and fetching it again and again would not end.
 */
export async function fetchMissing(
  missing: readonly LayerRef[],
  { fetched, fetchLayers }: { fetched: Set<string> } & Pick<FollowerDependencies, 'fetchLayers'>,
): Promise<readonly LayerRef[]> {
  const again = missing.find((layer) => fetched.has(layerName(layer)))
  if (again !== undefined) throw doesNotStay(again)
  const gone = await fetchLayers(missing).catch(fetchFailure)
  for (const layer of missing) if (!gone.includes(layer)) fetched.add(layerName(layer))
  return gone
}

function doesNotStay({ layerId }: LayerRef): ScreeningError {
  const message = `The contents of layer ${layerId} were fetched and are not here: two lists name it for different contents.`
  const hint = 'Import one of the lists that were changed last again, on a node that follows the record.'
  return new ScreeningError('RECORD_DAMAGED', message, { layerId, hint })
}

/** What lists.mdb refuses, a full disk most of all, is this node's; the rest is of Redis. */
function fetchFailure(error: unknown): never {
  const isOurs = error instanceof ScreeningError && (error.code === 'STORAGE_FULL' || error.code === 'STORAGE_FAILED')
  if (isOurs) return ownFailure(error)
  throw error
}
