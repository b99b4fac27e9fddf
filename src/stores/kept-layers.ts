import type { FactBody } from './fact.ts'
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

/** A plan has ranges alone. */
export function layerOfPlan(plan: { layerId: number; rangeCount: number; stamp?: number }): LayerRef {
  const { layerId, rangeCount, stamp = 0 } = plan
  return { layerId, numberCount: 0, rangeCount, stamp }
}

/** Contents without which the fact cannot come into force. */
export function layersOfFact(fact: FactBody): readonly LayerRef[] {
  if (fact.kind === 'list-stage') return fact.version.layers
  return fact.kind === 'numbering-put' ? [layerOfPlan(fact.plan)] : []
}
