import { createGate, gateAddAll, gateCount, openGate } from '../shm/gate.ts'
import { createGateAround, gateBitsFor, gateMerge } from '../shm/gate-merge.ts'
import { createGateWriter, type GateWriter } from '../shm/gate-writer.ts'
import { layerName } from '../stores/layer-rows.ts'
import type { LayerRef } from '../stores/ports.ts'
import { nextTurn, type VisitRows } from './scan-rows.ts'

/**
 * The gate every call asks first: it holds the numbers of all layers in force and every number with a reputation.
 *
 * A small change (one number put on a list) is added in place. A large one makes a new gate of the largest layer's: that gate itself, when
 * nobody else reads it and there is room for the rest, or a larger one that it is spread over (shm/gate-merge.ts: 10 ms for 10 M
 * numbers). The rest is read from the store in slices, and the two are swapped as shm/gate-writer.ts says. Numbers of lists that are gone stay until then: they cost look-ups, no wrong answer.
 */
export type GlobalGate = {
  /** Undefined before the first update. */
  readonly memory: SharedArrayBuffer | undefined
  /** Numbers it holds, those of lists gone since included; one in GATE_FALSE_POSITIVE_RATE is not counted. */
  readonly numbers: number
  /** Makes it hold every number of `layers`; `gateOf` is asked for the gate of one of them at most. */
  update(layers: readonly LayerRef[], gateOf: GateOf): Promise<void>
  /** A number has a reputation now. */
  addReported(number: number): void
  /** Every thread reads the newest memory. */
  acknowledged(): void
}

/** The gate of a layer; when it is not kept, it is the global gate's from now on. */
export type GateOf = (layer: LayerRef) => Promise<{ readonly memory: SharedArrayBuffer; readonly isKept: boolean }>

export type GlobalGateDependencies = {
  readonly scanLayer: (layerId: number, visit: VisitRows) => Promise<void>
  readonly scanReported: (visit: VisitRows) => Promise<void>
}

/** Room for reports and small changes in a new gate, beside what it holds: 128 KiB. Reported numbers get as much again. */
const SPARE_CAPACITY = 65_536
/** The gate of a layer has 12 bits a number: with so many it has room for the rest, and says "maybe" to 0.7 % of absent numbers. */
const BITS_AT_START = 11
/** A gate with fewer bits a number says "maybe" to more than 1 % of absent numbers: time for a new one. */
const BITS_LEAST = 10

export function createGlobalGate({ scanLayer, scanReported }: GlobalGateDependencies): GlobalGate {
  let writer: GateWriter | undefined
  /** Layers (layerName) whose numbers are in the gate, those of lists gone since included, with how many numbers they have. */
  let held = new Map<string, number>()
  /** Numbers that were spread over it with the largest layer's gate: gateCount does not see them. */
  let merged = 0

  const numbers = () => (writer ? merged + gateCount(writer.gate) : 0)

  async function update(layers: readonly LayerRef[], gateOf: GateOf): Promise<void> {
    const missing = layers.filter((layer) => !held.has(layerName(layer)))
    const live = countNumbers(layers)
    const isFew = writer !== undefined && gateBitsFor(writer.gate, numbers() + countNumbers(missing)) >= BITS_LEAST
    const isMostlyLive = sum(held.values()) + countNumbers(missing) <= live * 2 + SPARE_CAPACITY
    if (!writer || !isFew || !isMostlyLive) {
      await replace(layers, gateOf)
      return
    }
    const { add } = writer
    for (const layer of missing) {
      await scanLayer(layer.layerId, (page, count) => {
        for (let i = 0; i < count; i++) add(page[i] ?? 0)
      })
    }
    for (const layer of missing) held.set(layerName(layer), layer.numberCount)
  }

  async function replace(layers: readonly LayerRef[], gateOf: GateOf): Promise<void> {
    const largest = largestOf(layers)
    const given = largest && (await gateOf(largest))
    // Read twice: what is reported between the two readings must find the new gate open already.
    const capacity = countNumbers(layers) + SPARE_CAPACITY + 2 * (await countReported())
    const memory = given ? gateOver(given, capacity) : createGate(capacity)
    const spread = given && given.memory !== memory ? openGate(given.memory) : undefined
    await nextTurn()
    // From here on reports go into both. The first gate has no writer yet: its follower replays what it may have missed.
    const next = writer ? writer.beginRebuildWith(memory) : openGate(memory)
    try {
      if (spread) gateMerge(next, spread)
      await nextTurn()
      for (const layer of layers) {
        if (layer !== largest) await scanLayer(layer.layerId, (page, count) => gateAddAll(next, page, 0, count))
      }
      await scanReported((page, count) => gateAddAll(next, page, 0, count))
    } catch (error) {
      writer?.abandon()
      throw error
    }
    if (writer) writer.publish()
    else writer = createGateWriter(memory)
    held = new Map(layers.map((layer) => [layerName(layer), layer.numberCount]))
    merged = spread ? (largest?.numberCount ?? 0) : 0
  }

  async function countReported(): Promise<number> {
    let total = 0
    await scanReported((_page, count) => {
      total += count
    })
    return total
  }

  return {
    get memory() {
      return writer?.memory
    },
    get numbers() {
      return numbers()
    },
    update,
    addReported: (number) => writer?.add(number),
    acknowledged: () => writer?.acknowledged(),
  }
}

/** The gate that is given, or an empty one that it can be spread over. */
function gateOver({ memory, isKept }: Awaited<ReturnType<GateOf>>, capacity: number): SharedArrayBuffer {
  const gate = openGate(memory)
  return !isKept && gateBitsFor(gate, capacity) >= BITS_AT_START ? memory : createGateAround(gate, capacity)
}

function largestOf(layers: readonly LayerRef[]): LayerRef | undefined {
  return layers.reduce<LayerRef | undefined>((a, b) => (a && a.numberCount >= b.numberCount ? a : b), undefined)
}

function countNumbers(layers: readonly LayerRef[]): number {
  return sum(layers.map((layer) => layer.numberCount))
}

function sum(values: Iterable<number>): number {
  let total = 0
  for (const value of values) total += value
  return total
}
