import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { cleanRegularly } from '../../../src/processes/clean-regularly.ts'

const SECOND_MS = 1_000

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** Layers 1 and 2 are in use, `held` ones stay whoever cleans. */
function start(layerIds: Set<number>, held: readonly number[] = []) {
  let cleanings = 0
  const keep = new Set([1, 2, ...held])
  const stop = cleanRegularly({
    store: { layersInUse: () => new Set([1, 2]) },
    contents: { layerIds: () => [...layerIds] },
    jobs: {
      async clean() {
        cleanings++
        const dropped = [...layerIds].filter((layerId) => !keep.has(layerId))
        for (const layerId of dropped) layerIds.delete(layerId)
        return { layersDropped: dropped.length, layersLeft: 0, filesRemoved: 0, files: [] }
      },
    },
    now: Date.now,
    onFault: () => {},
  })
  return { stop, cleanings: () => cleanings }
}

const upTo = (last: number) => new Set(Array.from({ length: last }, (_, index) => index + 1))

it('removes ten layers without a version within a second', async () => {
  const layerIds = upTo(12)
  const { stop } = start(layerIds)
  await vi.advanceTimersByTimeAsync(SECOND_MS)
  expect(layerIds).toEqual(new Set([1, 2]))
  stop()
})

it('removes fewer within ten minutes, and does nothing when there is none', async () => {
  const layerIds = upTo(5)
  const { stop, cleanings } = start(layerIds)
  await vi.advanceTimersByTimeAsync(590 * SECOND_MS)
  expect(cleanings()).toBe(0)
  await vi.advanceTimersByTimeAsync(11 * SECOND_MS)
  expect(layerIds).toEqual(new Set([1, 2]))
  await vi.advanceTimersByTimeAsync(1_200 * SECOND_MS)
  expect(cleanings()).toBe(1)
  stop()
})

it('looks every ten seconds when what is left is held', async () => {
  const layerIds = upTo(20)
  const { stop, cleanings } = start(layerIds, [...upTo(20)])
  await vi.advanceTimersByTimeAsync(31 * SECOND_MS)
  expect(cleanings()).toBe(4)
  stop()
})
