import { ScreeningError } from '../domain/errors.ts'
import type { ScreeningSnapshot, SnapshotNumbering } from '../engine/snapshot.ts'
import { buildIntervalsInSteps } from '../shm/intervals.ts'
import { isSameLayer, layerName } from '../stores/layer-rows.ts'
import { type LayerRef, type ListContents, type ListRecord, type NumberingPlan, REMOVED } from '../stores/ports.ts'
import { nextTurn } from './scan-rows.ts'

/**
 * The intervals (shm/intervals.ts) of a snapshot. They are kept for as long as the layers they are made of are the same: a number
 * that comes on a list, or a new policy, changes none of them. Where they must be made, it is done in turns: a million
 * ranges take a second, and whoever makes them has something else to do.
 */
export type SnapshotRanges = {
  /**
   * The ranges of all active lists as one set of intervals. Lists that fit one by one may not fit together: then those of before, or
   * none, and `onRefused` is told once. One call at a time.
   */
  ofLists(lists: readonly ListRecord[]): Promise<ListRanges>
  /** One call at a time. */
  ofNumbering(plans: readonly NumberingPlan[]): Promise<SnapshotNumbering[]>
}

export type ListRanges = Pick<ScreeningSnapshot, 'ranges' | 'rangeList' | 'rangeExpiresMs'>

export type SnapshotRangesDependencies = {
  readonly contents: Contents
  /** IMPORT_TOO_WIDE, or a layer that cannot be read. */
  readonly onRefused: (error: unknown) => void
}

/** Ranges taken from the store's rows between two turns: about 2 ms. */
const RANGES_PER_TURN = 8_192

type Contents = Pick<ListContents, 'readRanges' | 'layer'>

export function createSnapshotRanges({ contents, onRefused }: SnapshotRangesDependencies): SnapshotRanges {
  let ofLists: ListRanges | undefined
  /** Of what `ofLists` is made, or what was refused in its favour. */
  let listsName: string | undefined
  let ofPlans = new Map<string, SnapshotNumbering>()

  /** A layer may be replaced under its id by another while it is read: what was made then is not kept. */
  function isStored(layer: LayerRef): boolean {
    const stored = contents.layer(layer.layerId)
    return stored !== undefined && isSameLayer(stored, layer)
  }

  return {
    async ofLists(lists) {
      const name = nameOfRanges(lists)
      if (ofLists !== undefined && name === listsName) return ofLists
      try {
        ofLists = await rangesOfLists(lists, contents)
        listsName = lists.every(({ active }) => active.layers.every(isStored)) ? name : undefined
      } catch (error) {
        onRefused(error)
        ofLists ??= await rangesOfLists([], contents)
        // What is too wide stays so; a layer that could not be read may be there next time.
        listsName = error instanceof ScreeningError && error.code === 'IMPORT_TOO_WIDE' ? name : undefined
      }
      return ofLists
    },
    async ofNumbering(plans) {
      const kept = new Map<string, SnapshotNumbering>()
      const all: SnapshotNumbering[] = []
      for (const plan of plans) {
        const name = nameOfPlan(plan)
        const numbering = ofPlans.get(name) ?? (await numberingOf(plan, contents))
        if (isStored({ ...plan, numberCount: 0 })) kept.set(name, numbering)
        all.push(numbering)
      }
      ofPlans = kept
      return all
    },
  }
}

/** Says of which layers of which lists ranges are made, in their order. */
function nameOfRanges(lists: readonly ListRecord[]): string {
  const names: string[] = []
  for (const { listId, active } of lists) {
    for (const layer of active.layers) if (layer.rangeCount > 0) names.push(`${listId}:${layerName(layer)}`)
  }
  return names.join()
}

function nameOfPlan(plan: NumberingPlan): string {
  return JSON.stringify([plan.name, plan.asOfMs, layerName(plan), plan.covers.map(({ from, to }) => [from, to])])
}

