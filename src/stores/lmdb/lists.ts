import { ScreeningError } from '../../domain/errors.ts'
import { LISTS_MAX } from '../../domain/number-list.ts'
import type { FactOf } from '../fact.ts'
import { layerOfPlan } from '../kept-layers.ts'
import {
  assertLayersFree,
  emptyVersion,
  kindConflict,
  listUnknown,
  tooManyLists,
  versionReplaced,
  versionsToDrop,
} from '../list-rules.ts'
import type { Actor, LayerId, LayerRef, ListRecord, ListVersion, NumberingPlan, RecordStore } from '../ports.ts'
import { VERSIONS_KEPT } from '../ports.ts'
import { versionMark } from '../record-marks.ts'
import { readCounters, writeCounters } from './counters.ts'
import type { Environment } from './environment.ts'
import { LIVE_SPACE, makeKey } from './keys.ts'
import { decodeJson, encodeJson } from './values.ts'
import type { WriteSet } from './write-set.ts'

export type ListReads = Pick<RecordStore, 'lists' | 'list' | 'versions' | 'layersInUse' | 'numberingPlans'>

/** Numbering plans one node holds: as many as countries and operators anybody imports. */
const PLANS_MAX = 256

const listKey = (name: string) => makeKey(LIVE_SPACE.list, { text: name })
const planKey = (name: string) => makeKey(LIVE_SPACE.numberingPlan, { text: name })
const versionKey = (listId: number, version: number) =>
  makeKey(LIVE_SPACE.listVersion, { u16: listId }, { u32: version })

export function listReads(environment: Environment): ListReads {
  return {
    lists() {
      environment.refresh()
      return readAll<ListRecord>(environment, LIVE_SPACE.list, LISTS_MAX)
    },
    list(name) {
      environment.refresh()
      return environment.json<ListRecord>(listKey(name))
    },
    versions(name) {
      environment.refresh()
      return readVersions(environment, requireList(environment, name).listId)
    },
    layersInUse() {
      environment.refresh()
      const layers = new Set<number>()
      for (const list of readAll<ListRecord>(environment, LIVE_SPACE.list, LISTS_MAX)) {
        for (const version of readVersions(environment, list.listId)) {
          for (const layer of version.layers) layers.add(layer.layerId)
        }
      }
      for (const plan of readAll<NumberingPlan>(environment, LIVE_SPACE.numberingPlan, PLANS_MAX))
        layers.add(plan.layerId)
      return layers
    },
    numberingPlans() {
      environment.refresh()
      return readAll<NumberingPlan>(environment, LIVE_SPACE.numberingPlan, PLANS_MAX)
    },
  }
}

/** What the active versions of all lists and the numbering plans point to. */
export function layersInForce(environment: Environment): LayerRef[] {
  const lists = readAll<ListRecord>(environment, LIVE_SPACE.list, LISTS_MAX)
  const plans = readAll<NumberingPlan>(environment, LIVE_SPACE.numberingPlan, PLANS_MAX)
  return [...lists.flatMap((list) => list.active.layers), ...plans.map(layerOfPlan)]
}

/** Reserves a layer id for a node that is its own record. */
export function nextLayerId(environment: Environment, writes: WriteSet): LayerId {
  const counters = readCounters(environment)
  const layerId = counters.layerId + 1
  writeCounters(writes, { ...counters, layerId })
  return layerId
}

/** Throws LIST_KIND_CONFLICT, LISTS_TOO_MANY. */
export function putList(
  environment: Environment,
  writes: WriteSet,
  { name, listKind: kind, title, actor }: FactOf<'list-put'>,
): { list: ListRecord; created: boolean } {
  const known = environment.json<ListRecord>(listKey(name))
  if (known !== undefined && known.kind !== kind) throw kindConflict(known, kind)
  if (known !== undefined && known.title === title) return { list: known, created: false }
  const list = known === undefined ? newList(environment, writes, { name, kind, title }, actor) : { ...known, title }
  writes.put(listKey(list.name), encodeJson(list))
  writes.change({ kind: 'list', name: list.name, version: list.activeVersion })
  writes.audit(actor, known === undefined ? 'list.create' : 'list.retitle', list.name, { kind: list.kind })
  return { list, created: known === undefined }
}

function newList(
  environment: Environment,
  writes: WriteSet,
  wanted: Parameters<RecordStore['putList']>[0],
  actor: Actor,
): ListRecord {
  if (readAll<ListRecord>(environment, LIVE_SPACE.list, LISTS_MAX).length >= LISTS_MAX) throw tooManyLists()
  const counters = readCounters(environment)
  const listId = counters.listId + 1
  writeCounters(writes, { ...counters, listId })
  return { listId, ...wanted, createdMs: writes.nowMs, activeVersion: 0, active: emptyVersion(writes.nowMs, actor) }
}

