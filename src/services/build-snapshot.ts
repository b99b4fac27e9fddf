import type { Trunk } from '../domain/trunk.ts'
import type { ScreeningSnapshot, SnapshotList } from '../engine/snapshot.ts'
import { createGate, createLayerGate, gateAddAll, gateFromBytes, openGate } from '../shm/gate.ts'
import { layerName } from '../stores/layer-rows.ts'
import type { LayerRef, ListContents, ListRecord, VerdictStore } from '../stores/ports.ts'
import { createGlobalGate } from './global-gate.ts'
import { createLayerTables, type LayerTables } from './layer-tables.ts'
import { createReportedGate } from './reported-gate.ts'
import { nextTurn, scanRows, type VisitRows } from './scan-rows.ts'
import { createSnapshotRanges } from './snapshot-ranges.ts'

/**
 * From the record to what verdict threads decide from (engine/snapshot.ts).
 *
 * A layer has an exact table (layer-tables.ts) and needs no gate but the global one (global-gate.ts), which is made of the gate of the
 * largest layer: a file written with the layer, or made here when that file is gone or was made of other contents. Only a layer
 * without a table keeps a gate of its own, so that the store is asked as little as can be.
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
  /** Memory for exact tables of numbers (layer-tables.ts); with gates only. */
  readonly tableBytesMax?: number
}

export type SnapshotBuilderDependencies = {
  readonly store: Pick<VerdictStore, 'lists' | 'policy' | 'numberingPlans' | 'readReputationNumbers'>
  readonly contents: ListContents
  /** Bytes of a layer's gate file; undefined when there is none. */
  readonly readGateFile: (layerId: number) => Promise<Uint8Array | undefined>
  /** A gate file was missing or damaged (`cause`): this gate has been made anew from the store, for a new file. */
  readonly onGateRebuilt: (layer: LayerRef, gate: SharedArrayBuffer, cause: unknown) => void
  /** This layer has no exact table; its numbers are looked up in the store. */
  readonly onTableRefused?: (layer: LayerRef) => void
  /** The ranges of all lists together are beyond the bounds: those of the snapshot before stay in force. */
  readonly onRangesRefused: (error: unknown) => void
}

const BUILD_ATTEMPTS_MAX = 3

type GateOfLayer = (layer: LayerRef) => SharedArrayBuffer | undefined

export function createSnapshotBuilder(
  options: SnapshotBuilderOptions,
  dependencies: SnapshotBuilderDependencies,
): SnapshotBuilder {
  const { store, contents } = dependencies
  /** Of layers without a table, by layerName: a layer may come again under its id with other contents. */
  let layerGates = new Map<string, SharedArrayBuffer>()
  const globalGate = createGlobalGate({ scanLayer, scanReported })
  const reportedGate = createReportedGate({ scanReported })
  const tables = createLayerTables(
    { bytesMax: options.tableBytesMax ?? 0 },
    { contents, onRefused: (layer) => dependencies.onTableRefused?.(layer) },
  )
  const ranges = createSnapshotRanges({ contents, onRefused: dependencies.onRangesRefused })
  let generation = 0

  async function gateOf(layer: LayerRef): Promise<SharedArrayBuffer> {
    let cause: unknown
    try {
      const bytes = await dependencies.readGateFile(layer.layerId)
      if (bytes) return gateFromBytes(bytes, layer.stamp ?? 0)
    } catch (error) {
      cause = error
    }
    const memory = createLayerGate(layer.numberCount)
    const gate = openGate(memory)
    await scanLayer(layer.layerId, (page, count) => gateAddAll(gate, page, 0, count))
    dependencies.onGateRebuilt(layer, memory, cause)
    return memory
  }

  function scanLayer(layerId: number, visit: VisitRows): Promise<void> {
    return scanRows((after, into) => contents.readNumbers(layerId, after, into), visit)
  }

  function scanReported(visit: VisitRows): Promise<void> {
    return scanRows((after, into) => store.readReputationNumbers(after, into), visit)
  }

  /** A version may be dropped while it is read here, when many newer ones have come meanwhile: then those count. */
  async function build(): Promise<ScreeningSnapshot> {
    for (let attempt = 1; ; attempt++) {
      const lists = store.lists()
      try {
        return await buildFrom(lists)
      } catch (error) {
        if (attempt === BUILD_ATTEMPTS_MAX || sameLayers(lists, store.lists())) throw error
      }
    }
  }

  async function buildFrom(lists: readonly ListRecord[]): Promise<ScreeningSnapshot> {
    const policy = store.policy()
    if (!policy) throw new Error('The record has no policy: control writes one before it reports its store ready.')
    // Before the gates: what is reported from when these are made waits for the snapshot no longer than it must.
    const rangesOfLists = await ranges.ofLists(lists)
    const numbering = await ranges.ofNumbering(store.numberingPlans())
    const gateOfLayer = options.withGates ? await updateGates(distinctLayers(lists)) : () => undefined
    return {
      generation: ++generation,
      globalGate: globalGate.memory ?? createGate(1),
      reportedGate: reportedGate.memory ?? createGate(1),
      lists: lists.map((list) => snapshotList(list, gateOfLayer, tables)),
      ...rangesOfLists,
      numbering,
      policy: policy.document,
      policyVersion: policy.version,
      trunks: options.trunks,
    }
  }

  /** The tables first: they are made in turns, and what a gate file takes is in memory as short as can be. */
  async function updateGates(layers: readonly LayerRef[]): Promise<GateOfLayer> {
    await tables.update(layers)
    const kept = new Map<string, SharedArrayBuffer>()
    for (const layer of layers) {
      if (tables.of(layer) !== undefined) continue
      kept.set(layerName(layer), layerGates.get(layerName(layer)) ?? (await gateOf(layer)))
      await nextTurn()
    }
    layerGates = kept
    await reportedGate.update()
    await globalGate.update(layers, async (layer) => {
      const memory = kept.get(layerName(layer))
      return memory === undefined ? { memory: await gateOf(layer), isKept: false } : { memory, isKept: true }
    })
    return (layer) => kept.get(layerName(layer)) ?? (tables.of(layer) && globalGate.memory)
  }

  return {
    build,
    addReported(number) {
      // In this order: who passes the global gate must not be told by the other that there is no reputation.
      reportedGate.add(number)
      globalGate.addReported(number)
    },
    acknowledged() {
      reportedGate.acknowledged()
      globalGate.acknowledged()
    },
    get globalGate() {
      return { bytes: globalGate.memory?.byteLength ?? 0, numbers: globalGate.numbers }
    },
  }
}

function sameLayers(before: readonly ListRecord[], now: readonly ListRecord[]): boolean {
  const ids = (lists: readonly ListRecord[]) =>
    lists.flatMap((list) => list.active.layers.map((layer) => layer.layerId))
  return ids(before).join() === ids(now).join()
}

function distinctLayers(lists: readonly ListRecord[]): LayerRef[] {
  const layers = lists.flatMap((list) => list.active.layers).filter((layer) => layer.numberCount > 0)
  return [...new Map(layers.map((layer) => [layer.layerId, layer])).values()]
}

function snapshotList(list: ListRecord, gateOf: GateOfLayer, tables: Pick<LayerTables, 'of'>): SnapshotList {
  const layers = list.active.layers.map((layer) => {
    const { layerId } = layer
    const gate = gateOf(layer)
    const numbers = tables.of(layer)
    return { layerId, ...(gate ? { gate } : {}), ...(numbers ? { numbers } : {}) }
  })
  return { listId: list.listId, name: list.name, kind: list.kind, version: list.activeVersion, layers }
}
