import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { DESK_PARTITION } from '../../../src/stores/fact.ts'
import { isSameLayer, layerName } from '../../../src/stores/layer-rows.ts'
import type { LayerRef } from '../../../src/stores/ports.ts'
import type { LayerTraffic } from '../../../src/stores/redis/redis-record-store.ts'
import { countedLayers, openRecordNode, type RecordNode } from '../../support/redis-node.ts'
import { createSimulatedRecord } from '../../support/simulated-streams.ts'

let facts = 0
const newFactId = () => (++facts).toString(16).padStart(32, '0')

async function until(isSo: () => boolean, forMs = 5_000): Promise<boolean> {
  for (const giveUpMs = Date.now() + forMs; !isSo(); await sleep(5)) if (Date.now() > giveUpMs) return false
  return true
}

/** What Redis has of layers, and what each node was asked to look for in vain. */
type Shared = { readonly layers: Map<string, LayerRef>; readonly wanted: Set<string>; last: number }

type Side = RecordNode & {
  readonly own: Map<number, LayerRef>
  readonly link: ReturnType<ReturnType<typeof createSimulatedRecord>['connect']>
  fetches: number
}

async function openSide(record: ReturnType<typeof createSimulatedRecord>, shared: Shared): Promise<Side> {
  const own = new Map<number, LayerRef>()
  const has = (layer: LayerRef) => {
    const stored = own.get(layer.layerId)
    return stored !== undefined && isSameLayer({ ...stored, blockCount: 0, dictionaryCount: 0 }, layer)
  }
  const layers: LayerTraffic = {
    allocate: async (known) => {
      shared.last = Math.max(shared.last, known) + 1
      return shared.last
    },
    async push(pushed) {
      await sleep(1)
      for (const layer of pushed) {
        if (!has(layer)) throw new Error('The layer is not here.')
        shared.layers.set(layerName(layer), layer)
        shared.wanted.delete(layerName(layer))
      }
    },
    async fetch(fetched) {
      await sleep(1)
      side.fetches++
      const gone: LayerRef[] = []
      for (const layer of fetched) {
        if (shared.layers.has(layerName(layer))) own.set(layer.layerId, layer)
        else {
          shared.wanted.add(layerName(layer))
          gone.push(layer)
        }
      }
      return gone
    },
    wanted: async () => new Set(shared.wanted),
    has,
    newest: () => Math.max(0, ...own.keys()),
  }
  const link = record.connect()
  const node = await openRecordNode({ streams: link, layers, newFactId, pollMs: 2, touchMs: 10 })
  await node.store.follower.caughtUp()
  const side: Side = { ...node, own, link, fetches: 0 }
  return side
}

async function openTwo(): Promise<{
  record: ReturnType<typeof createSimulatedRecord>
  shared: Shared
  a: Side
  b: Side
}> {
  const record = createSimulatedRecord()
  const shared: Shared = { layers: new Map(), wanted: new Set(), last: 0 }
  const [a, b] = await Promise.all([openSide(record, shared), openSide(record, shared)])
  await a.store.putList({ name: 'black', kind: 'deny', title: '' }, 'anna')
  await a.store.putList({ name: 'white', kind: 'allow', title: '' }, 'anna')
  await until(() => b.store.list('white') !== undefined)
  return { record, shared, a, b }
}

const LAYER: LayerRef = { layerId: 1, numberCount: 10, rangeCount: 0, stamp: 77 }

const NEWER: LayerRef = { ...LAYER, layerId: 2, stamp: 78 }

async function importTo({ own, store }: Side, name: string, layer: LayerRef): Promise<void> {
  own.set(layer.layerId, layer)
  const { version } = await store.stageVersion(name, { layers: [layer], entryCount: 10 }, 'anna')
  await store.activateVersion(name, version, {}, 'anna')
}

