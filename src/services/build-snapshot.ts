import type { Trunk } from '../domain/trunk.ts'
import type { ScreeningSnapshot, SnapshotList, SnapshotNumbering } from '../engine/snapshot.ts'
import { createGate, gateAddAll, gateFromBytes, openGate } from '../shm/gate.ts'
import { createGateAround, gateMerge } from '../shm/gate-merge.ts'
import { createGateWriter, type GateWriter } from '../shm/gate-writer.ts'
import { buildIntervals } from '../shm/intervals.ts'
import { type LayerRef, type ListContents, type ListRecord, REMOVED, type VerdictStore } from '../stores/ports.ts'

/**
 * From the record to what verdict threads decide from (engine/snapshot.ts).
 *
 * Every layer has its own gate, made when the layer was written (a file), or here when that file is gone. The global gate
 * holds the numbers of all of them and every number with a reputation. A small change (one number put on a list) is added
 * to it in place. A large one makes a new gate: the largest layer's gate is spread over it (shm/gate-merge.ts: 10 ms for
 * 10 M numbers), the rest is read from the store in slices, and the two are swapped as shm/gate-writer.ts says.
 */
export type SnapshotBuilder = {
  /** Reads the record as it is now. One build at a time. */
  build(): Promise<ScreeningSnapshot>
  /** A number has a reputation now: it must pass the gates from here on. */
  addReported(number: number): void
  /** Every thread has installed the newest snapshot. */
  acknowledged(): void
  readonly globalGate: { readonly bytes: number; readonly numbers: number }
}

export type SnapshotBuilderOptions = {
  readonly trunks: readonly Trunk[]
  /** False in the control process: explain asks the store itself and needs no gates. */
  readonly withGates: boolean
}

export type SnapshotBuilderDependencies = {
  readonly store: Pick<VerdictStore, 'lists' | 'policy' | 'numberingPlans' | 'readReputationNumbers'>
  readonly contents: ListContents
  /** Bytes of a layer's gate file; undefined when there is none. */
  readonly readGateFile: (layerId: number) => Uint8Array | undefined
  /** A gate file was missing or damaged (`cause`): this gate has been made anew from the store, for a new file. */
  readonly onGateRebuilt: (layerId: number, gate: SharedArrayBuffer, cause: unknown) => void
  /** The ranges of all lists together are beyond the bounds: those of the snapshot before stay in force. */
  readonly onRangesRefused: (error: unknown) => void
}

type SnapshotRanges = Pick<ScreeningSnapshot, 'ranges' | 'rangeList' | 'rangeExpiresMs'>

/** Rows read from the store before the event loop gets a turn: about 5 ms. */
const ROWS_PER_TURN = 16_384
/** Room for reports and small changes in a new global gate, beside what it holds: 128 KiB. */
const SPARE_CAPACITY = 65_536
/** A gate this much over its size says "maybe" to 0.5 % of absent numbers instead of 0.14 %: time for a new one. */
const OVERFILL = 1.25

