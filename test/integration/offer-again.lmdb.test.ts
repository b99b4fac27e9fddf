import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, it } from 'vitest'
import { DESK_PARTITION } from '../../src/stores/fact.ts'
import { encodeFact } from '../../src/stores/fact-codec.ts'
import type { LayerRef } from '../../src/stores/ports.ts'
import { openRecordNode, type RecordNode } from '../support/redis-node.ts'
import { createSimulatedRecord } from '../support/simulated-streams.ts'

/** List versions that Redis has lost with their contents, and that nodes offer again. */
const LAYERS: readonly LayerRef[] = [1, 2].map((layerId) => ({ layerId, numberCount: 1, rangeCount: 0, stamp: 0 }))
const nodes: RecordNode[] = []
afterEach(async () => {
  for (const { store } of nodes.splice(0)) await store.close()
})

/** A node that has these layers on its own disk; `redis` are those that are in Redis. */
async function open(
  record: ReturnType<typeof createSimulatedRecord>,
  { redis, disk }: { redis: Set<number>; disk: Set<number> },
) {
  let ids = 0
  const name = nodes.length
  const streams = record.connect()
  const node = await openRecordNode({
    // Slow enough for everybody to see each fact by itself.
    streams: { ...streams, append: (...fact) => sleep(15).then(() => streams.append(...fact)) },
    newFactId: () => `${name}${(++ids).toString(16).padStart(31, '0')}`,
    pollMs: 2,
    touchMs: 10,
    layers: {
      allocate: async (known) => known + 1,
      push: async (layers) => layers.forEach(({ layerId }) => void redis.add(layerId)),
      async fetch(layers) {
        for (const { layerId } of layers) if (redis.has(layerId)) disk.add(layerId)
        return layers.filter(({ layerId }) => !redis.has(layerId))
      },
      has: ({ layerId }) => disk.has(layerId),
      wanted: async () => new Set(),
      newest: () => 0,
    },
  })
  nodes.push(node)
  await node.store.follower.caughtUp()
  return node
}

async function activateBoth({ store }: Pick<RecordNode, 'store'>): Promise<void> {
  await store.putList({ name: 'black', kind: 'deny', title: '' }, 'anna')
  for (const layer of LAYERS) {
    const { version } = await store.stageVersion('black', { layers: [layer], entryCount: 1 }, 'anna')
    await store.activateVersion('black', version, {}, 'anna')
  }
}

async function until(isSo: () => boolean): Promise<void> {
  for (const giveUpMs = Date.now() + 6_000; !isSo(); await sleep(5)) {
    if (Date.now() > giveUpMs) throw new Error(`It never came: ${isSo}`)
  }
}

async function untilActive(version: number): Promise<void> {
  const isSo = () =>
    nodes.every(({ store }) => {
      const { states, outbox } = store.recordStatus()
      return states.following === 65 && outbox.facts === 0 && store.list('black')?.activeVersion === version
    })
  for (const giveUpMs = Date.now() + 6_000; !isSo(); await sleep(10)) {
    if (Date.now() > giveUpMs) throw new Error(JSON.stringify(nodes.map(({ store }) => store.recordStatus())))
  }
}

it('gives Redis the contents again with the list version that has them', async () => {
  const record = createSimulatedRecord()
  const redis = new Set<number>()
  const author = await open(record, { redis, disk: new Set([1, 2]) })
  await activateBoth(author)
  expect(redis).toEqual(new Set([1, 2]))
  redis.clear()
  record.failover(DESK_PARTITION, 4)
  await sleep(50)
  await untilActive(2)
  // A node that comes now needs them.
  await open(record, { redis, disk: new Set() })
  await untilActive(2)
})

it('offers on when a version in between has contents that nobody has any more', async () => {
  const record = createSimulatedRecord()
  const redis = new Set<number>()
  const disk = new Set([1, 2])
  await activateBoth(await open(record, { redis, disk }))
  disk.delete(1)
  redis.clear()
  record.failover(DESK_PARTITION, 4)
  await sleep(50)
  await untilActive(2)
})

it('gives and keeps what rows of the whole desk point to, when they are taken back', async () => {
  const author = await open(createSimulatedRecord(), { redis: new Set(), disk: new Set([1, 2]) })
  await activateBoth(author)
  const facts = [...author.replica.factsOf(DESK_PARTITION)]
  for (const { store } of nodes.splice(0)) await store.close()

  const record = createSimulatedRecord()
  const writer = record.connect()
  for (const [index, fact] of facts.entries()) {
    const payload = encodeFact({ ...fact, actor: 'anna', atMs: 1 })
    await writer.append(DESK_PARTITION, String(index).padStart(32, 'f'), payload)
  }
  const redis = new Set([2])
  const other = await open(record, { redis, disk: new Set() })
  expect(other.store.list('black')?.activeVersion).toBe(2)
  redis.clear()
  record.failover(DESK_PARTITION, facts.length)
  await until(() => other.store.list('black') === undefined)
  expect(other.replica.layersInUse()).toEqual(new Set([1, 2]))
  await untilActive(2)
  expect(redis).toEqual(new Set([2]))
})

it.each([{}, { layers: 7 }, { layers: [null, {}] }])(
  'lives with a fact that says nothing of its layers: %j',
  async (version) => {
    const record = createSimulatedRecord()
    const { store, replica } = await open(record, { redis: new Set(), disk: new Set() })
    const fact = { v: 1, kind: 'list-stage', name: 'black', listKind: 'deny', version, actor: 'anna', atMs: 1 }
    await record.connect().append(DESK_PARTITION, 'f'.repeat(32), Buffer.from(JSON.stringify(fact)))
    await until(() => replica.position(DESK_PARTITION).sequence === 2)
    record.failover(DESK_PARTITION, 1)
    await until(() => store.recordStatus().rewound === 1)
    expect(replica.layersInUse()).toEqual(new Set())
    await until(() => store.recordStatus().outbox.facts === 0)
  },
)

it('brings back the contents that a list in force needs again when its next version is taken back', async () => {
  const record = createSimulatedRecord()
  const redis = new Set<number>()
  const disk = new Set([1, 2])
  await activateBoth(await open(record, { redis, disk }))
  disk.delete(1)
  record.failover(DESK_PARTITION, 2)
  await sleep(50)
  await untilActive(2)
  expect(disk).toEqual(new Set([1, 2]))
})

it('takes nothing back while those contents are gone, says that it waits for them, and goes on when they come', async () => {
  const record = createSimulatedRecord()
  const redis = new Set<number>()
  const disk = new Set([1, 2])
  const { store } = await open(record, { redis, disk })
  await activateBoth({ store })
  disk.delete(1)
  redis.clear()
  record.failover(DESK_PARTITION, 2)
  await sleep(200)
  expect(store.recordStatus()).toMatchObject({
    states: { following: 64, waiting: 1 },
    problem: { code: 'CONTENTS_MISSING', detail: expect.stringContaining('version 1 of list black needs again') },
  })
  expect(store.list('black')?.activeVersion).toBe(2)
  redis.add(1)
  await untilActive(2)
})