/** Throws LIST_UNKNOWN, LIST_KIND_CONFLICT, LIST_CHANGED. */
export function stageVersion(
  environment: Environment,
  writes: WriteSet,
  { name, listKind, version: wanted, actor }: FactOf<'list-stage'>,
): ListVersion {
  const list = requireList(environment, name)
  if (list.kind !== listKind) throw kindConflict(list, listKind)
  assertLayersFree(wanted.layers, layersNamed(environment, wanted.layers))
  const kept = readVersions(environment, list.listId)
  const version: ListVersion = { version: (kept.at(-1)?.version ?? 0) + 1, ...wanted, createdMs: writes.nowMs, actor }
  writes.put(versionKey(list.listId, version.version), encodeJson(version))
  for (const dropped of versionsToDrop(kept, list.activeVersion)) {
    writes.remove(versionKey(list.listId, dropped.version))
  }
  writes.audit(actor, 'list.stage', name, { version: version.version, entryCount: version.entryCount })
  return version
}

/** Throws LIST_UNKNOWN, LIST_CHANGED. */
export function activateVersion(
  environment: Environment,
  writes: WriteSet,
  wanted: FactOf<'list-activate'>,
): { list: ListRecord; sequence: number } {
  const { actor } = wanted
  const known = requireList(environment, wanted.name)
  const { expectedMark } = wanted
  if (expectedMark !== undefined && expectedMark !== versionMark(known.active)) throw versionReplaced(known)
  const active = markedVersion(environment, known, wanted)
  if (active.version === known.activeVersion) return { list: known, sequence: writes.lastSequence }
  const list: ListRecord = { ...known, activeVersion: active.version, active }
  writes.put(listKey(list.name), encodeJson(list))
  const sequence = writes.change({ kind: 'list', name: list.name, version: active.version })
  writes.audit(actor, 'list.activate', list.name, {
    version: active.version,
    before: known.activeVersion,
    entryCount: active.entryCount,
  })
  return { list, sequence }
}

/** The version that is meant, under whatever number it has here. Throws LIST_CHANGED. */
function markedVersion(
  environment: Environment,
  list: ListRecord,
  { version, mark }: FactOf<'list-activate'>,
): ListVersion {
  const marked = [list.active, ...readVersions(environment, list.listId)].filter((kept) => versionMark(kept) === mark)
  const found = marked.find((kept) => kept.version === version) ?? marked[0]
  if (found === undefined) throw versionReplaced(list)
  return found
}

/** Throws NUMBERING_INVALID, LIST_CHANGED. */
export function putNumberingPlan(
  environment: Environment,
  writes: WriteSet,
  { plan: wanted, actor }: FactOf<'numbering-put'>,
): { plan: NumberingPlan; sequence: number } {
  const known = environment.json<NumberingPlan>(planKey(wanted.name))
  if (known === undefined && readAll(environment, LIVE_SPACE.numberingPlan, PLANS_MAX).length >= PLANS_MAX) {
    throw new ScreeningError('NUMBERING_INVALID', `There are ${PLANS_MAX} numbering plans already.`)
  }
  const layers = [layerOfPlan(wanted)]
  assertLayersFree(layers, layersNamed(environment, layers))
  const plan: NumberingPlan = { ...wanted, version: (known?.version ?? 0) + 1 }
  writes.put(planKey(plan.name), encodeJson(plan))
  const sequence = writes.change({ kind: 'numbering', name: plan.name, version: plan.version })
  writes.audit(actor, 'numbering.put', plan.name, { version: plan.version, ranges: plan.rangeCount })
  return { plan, sequence }
}

/** What kept versions and plans point to, of those that name one of these ids; JSON that does not is not parsed. */
function layersNamed(environment: Environment, wanted: readonly LayerRef[]): LayerRef[] {
  const named: LayerRef[] = []
  const texts = wanted.map(({ layerId }) => `"layerId":${layerId}`)
  const visit = (space: number, layersOf: (value: Buffer) => readonly LayerRef[]) =>
    environment.scan({ prefix: makeKey(space), limit: Number.MAX_SAFE_INTEGER }, (_key, value) => {
      if (texts.some((text) => value.includes(text))) named.push(...layersOf(value))
    })
  visit(LIVE_SPACE.listVersion, (value) => decodeJson<ListVersion>(value).layers)
  visit(LIVE_SPACE.numberingPlan, (value) => [layerOfPlan(decodeJson<NumberingPlan>(value))])
  return named
}

function readAll<T>(environment: Environment, space: number, limit: number): T[] {
  const all: T[] = []
  environment.scan({ prefix: makeKey(space), limit }, (_key, value) => all.push(decodeJson<T>(value)))
  return all
}

function readVersions(environment: Environment, listId: number): ListVersion[] {
  const versions: ListVersion[] = []
  const prefix = makeKey(LIVE_SPACE.listVersion, { u16: listId })
  environment.scan({ prefix, limit: 2 * VERSIONS_KEPT }, (_key, value) => versions.push(decodeJson<ListVersion>(value)))
  return versions
}

function requireList(environment: Environment, name: string): ListRecord {
  const list = environment.json<ListRecord>(listKey(name))
  if (list === undefined) throw listUnknown(name)
  return list
}