describe('contents of a list that Redis lost', () => {
  it('are there again before the facts that Redis lost with them', async () => {
    const { record, shared, a, b } = await openTwo()
    await importTo(a, 'black', LAYER)
    shared.layers.clear()
    record.failover(DESK_PARTITION, 2)
    expect(await until(() => b.store.list('black')?.activeVersion === 1)).toBe(true)
    expect(await until(() => a.store.list('black')?.activeVersion === 1)).toBe(true)
    expect(a.store.recordStatus().states).toEqual({ following: 65 })
    await Promise.all([a.store.close(), b.store.close()])
  })

  it('are given back by a node that has them to one that needs them, which waits until then', async () => {
    const { shared, a, b } = await openTwo()
    b.link.isReachable = false
    await importTo(a, 'black', LAYER)
    shared.layers.clear()
    a.own.delete(1)
    b.link.isReachable = true
    expect(await until(() => b.store.follower.stateOf(DESK_PARTITION).state === 'waiting')).toBe(true)
    expect(b.store.recordStatus().problem?.code).toBe('CONTENTS_MISSING')
    expect(b.store.list('black')?.activeVersion).toBe(0)
    a.own.set(1, LAYER)
    expect(await until(() => b.store.list('black')?.activeVersion === 1)).toBe(true)
    // The version is there with its commit; the state follows when the entry is behind it.
    await until(() => b.store.recordStatus().states.following === 65)
    expect(b.store.recordStatus().states).toEqual({ following: 65 })
    await Promise.all([a.store.close(), b.store.close()])
  })

  it('are given back before anybody asks, when they were lost alone', async () => {
    const { record, shared, a, b } = await openTwo()
    await importTo(a, 'black', LAYER)
    await until(() => b.store.list('black')?.activeVersion === 1)
    shared.layers.clear()
    record.failover(3, 0)
    expect(await until(() => shared.layers.has('1-77'))).toBe(true)
    await Promise.all([a.store.close(), b.store.close()])
  })

  it('are not pushed to a Redis where the desk is gone: nobody would ever remove them', async () => {
    const { record, shared, a, b } = await openTwo()
    await importTo(a, 'black', LAYER)
    await until(() => b.store.list('black')?.activeVersion === 1)
    record.flush(DESK_PARTITION)
    const isLost = ({ store }: Side) => store.follower.stateOf(DESK_PARTITION).state === 'lost'
    expect(await until(() => isLost(a) && isLost(b))).toBe(true)
    await sleep(100)
    shared.layers.clear()
    await sleep(1_500)
    expect(shared.layers.size).toBe(0)
    await Promise.all([a.store.close(), b.store.close()])
  })

  it('hold back only their own list while no node has them', async () => {
    const { record, shared, a, b } = await openTwo()
    await importTo(a, 'black', LAYER)
    await a.store.putPolicy({ text: 'newer', document: {} as never }, {}, 'anna')
    a.own.delete(1)
    shared.layers.clear()
    record.failover(DESK_PARTITION, 3)
    b.own.clear()
    const isBehind = () => b.store.list('black')?.activeVersion === 0
    expect(await until(() => isBehind() && b.store.policy()?.text === 'newer')).toBe(true)
    expect(a.replica.layersInUse()).toEqual(new Set([1]))
    a.own.set(1, LAYER)
    expect(await until(() => b.store.list('black')?.activeVersion === 1)).toBe(true)
    await Promise.all([a.store.close(), b.store.close()])
  })
})

