import { describe, expect, it } from 'vitest'
import { createGlobalGate } from '../../../src/services/global-gate.ts'
import { createGate, createLayerGate, gateAddAll, gateHas, openGate } from '../../../src/shm/gate.ts'
import type { LayerRef } from '../../../src/stores/ports.ts'

/** Layers of consecutive numbers, all a stranger's never fall on, and reported numbers. */
function world() {
  const layers = new Map<number, Float64Array>()
  const gates = new Map<number, SharedArrayBuffer>()
  const reported: number[] = []
  const scanned: number[] = []
  const asked: number[] = []
  const gate = createGlobalGate({
    async scanLayer(layerId, visit) {
      scanned.push(layerId)
      const numbers = layers.get(layerId) ?? new Float64Array()
      visit(numbers, numbers.length)
    },
    async scanReported(visit) {
      visit(Float64Array.from(reported), reported.length)
    },
  })
  return {
    gate,
    reported,
    scanned,
    asked,
    gateOf: (layerId: number) => gates.get(layerId),
    layer(layerId: number, count: number): LayerRef {
      const numbers = Float64Array.from({ length: count }, (_, i) => layerId * 1e9 + i)
      const memory = createLayerGate(count)
      gateAddAll(openGate(memory), numbers)
      layers.set(layerId, numbers)
      gates.set(layerId, memory)
      return { layerId, numberCount: count, rangeCount: 0 }
    },
    update: (refs: LayerRef[], isKept = false) =>
      gate.update(refs, async ({ layerId }) => {
        asked.push(layerId)
        return { memory: gates.get(layerId) ?? createGate(1), isKept }
      }),
    numbersOf: (layerId: number) => layers.get(layerId) ?? new Float64Array(),
    has: (number: number) => gateHas(openGate(gate.memory ?? createGate(1)), number),
    falseShare() {
      const opened = openGate(gate.memory ?? createGate(1))
      let maybe = 0
      for (let i = 0; i < 100_000; i++) if (gateHas(opened, 490_000_000_000 + i)) maybe++
      return maybe / 100_000
    },
  }
}

describe('the global gate', () => {
  it('has room for every reported number, however few are listed', async () => {
    const { gate, reported, layer, update, has, falseShare } = world()
    for (let i = 0; i < 300_000; i++) reported.push(79_000_000_000 + i)
    await update([layer(1, 10)])
    expect(gate.numbers).toBeGreaterThan(299_000)
    expect(reported.every(has)).toBe(true)
    expect(falseShare()).toBeLessThan(0.002)
  })

  it('reads only what is new when a number is added to a list', async () => {
    const { scanned, layer, update, has } = world()
    // The larger gate must have a whole multiple of the largest layer's blocks: 1.4 times is not one.
    const lists = [layer(1, 200_000), layer(2, 80_000)]
    await update(lists)
    scanned.length = 0
    const small = layer(3, 1)
    await update([...lists, small])
    expect(scanned).toEqual([3])
    expect(has(3e9)).toBe(true)
  })

  it('is the gate of a large layer itself, unless that one is kept', async () => {
    const { gate, layer, update, gateOf, asked, has, numbersOf } = world()
    const lists = [layer(1, 1_200_000), layer(2, 10)]
    await update(lists)
    expect(gate.memory).toBe(gateOf(1))
    expect(asked).toEqual([1])
    expect(gate.numbers).toBeGreaterThan(1_190_000)
    expect(numbersOf(1).every(has) && numbersOf(2).every(has)).toBe(true)
    const kept = world()
    await kept.update([kept.layer(1, 1_200_000), kept.layer(2, 10)], true)
    expect(kept.gate.memory).not.toBe(kept.gateOf(1))
    expect(kept.numbersOf(1).every(kept.has) && kept.numbersOf(2).every(kept.has)).toBe(true)
    // What was added did not go into the gate that others read.
    expect(gateHas(openGate(kept.gateOf(1) ?? createGate(1)), 2e9)).toBe(false)
  })

  it('is made anew by the one number that leaves too few bits to each', async () => {
    for (const [beyond, isNew] of [
      [0, false],
      [1, true],
    ] as const) {
      const { gate, layer, update } = world()
      const large = layer(1, 1_200_000)
      await update([large])
      const before = gate.memory
      const bits = openGate(before ?? createGate(1)).words.length * 32
      await update([large, layer(2, Math.floor(bits / 10) - gate.numbers + beyond)])
      expect(gate.memory !== before).toBe(isNew)
    }
  })

  it.each([
    [100_000, 1],
    [100_000, 10_000],
    [100_000, 40_000],
    [100_000, 60_000],
    [100_000, 99_999],
  ])('is as selective as it is said to be with layers of %i and %i numbers', async (large, small) => {
    const { layer, update, has, numbersOf, falseShare } = world()
    await update([layer(1, large), layer(2, small)])
    expect(numbersOf(1).every(has) && numbersOf(2).every(has)).toBe(true)
    // The largest layer's blocks come as full as they are, the other numbers on top.
    expect(falseShare()).toBeLessThan(0.02)
  })

  it('keeps what is reported while it is rebuilt', async () => {
    const { gate, reported, layer, update, has } = world()
    await update([layer(1, 100)])
    const rebuilt = update([layer(1, 100), layer(2, 200_000)])
    // As in the follower: committed to the record first.
    reported.push(79_160_000_002)
    gate.addReported(79_160_000_002)
    await rebuilt
    gate.addReported(79_160_000_003)
    expect(has(79_160_000_002) && has(79_160_000_003)).toBe(true)
  })

  it('makes a new gate when most of what it holds is gone', async () => {
    const { gate, layer, update, falseShare } = world()
    const small = layer(2, 10)
    await update([layer(1, 400_000), small])
    const before = gate.memory?.byteLength ?? 0
    await update([small])
    expect(gate.memory?.byteLength).toBeLessThan(before / 2)
    expect(falseShare()).toBeLessThan(0.0005)
  })
})
