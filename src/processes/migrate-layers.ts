import { fetchLayer } from '../jobs/transfer-layer.ts'
import type { DataDirectory } from '../stores/data-directory.ts'
import { isSameLayer, type LayerStore } from '../stores/layer-rows.ts'
import type { LayerRef, ListContents } from '../stores/ports.ts'
import type { LayerTraffic } from '../stores/redis/redis-record-store.ts'
import { createTrafficLogReader } from '../stores/traffic-log/traffic-impact.ts'

/** What is going on, and its share done, 0..1. */
export type MigrateProgress = (step: string, share: number) => void

export function hasContents(contents: Pick<ListContents, 'layer'>, layer: LayerRef): boolean {
  const stored = contents.layer(layer.layerId)
  return stored !== undefined && isSameLayer(stored, layer)
}

/** Without job threads: nothing else runs. */
export function layersThrough(
  layerStore: LayerStore,
  deps: {
    contents: ListContents
    directory: DataDirectory
    allocate: LayerTraffic['allocate']
    onProgress: MigrateProgress
  },
): LayerTraffic {
  const { contents, directory, onProgress } = deps
  const traffic = createTrafficLogReader({ directory: directory.traffic })
  return {
    has: (layer) => hasContents(contents, layer),
    wanted: () => layerStore.wanted(),
    newest: () => Math.max(0, ...contents.layerIds()),
    allocate: deps.allocate,
    async push(layers) {
      for (const [index, layer] of layers.entries()) {
        const report = (share: number) => onProgress('lists', (index + share) / layers.length)
        await layerStore.push(layer, contents, { check: () => {}, report })
      }
    },
    async fetch(layers) {
      const gone: LayerRef[] = []
      for (const [index, layer] of layers.entries()) {
        onProgress('lists', index / layers.length)
        const job = { kind: 'fetch-layer', layer, control: new SharedArrayBuffer(4) } as const
        const { outcome } = await fetchLayer(job, { contents, directory, traffic, layerStore, now: Date.now })
        if (outcome === 'gone') gone.push(layer)
      }
      return gone
    },
  }
}
