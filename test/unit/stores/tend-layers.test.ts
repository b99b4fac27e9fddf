import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { layerName } from '../../../src/stores/layer-rows.ts'
import type { LayerRef } from '../../../src/stores/ports.ts'
import { tendLayers } from '../../../src/stores/redis/tend-layers.ts'

const layer = (layerId: number): LayerRef => ({ layerId, numberCount: 1, rangeCount: 0, stamp: layerId })
const [damaged, whole] = [layer(1), layer(2)]

describe('tending layers', () => {
  let pushed: number[]
  let faults: unknown[]
  let stop: () => void

  /** The damaged one comes first and cannot be pushed. */
  function tend({ inForce, wanted }: { inForce: LayerRef[]; wanted: LayerRef[] }): void {
    const lists = () => inForce.map((one) => ({ name: `list${one.layerId}`, active: { layers: [one] } }))
    const replica = {
      position: () => ({ epoch: 1, sequence: 1 }),
      lists,
      versions: () => [],
      numberingPlans: () => [],
      layersWaiting: () => [damaged, whole],
    }
    const layers = {
      async push([one]: readonly LayerRef[]) {
        pushed.push(one!.layerId)
        if (one!.layerId === damaged.layerId) throw new Error('The layer cannot be read.')
      },
      has: () => true,
      wanted: async () => new Set(wanted.map(layerName)),
    }
    const follower = { status: () => ({ states: {} }), stateOf: () => ({ state: 'following', error: undefined }) }
    stop = tendLayers({ replica, layers, follower, onFault: (error: unknown) => faults.push(error) } as never)
  }

  beforeEach(() => {
    vi.useFakeTimers()
    pushed = []
    faults = []
  })
  afterEach(() => {
    stop()
    vi.useRealTimers()
  })

  it('gives what is wanted although another layer cannot be pushed, and tries that one rarer each time', async () => {
    tend({ inForce: [], wanted: [damaged, whole] })
    await vi.advanceTimersByTimeAsync(1_000)
    expect(pushed).toEqual([1, 2])
    await vi.advanceTimersByTimeAsync(31_000)
    expect(pushed.filter((layerId) => layerId === 1)).toHaveLength(6)
    expect(faults).toHaveLength(6)
  })

  it('looks at all layers in force after a failover, also behind one that cannot be pushed', async () => {
    tend({ inForce: [damaged, whole], wanted: [] })
    await vi.advanceTimersByTimeAsync(1_000)
    expect([pushed, faults.length]).toEqual([[1, 2], 1])
  })
})
