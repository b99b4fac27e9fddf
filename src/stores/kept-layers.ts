import type { FactBody } from './fact.ts'
import { layerName } from './layer-rows.ts'
import { versionsOfRows } from './lmdb/row-layers.ts'
import type { LayerRef, RecordStore } from './ports.ts'

/** Every layer that a kept version of a list or a numbering plan points to, once. */
export function keptLayers(store: Pick<RecordStore, 'lists' | 'versions' | 'numberingPlans'>): LayerRef[] {
  const lists = store.lists()
  const layers = [
    ...lists.flatMap(({ active }) => active.layers),
    ...lists.flatMap(({ name }) => store.versions(name).flatMap((version) => version.layers)),
    ...store.numberingPlans().map(layerOfPlan),
  ]
  return [...new Map(layers.map((layer) => [layer.layerId, layer])).values()]
}

/** What the active versions of all lists and the numbering plans point to. */
export function layersInForce(store: Pick<RecordStore, 'lists' | 'numberingPlans'>): LayerRef[] {
  return [...store.lists().flatMap(({ active }) => active.layers), ...store.numberingPlans().map(layerOfPlan)]
}

/**
 * Pushes what of it this node has; resolves when all of that is whole in Redis. Lists change meanwhile: a layer that no version
 * points to any more may be gone before its turn, and is needed by nobody.
 */
export async function pushKeptLayers({
  replica,
  layers,
}: {
  replica: Pick<RecordStore, 'lists' | 'versions' | 'numberingPlans'>
  layers: { has(layer: LayerRef): boolean; push(layers: readonly LayerRef[]): Promise<void> }
}): Promise<void> {
  for (const layer of keptLayers(replica)) {
    if (!layers.has(layer)) continue
    try {
      await layers.push([layer])
    } catch (error) {
      if (layers.has(layer)) throw error
    }
  }
}

/** The layers that a fact points to: their contents go before it. Of a fact that cannot be applied: those that can be told. */
export function layersOfFact(fact: FactBody): readonly LayerRef[] {
  if (fact.kind === 'list-stage') return refsIn(fact.version?.layers)
  if (fact.kind === 'numbering-put') return refsIn([fact.plan]).length === 1 ? [layerOfPlan(fact.plan)] : []
  if (fact.kind !== 'desk-rows') return []
  const { versions, plans } = versionsOfRows(fact)
  const layers = [...versions.flatMap((version) => refsIn(version.layers)), ...plans.map(layerOfPlan)]
  return [...new Map(refsIn(layers).map((layer) => [layerName(layer), layer])).values()]
}

/** The fields of a fact were not looked at when it was read from Redis. */
function refsIn<T extends Pick<LayerRef, 'layerId'>>(layers: readonly T[] | undefined): readonly T[] {
  return Array.isArray(layers) ? layers.filter((layer) => Number.isSafeInteger(layer?.layerId)) : []
}

/** A plan has ranges alone. */
export function layerOfPlan(plan: { layerId: number; rangeCount: number; stamp?: number }): LayerRef {
  const { layerId, rangeCount, stamp = 0 } = plan
  return { layerId, numberCount: 0, rangeCount, stamp }
}