describe('contents that nobody has any more', () => {
  /** Version 2 is in force everywhere; b never had what version 1 needs. */
  async function openWithOldVersion() {
    const opened = await openTwo()
    const { a, b } = opened
    b.link.isReachable = false
    await importTo(a, 'black', LAYER)
    await importTo(a, 'black', NEWER)
    b.link.isReachable = true
    expect(await until(() => b.store.list('black')?.activeVersion === 2)).toBe(true)
    expect(b.own.has(1)).toBe(false)
    return opened
  }

  it('do not come into force, and their version can be activated again once somebody has them', async () => {
    const { record, shared, a, b } = await openWithOldVersion()
    a.own.delete(1)
    shared.layers.delete('1-77')
    const facts = record.entries(DESK_PARTITION).length
    for (const { store } of [a, b]) {
      const refused = store.activateVersion('black', 1, {}, 'anna')
      await expect(refused).rejects.toMatchObject({
        code: 'CONTENTS_GONE',
        message: expect.stringContaining('list black'),
      })
    }
    expect(record.entries(DESK_PARTITION).length).toBe(facts)
    const asked = b.store.activateVersion('black', 1, {}, 'anna')
    a.own.set(1, LAYER)
    await asked
    expect(b.store.list('black')?.activeVersion).toBe(1)
    expect(await until(() => a.store.list('black')?.activeVersion === 1)).toBe(true)
    await Promise.all([a.store.close(), b.store.close()])
  }, 20_000)

  it('hold a node up only until another version comes into force, on whichever node that is said', async () => {
    const { shared, a, b } = await openWithOldVersion()
    b.link.isReachable = false
    await a.store.activateVersion('black', 1, {}, 'anna')
    a.own.delete(1)
    shared.layers.delete('1-77')
    b.link.isReachable = true
    expect(await until(() => b.store.follower.stateOf(DESK_PARTITION).state === 'waiting')).toBe(true)
    expect(b.store.recordStatus().problem?.detail).toContain('version 1 of list black')
    const other = b.store.putList({ name: 'black', kind: 'deny', title: 'x' }, 'anna')
    await expect(other).rejects.toMatchObject({ code: 'CONTENTS_MISSING' })
    const expecting = b.store.activateVersion('black', 2, { expectedActive: 2 }, 'boris')
    await expect(expecting).rejects.toMatchObject({ code: 'CONTENTS_MISSING' })
    await b.store.activateVersion('black', 2, {}, 'boris')
    expect(b.store.list('black')?.activeVersion).toBe(2)
    expect(await until(() => b.store.recordStatus().states.following === 65)).toBe(true)
    expect(await until(() => a.store.list('black')?.activeVersion === 2)).toBe(true)
    await Promise.all([a.store.close(), b.store.close()])
  })
})

describe('contents that Redis does not take in time', () => {
  it('end a change of single entries, and an import goes on', async () => {
    let finish: () => void = () => {}
    const pushing = new Promise<void>((resolve) => (finish = resolve))
    const layers = { ...countedLayers(), push: () => pushing }
    const streams = createSimulatedRecord().connect()
    const { store } = await openRecordNode({ streams, layers, newFactId, pollMs: 2, pushDeadlineMs: 30 })
    await store.follower.caughtUp()
    await store.putList({ name: 'black', kind: 'deny', title: '' }, 'anna')
    const version = { layers: [LAYER], entryCount: 10 }
    const entries = store.stageVersion('black', version, 'anna')
    const imported = store.stageVersion('black', { ...version, importId: 'i1' }, 'anna')
    await expect(entries).rejects.toMatchObject({ code: 'UNAVAILABLE', details: { retryAfterSeconds: 5 } })
    finish()
    expect((await imported).version).toBe(1)
    await store.close()
  })
})

describe('one layer id for two layers', () => {
  it('is refused to the second, which comes into force under another', async () => {
    const { shared, a, b } = await openTwo()
    await importTo(b, 'white', { ...LAYER, stamp: 2 })
    await until(() => a.store.list('white')?.activeVersion === 1)
    const taken = await importTo(a, 'black', LAYER).catch((error: unknown) => error)
    expect(taken).toMatchObject({ code: 'LIST_CHANGED' })
    await importTo(a, 'black', { ...LAYER, layerId: 2 })
    expect(await until(() => b.store.list('black')?.activeVersion === 1)).toBe(true)
    expect(await until(() => a.own.get(1)?.stamp === 2)).toBe(true)
    expect(a.fetches + b.fetches).toBeLessThan(6)
    expect(shared.layers.has('1-2')).toBe(true)
    await Promise.all([a.store.close(), b.store.close()])
  })

  it('does not fetch for ever what does not stay, and ends', async () => {
    const { a, b } = await openTwo()
    b.own.set = () => b.own
    await importTo(a, 'black', LAYER)
    expect(await until(() => b.store.follower.stateOf(DESK_PARTITION).state === 'damaged')).toBe(true)
    const ended = Promise.all([a.store.close(), b.store.close()]).then(() => 'ended')
    expect(await Promise.race([ended, sleep(2_000)])).toBe('ended')
  })
})