/** The ranges found so far, and the tags they carry. */
type Collected = {
  readonly from: number[]
  readonly to: number[]
  readonly tags: number[]
  /** List id and expiry of each tag. */
  readonly owners: number[]
  readonly expiries: number[]
}

/**
 * A delta's range replaces or removes the identical one below. A tag is a list with an expiry, not a range: what covers a number is then
 * a handful of tags, however ranges nest. Rejects with IMPORT_TOO_WIDE beyond the bounds of shm/flatten-intervals.ts.
 */
async function rangesOfLists(lists: readonly ListRecord[], contents: Contents): Promise<ListRanges> {
  const collected: Collected = { from: [], to: [], tags: [], owners: [], expiries: [] }
  for (const list of lists) await inTurns(collectRanges(list, contents, collected))
  const { from, to, tags, owners, expiries } = collected
  return {
    ranges: await inTurns(buildIntervalsInSteps(new Float64Array(from), new Float64Array(to), new Uint32Array(tags))),
    rangeList: Uint16Array.from(owners),
    rangeExpiresMs: Float64Array.from(expiries),
  }
}

function* collectRanges(list: ListRecord, contents: Contents, into: Collected): Generator<undefined, void> {
  const tagByExpiry = new Map<number, number>()
  const tagOf = (expiresMs: number) => {
    const known = tagByExpiry.get(expiresMs)
    if (known !== undefined) return known
    tagByExpiry.set(expiresMs, into.owners.length)
    into.expiries.push(expiresMs)
    return into.owners.push(list.listId) - 1
  }
  const layers = list.active.layers.filter((layer) => layer.rangeCount > 0)
  const seen = new Set<string>()
  for (const layer of layers) {
    const { rangesFrom, rangesTo, rangeDetails, dictionary } = contents.readRanges(layer.layerId)
    // A set of a million texts takes half of the time, and 80 ms at once when it grows.
    const mayMeetAgain = layers.length > 1 || !isAscending(rangesFrom, rangesTo)
    for (let i = 0; i < rangesFrom.length; i++) {
      if (i % RANGES_PER_TURN === 0) yield undefined
      if (mayMeetAgain) {
        const key = `${rangesFrom[i]}-${rangesTo[i]}`
        if (seen.has(key)) continue
        seen.add(key)
      }
      const details = rangeDetails?.[i] ?? 0
      if (details === REMOVED) continue
      into.from.push(rangesFrom[i] ?? 0)
      into.to.push(rangesTo[i] ?? 0)
      into.tags.push(tagOf((details > 0 ? dictionary[details - 1]?.expiresMs : undefined) ?? Number.POSITIVE_INFINITY))
    }
  }
}

/** By their beginnings, then by their ends: no range comes twice. */
function isAscending(from: Float64Array, to: Float64Array): boolean {
  for (let i = 1; i < from.length; i++) {
    const [a = 0, b = 0] = [from[i - 1], from[i]]
    if (b < a || (b === a && (to[i] ?? 0) <= (to[i - 1] ?? 0))) return false
  }
  return true
}

async function numberingOf(plan: NumberingPlan, contents: Contents): Promise<SnapshotNumbering> {
  const { rangesFrom, rangesTo } = contents.readRanges(plan.layerId)
  const from = Float64Array.from(plan.covers, (range) => range.from)
  const to = Float64Array.from(plan.covers, (range) => range.to)
  return {
    name: plan.name,
    asOfMs: plan.asOfMs,
    covered: await inTurns(buildIntervalsInSteps(from, to, new Uint32Array(from.length))),
    allocated: await inTurns(buildIntervalsInSteps(rangesFrom, rangesTo, new Uint32Array(rangesFrom.length))),
  }
}

async function inTurns<Result>(steps: Generator<undefined, Result>): Promise<Result> {
  for (;;) {
    const { done, value } = steps.next()
    if (done) return value
    await nextTurn()
  }
}
