import { LISTS_MAX } from '../../domain/number-list.ts'
import { layerOfPlan } from '../kept-layers.ts'
import {
  assertActive,
  assertLayersFree,
  emptyVersion,
  kindConflict,
  listUnknown,
  tooManyLists,
  versionsToDrop,
  versionUnknown,
} from '../list-rules.ts'
import type { LayerRef, ListRecord, ListVersion, NumberingPlan, RecordStore } from '../ports.ts'
import type { MemoryLog } from './memory-log.ts'

type Plans = Pick<RecordStore, 'putNumberingPlan' | 'numberingPlans'>
type Lists = Plans &
  Pick<
    RecordStore,
    'putList' | 'lists' | 'list' | 'versions' | 'allocateLayer' | 'stageVersion' | 'activateVersion' | 'layersInUse'
  >

export function memoryLists(log: MemoryLog): Lists {
  const lists = new Map<string, ListRecord>()
  const versions = new Map<string, ListVersion[]>()
  const inUse = (): LayerRef[] => [
    ...[...versions.values()].flatMap((kept) => kept.flatMap(({ layers }) => layers)),
    ...plans.numberingPlans().map(layerOfPlan),
  ]
  const plans = memoryPlans(log, inUse)
  let lastLayerId = 0

  const require = (name: string): ListRecord => {
    const list = lists.get(name)
    if (list === undefined) throw listUnknown(name)
    return list
  }

  return {
    async putList(wanted, actor) {
      const known = lists.get(wanted.name)
      if (known !== undefined && known.kind !== wanted.kind) throw kindConflict(known, wanted.kind)
      if (known?.title === wanted.title) return { list: known, created: false }
      if (known === undefined && lists.size >= LISTS_MAX) throw tooManyLists()
      const createdMs = log.now()
      const active = emptyVersion(createdMs, actor)
      const list =
        known === undefined
          ? { listId: lists.size + 1, ...wanted, createdMs, activeVersion: 0, active }
          : { ...known, title: wanted.title }
      lists.set(list.name, list)
      log.change({ kind: 'list', name: list.name, version: list.activeVersion })
      log.audit(actor, known === undefined ? 'list.create' : 'list.retitle', list.name, { kind: list.kind })
      return { list, created: known === undefined }
    },
    lists: () => [...lists.values()].sort(byName),
    list: (name) => lists.get(name),
    versions: (name) => [...(versions.get(require(name).name) ?? [])],
    allocateLayer: async () => ++lastLayerId,
    async stageVersion(name, wanted, actor) {
      const list = require(name)
      assertLayersFree(wanted.layers, inUse())
      const kept = versions.get(name) ?? []
      const version = { version: (kept.at(-1)?.version ?? 0) + 1, ...wanted, createdMs: log.now(), actor }
      const dropped = new Set(versionsToDrop(kept, list.activeVersion))
      versions.set(name, [...kept.filter((candidate) => !dropped.has(candidate)), version])
      log.audit(actor, 'list.stage', name, { version: version.version, entryCount: version.entryCount })
      return version
    },
    async activateVersion(name, version, options, actor) {
      const known = require(name)
      assertActive(known, options.expectedActive)
      if (version === known.activeVersion) return { list: known, sequence: log.lastSequence() }
      const active = versions.get(name)?.find((candidate) => candidate.version === version)
      if (active === undefined) throw versionUnknown(name, version)
      const list = { ...known, activeVersion: version, active }
      lists.set(name, list)
      const sequence = log.change({ kind: 'list', name, version })
      const { entryCount } = active
      log.audit(actor, 'list.activate', name, { version, before: known.activeVersion, entryCount })
      return { list, sequence }
    },
    layersInUse() {
      const layers = new Set<number>()
      for (const kept of versions.values()) {
        for (const version of kept) for (const layer of version.layers) layers.add(layer.layerId)
      }
      for (const plan of plans.numberingPlans()) layers.add(plan.layerId)
      return layers
    },
    ...plans,
  }
}

function memoryPlans(log: MemoryLog, inUse: () => LayerRef[]): Plans {
  const plans = new Map<string, NumberingPlan>()
  return {
    async putNumberingPlan(wanted, actor) {
      assertLayersFree([layerOfPlan(wanted)], inUse())
      const plan = { ...wanted, version: (plans.get(wanted.name)?.version ?? 0) + 1 }
      plans.set(plan.name, plan)
      const sequence = log.change({ kind: 'numbering', name: plan.name, version: plan.version })
      log.audit(actor, 'numbering.put', plan.name, { version: plan.version, ranges: plan.rangeCount })
      return { plan, sequence }
    },
    numberingPlans: () => [...plans.values()].sort(byName),
  }
}

/** The order LMDB keeps: by bytes, not by language. */
function byName(a: { name: string }, b: { name: string }): number {
  return Buffer.compare(Buffer.from(a.name), Buffer.from(b.name))
}
