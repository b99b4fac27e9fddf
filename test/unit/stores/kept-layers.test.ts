import { describe, expect, it } from 'vitest'
import { pushKeptLayers } from '../../../src/stores/kept-layers.ts'
import type { LayerRef } from '../../../src/stores/ports.ts'

const planOf = (layerId: number) => ({
  name: `plan-${layerId}`,
  covers: [],
  layerId,
  rangeCount: 1,
  asOfMs: 0,
  importedMs: 0,
  version: 1,
})
const replica = { lists: () => [], versions: () => [], numberingPlans: () => [1, 2, 3].map(planOf) }

/** A node with the contents of all three; those of `dropped` are removed while they are pushed. */
function layersOfNode({ dropped, failing }: { dropped?: number; failing?: number }) {
  const here = new Set([1, 2, 3])
  const pushed: number[] = []
  return {
    pushed,
    has: ({ layerId }: LayerRef) => here.has(layerId),
    async push(layers: readonly LayerRef[]) {
      for (const { layerId } of layers) {
        if (layerId === dropped) here.delete(layerId)
        if (layerId === dropped || layerId === failing) throw new Error(`layer ${layerId}`)
        pushed.push(layerId)
      }
    },
  }
}

describe('pushing the layers that are kept', () => {
  it('goes on without one whose version is dropped meanwhile', async () => {
    const layers = layersOfNode({ dropped: 2 })
    await pushKeptLayers({ replica, layers })
    expect(layers.pushed).toEqual([1, 3])
  })

  it('fails with one that is still here', async () => {
    const layers = layersOfNode({ failing: 2 })
    await expect(pushKeptLayers({ replica, layers })).rejects.toThrow('layer 2')
  })
})