export function createSnapshotBuilder(
  options: SnapshotBuilderOptions,
  dependencies: SnapshotBuilderDependencies,
): SnapshotBuilder {
  const { store, contents } = dependencies
  let layerGates = new Map<number, SharedArrayBuffer>()
  let writer: GateWriter | undefined
  /** Layers whose numbers are in the global gate, those of lists gone since included. */
  let inGlobalGate = new Map<number, number>()
  let ranges: SnapshotRanges | undefined
  let generation = 0

  async function gateOf(layer: LayerRef): Promise<SharedArrayBuffer> {
    const known = layerGates.get(layer.layerId)
    if (known) return known
    let cause: unknown
    try {
      const bytes = dependencies.readGateFile(layer.layerId)
      if (bytes) return gateFromBytes(bytes)
    } catch (error) {
      cause = error
    }
    const memory = createGate(layer.numberCount)
    const gate = openGate(memory)
    await scanLayer(layer.layerId, (page, count) => gateAddAll(gate, page, 0, count))
    dependencies.onGateRebuilt(layer.layerId, memory, cause)
    return memory
  }

  function scanLayer(layerId: number, visit: Visit): Promise<void> {
    return scan((after, into) => contents.readNumbers(layerId, after, into), visit)
  }

  /** Makes the global gate hold every number of `layers`, in place when that is little work, else by a swap. */
  async function updateGlobalGate(layers: readonly LayerRef[], gates: ReadonlyMap<number, SharedArrayBuffer>) {
    const missing = layers.filter((layer) => !inGlobalGate.has(layer.layerId))
    const live = sum(layers.map((layer) => layer.numberCount))
    const held = sum([...inGlobalGate.values()]) + sum(missing.map((layer) => layer.numberCount))
    if (writer && held <= writer.gate.capacity * OVERFILL && held <= live * 2 + SPARE_CAPACITY) {
      const { add } = writer
      for (const layer of missing) {
        await scanLayer(layer.layerId, (page, count) => {
          for (let i = 0; i < count; i++) add(page[i] ?? 0)
        })
      }
      for (const layer of missing) inGlobalGate.set(layer.layerId, layer.numberCount)
      return
    }
    await replaceGlobalGate(layers, gates, live)
  }

  async function replaceGlobalGate(
    layers: readonly LayerRef[],
    gates: ReadonlyMap<number, SharedArrayBuffer>,
    live: number,
  ): Promise<void> {
    const largest = layers.reduce<LayerRef | undefined>(
      (a, b) => (a && a.numberCount >= b.numberCount ? a : b),
      undefined,
    )
    const largestMemory = largest && gates.get(largest.layerId)
    const capacity = live + SPARE_CAPACITY
    const memory = largestMemory ? createGateAround(openGate(largestMemory), capacity) : createGate(capacity)
    // From here on reports go into both. The first gate has no writer yet: its follower replays what it may have missed.
    const next = writer ? writer.beginRebuildWith(memory) : openGate(memory)
    try {
      if (largestMemory) gateMerge(next, openGate(largestMemory))
      for (const layer of layers) {
        if (layer !== largest) await scanLayer(layer.layerId, (page, count) => gateAddAll(next, page, 0, count))
      }
      await scan(
        (after, into) => store.readReputationNumbers(after, into),
        (page, count) => gateAddAll(next, page, 0, count),
      )
    } catch (error) {
      writer?.abandon()
      throw error
    }
    if (writer) writer.publish()
    else writer = createGateWriter(memory)
    inGlobalGate = new Map(layers.map((layer) => [layer.layerId, layer.numberCount]))
  }

  /** Lists that fit one by one may not fit together: better the ranges of before, or none, than no verdicts at all. */
  function rangesOf(lists: readonly ListRecord[]): SnapshotRanges {
    try {
      ranges = snapshotRanges(lists, contents)
    } catch (error) {
      dependencies.onRangesRefused(error)
      ranges ??= snapshotRanges([], contents)
    }
    return ranges
  }

  async function build(): Promise<ScreeningSnapshot> {
    const policy = store.policy()
    if (!policy) throw new Error('The record has no policy: control writes one before it reports its store ready.')
    const lists = store.lists()
    const layers = options.withGates ? distinctLayers(lists) : []
    const gates = new Map<number, SharedArrayBuffer>()
    for (const layer of layers) gates.set(layer.layerId, await gateOf(layer))
    layerGates = gates
    if (options.withGates) await updateGlobalGate(layers, gates)
    return {
      generation: ++generation,
      globalGate: writer?.memory ?? createGate(1),
      lists: lists.map((list) => snapshotList(list, gates)),
      ...rangesOf(lists),
      numbering: snapshotNumbering(store.numberingPlans(), contents),
      policy: policy.document,
      policyVersion: policy.version,
      trunks: options.trunks,
    }
  }

  return {
    build,
    addReported: (number) => writer?.add(number),
    acknowledged: () => writer?.acknowledged(),
    get globalGate() {
      return { bytes: writer?.memory.byteLength ?? 0, numbers: writer?.gate.capacity ?? 0 }
    },
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

function distinctLayers(lists: readonly ListRecord[]): LayerRef[] {
  const layers = lists.flatMap((list) => list.active.layers).filter((layer) => layer.numberCount > 0)
  return [...new Map(layers.map((layer) => [layer.layerId, layer])).values()]
}

type Visit = (page: Float64Array, count: number) => void

/** Calls `visit` for every page a reader gives, leaving the event loop a turn after each. */
async function scan(read: (after: number, into: Float64Array) => number, visit: Visit): Promise<void> {
  const page = new Float64Array(ROWS_PER_TURN)
  let after = 0
  for (;;) {
    const count = read(after, page)
    visit(page, count)
    if (count < page.length) return
    after = page[count - 1] ?? after
    await new Promise((resolve) => setImmediate(resolve))
  }
}

function snapshotList(list: ListRecord, gates: ReadonlyMap<number, SharedArrayBuffer>): SnapshotList {
  const layers = list.active.layers.map(({ layerId }) => {
    const gate = gates.get(layerId)
    return gate ? { layerId, gate } : { layerId }
  })
  return { listId: list.listId, name: list.name, kind: list.kind, version: list.activeVersion, layers }
}

/**
 * The ranges of all active lists as one set of intervals. A delta's range replaces or removes the identical one below. A
 * tag is a list with an expiry, not a range: what covers a number is then a handful of tags, however ranges nest.
 * Throws IMPORT_TOO_WIDE beyond the bounds of shm/flatten-intervals.ts.
 */
function snapshotRanges(lists: readonly ListRecord[], contents: ListContents): SnapshotRanges {
  const from: number[] = []
  const to: number[] = []
  const tags: number[] = []
  const owners: number[] = []
  const expiries: number[] = []
  for (const list of lists) {
    const tagByExpiry = new Map<number, number>()
    const tagOf = (expiresMs: number) => {
      const known = tagByExpiry.get(expiresMs)
      if (known !== undefined) return known
      tagByExpiry.set(expiresMs, owners.length)
      expiries.push(expiresMs)
      return owners.push(list.listId) - 1
    }
    const seen = new Set<string>()
    for (const layer of list.active.layers) {
      if (layer.rangeCount === 0) continue
      const { rangesFrom, rangesTo, rangeDetails, dictionary } = contents.readRanges(layer.layerId)
      for (let i = 0; i < rangesFrom.length; i++) {
        const key = `${rangesFrom[i]}-${rangesTo[i]}`
        if (seen.has(key)) continue
        seen.add(key)
        const details = rangeDetails?.[i] ?? 0
        if (details === REMOVED) continue
        from.push(rangesFrom[i] ?? 0)
        to.push(rangesTo[i] ?? 0)
        tags.push(tagOf((details > 0 ? dictionary[details - 1]?.expiresMs : undefined) ?? Number.POSITIVE_INFINITY))
      }
    }
  }
  return {
    ranges: buildIntervals(Float64Array.from(from), Float64Array.from(to), Uint32Array.from(tags)),
    rangeList: Uint16Array.from(owners),
    rangeExpiresMs: Float64Array.from(expiries),
  }
}

function snapshotNumbering(
  plans: ReturnType<VerdictStore['numberingPlans']>,
  contents: ListContents,
): SnapshotNumbering[] {
  return plans.map((plan) => {
    const allocated = contents.readRanges(plan.layerId)
    const from = Float64Array.from(plan.covers, (range) => range.from)
    const to = Float64Array.from(plan.covers, (range) => range.to)
    return {
      name: plan.name,
      asOfMs: plan.asOfMs,
      covered: buildIntervals(from, to, new Uint32Array(from.length)),
      allocated: buildIntervals(allocated.rangesFrom, allocated.rangesTo, new Uint32Array(allocated.rangesFrom.length)),
    }
  })
}
