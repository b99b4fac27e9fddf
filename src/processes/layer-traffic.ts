import { ScreeningError } from '../domain/errors.ts'
import { CONTROL_BYTES, CONTROL_CANCEL } from '../jobs/list-jobs.ts'
import { JobStopped, type ListJobRunner } from '../services/list-job-runner.ts'
import { DESK_PARTITION } from '../stores/fact.ts'
import { isSameLayer, type LayerStore } from '../stores/layer-rows.ts'
import { layerTaken } from '../stores/list-rules.ts'
import type { Replica } from '../stores/lmdb/replica.ts'
import type { LayerRef, ListContents } from '../stores/ports.ts'
import type { RedisRecord } from '../stores/redis/fact-streams-redis.ts'
import type { LayerTraffic } from '../stores/redis/redis-record-store.ts'

export type LayerTrafficDependencies = {
  readonly streams: Pick<RedisRecord, 'allocateLayer'>
  readonly contents: ListContents
  readonly jobs: ListJobRunner
  readonly replica: Replica
  readonly layerStore: Pick<LayerStore, 'wanted'>
}

/** Layers between this node and Redis, moved by its job threads. `stop` ends the transfers that run, and all later ones. */
export function createLayerTraffic(dependencies: LayerTrafficDependencies): LayerTraffic & { stop(): void } {
  const { streams, contents, jobs, replica, layerStore } = dependencies
  const control = new SharedArrayBuffer(CONTROL_BYTES)
  const newestFact = () => replica.position(DESK_PARTITION).sequence
  /** Layers to the newest desk fact when they were fetched: no garbage until what needs them is applied. */
  const fetched = new Map<number, number>()
  jobs.keepAlso(() => {
    const newest = newestFact()
    // Read behind the position: what was needed for a fact up to it is in use now, or never will be.
    const inUse = replica.layersInUse()
    for (const [layerId, sequence] of fetched) if (sequence !== newest) fetched.delete(layerId)
    return [...fetched.keys(), ...inUse]
  })

  const has = (layer: LayerRef) => {
    const stored = contents.layer(layer.layerId)
    return stored !== undefined && isSameLayer(stored, layer)
  }

  /** False: Redis has it not, or not whole; both are said there, and a node that has it pushes it. */
  async function fetchOne(layer: LayerRef): Promise<boolean> {
    try {
      const { outcome } = await jobs.fetchLayer(layer, { control })
      return outcome !== 'gone'
    } catch (error) {
      if (error instanceof JobStopped) throw new ScreeningError('UNAVAILABLE', 'The node stops.')
      if (error instanceof ScreeningError && error.code === 'RECORD_DAMAGED') return false
      throw error
    }
  }

  return {
    has,
    wanted: () => layerStore.wanted(),
    newest: () => Math.max(jobs.layerIdMax(), ...contents.layerIds(), ...replica.layersInUse()),
    allocate: (known) => streams.allocateLayer(known),
    async push(layers) {
      const taken = layers.find(({ layerId }) => jobs.isContested(layerId))
      if (taken !== undefined) throw layerTaken(taken)
      for (const layer of layers) await jobs.pushLayer(layer, { control })
    },
    async fetch(layers) {
      const gone: LayerRef[] = []
      for (const layer of layers) {
        fetched.set(layer.layerId, newestFact())
        if (!(await fetchOne(layer))) gone.push(layer)
      }
      return gone
    },
    // Pairs with the load in createJobControl.
    stop: () => void Atomics.store(new Int32Array(control), CONTROL_CANCEL, 1),
  }
}
