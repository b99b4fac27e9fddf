import { execFileSync, fork } from 'node:child_process'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import fc from 'fast-check'
import { Cluster, Redis } from 'ioredis'
import { Piscina } from 'piscina'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { CONTROL_BYTES } from '../../../src/jobs/list-jobs.ts'
import { runListJob } from '../../../src/jobs/run-list-job.ts'
import { createListJobRunner } from '../../../src/services/list-job-runner.ts'
import { gateFromBytes, gateHas, openGate } from '../../../src/shm/gate.ts'
import { openDataDirectory, readGateFile } from '../../../src/stores/data-directory.ts'
import { type LayerStore, layerName } from '../../../src/stores/layer-rows.ts'
import { openListContents } from '../../../src/stores/lmdb/list-contents.ts'
import { createMemoryStore } from '../../../src/stores/memory/memory-store.ts'
import type { LayerContents, LayerRef, ListContents } from '../../../src/stores/ports.ts'
import { createLayerStore } from '../../../src/stores/redis/layer-store.ts'
import { createTrafficLogReader } from '../../../src/stores/traffic-log/traffic-impact.ts'
import { layerContents, readLayer } from '../../contract/layer-rows.contract.ts'
import { numbersOnly } from '../../contract/list-contents.contract.ts'
import { temporaryDirectory } from '../../fixtures/temporary-directory.ts'
import { hasRedis, type RedisCluster, type RedisServer, startRedis, startRedisCluster } from '../../support/redis.ts'

const FREELY = { check() {}, report() {} }
const REGISTRY = 'zaslon:{p64}:r1:layers'
const damaged = expect.objectContaining({ code: 'RECORD_DAMAGED' })
const unavailable = expect.objectContaining({ code: 'UNAVAILABLE' })

type Side = { root: string; contents: ListContents }
const sides: Side[] = []

function openSide(root = temporaryDirectory()): Side {
  const side = { root, contents: openListContents({ directory: openDataDirectory(root).root, readOnly: false }) }
  sides.push(side)
  return side
}

afterEach(async () => {
  for (const { contents } of sides.splice(0)) await contents.close()
})

function put(contents: ListContents, layerId: number, given: LayerContents, stamp: number): LayerRef {
  contents.putLayer(layerId, given, { stamp })
  return { layerId, numberCount: given.numbers.length, rangeCount: given.rangesFrom.length, stamp }
}

/** Some chunks of numbers, about `step` apart. */
const many = (count = 400_000, step = 1_000) =>
  numbersOnly(Array.from({ length: count }, (_, index) => 79_000_000_000 + index * step + (mix(index) % step)))
const mix = (index: number) => Math.imul(index ^ (index >>> 7), 0x9e3779b1) >>> 8

function job(side: Side, layerStore: LayerStore, layer: LayerRef, kind: 'fetch-layer' | 'push-layer' = 'fetch-layer') {
  const directory = openDataDirectory(side.root)
  return runListJob(
    { kind, layer, control: new SharedArrayBuffer(CONTROL_BYTES) },
    {
      contents: side.contents,
      directory,
      traffic: createTrafficLogReader({ directory: directory.traffic }),
      now: Date.now,
      layerStore,
    },
  )
}

describe.skipIf(!hasRedis)('layers in one Redis server', () => {
  let server: RedisServer
  let client: Redis
  let store: LayerStore
  let here: Side
  let there: Side
  /** As if everything in the registry had been written so much earlier. */
  async function age(ms: number): Promise<void> {
    for (const [field, text] of Object.entries(await client.hgetall(REGISTRY))) {
      const entry = JSON.parse(text)
      for (const stamp of ['pushedMs', 'touchedMs']) if (stamp in entry) entry[stamp] -= ms
      await client.hset(REGISTRY, field, JSON.stringify(entry))
    }
  }
  const open = (options: { retryForMs?: number; timeoutMs?: number } = {}) =>
    createLayerStore({ recordId: 'r1', ...options }, { client, random: Math.random })

  beforeAll(async () => {
    server = await startRedis()
    client = new Redis(server.url)
    client.on('error', () => {})
  })
  afterAll(async () => {
    client.disconnect()
    await server.close()
  })
  beforeEach(async () => {
    await client.flushall()
    store = open()
    here = openSide()
    there = openSide()
  })

  it('brings any layer to another node as it was', async () => {
    await fc.assert(
      fc.asyncProperty(layerContents(), fc.integer({ min: 0, max: 2 ** 32 - 1 }), async (given, stamp) => {
        const layer = put(here.contents, 1, given, stamp)
        expect(await store.push(layer, here.contents, FREELY)).toBe('pushed')
        expect(await store.fetch(layer, there.contents, FREELY)).toBe('fetched')
        const { stored: _, ...got } = readLayer(there.contents, 1) as { stored: unknown }
        const { stored: __, ...meant } = readLayer(here.contents, 1) as { stored: unknown }
        expect(got).toEqual(meant)
        await client.flushall()
      }),
      { numRuns: 25 },
    )
  })

  it('writes a gate that knows every number and the stamp', async () => {
    const given = many(50_000)
    const layer = put(here.contents, 4, given, 99)
    expect(await job(here, store, layer, 'push-layer')).toMatchObject({ value: { outcome: 'pushed' } })
    expect(await job(here, store, layer, 'push-layer')).toMatchObject({ value: { outcome: 'present' } })
    expect(await job(there, store, layer)).toMatchObject({ value: { outcome: 'fetched' } })
    const directory = openDataDirectory(there.root)
    const gate = openGate(gateFromBytes((await readGateFile(directory, 4)) ?? new Uint8Array(), 99))
    for (const number of given.numbers) expect(gateHas(gate, number)).toBe(true)
    await client.flushall()
    rmSync(path.join(directory.gates, 'layer-4.gate'))
    expect(await job(there, store, layer)).toMatchObject({ value: { outcome: 'present' } })
    expect(existsSync(path.join(directory.gates, 'layer-4.gate'))).toBe(true)
  })

  it('replaces a layer with another stamp under the same id, its gate included', async () => {
    put(there.contents, 4, many(100_000, 3), 1)
    const layer = put(here.contents, 4, many(100_000, 7), 2)
    expect(await job(there, store, layer)).toMatchObject({ value: { outcome: 'gone' } })
    expect(there.contents.layer(4)?.stamp).toBe(1)
    await store.push(layer, here.contents, FREELY)
    expect(await job(there, store, layer)).toMatchObject({ value: { outcome: 'fetched' } })
    expect(readLayer(there.contents, 4)).toEqual(readLayer(here.contents, 4))
    expect(gateFromBytes((await readGateFile(openDataDirectory(there.root), 4)) ?? new Uint8Array(), 2)).toBeDefined()
  })

  it('does not push what the node does not have', async () => {
    const layer = put(here.contents, 1, numbersOnly([100]), 5)
    const failed = expect.objectContaining({ code: 'STORAGE_FAILED' })
    await expect(store.push({ ...layer, stamp: 6 }, here.contents, FREELY)).rejects.toEqual(failed)
    await expect(store.push({ ...layer, layerId: 2 }, here.contents, FREELY)).rejects.toEqual(failed)
    expect(await client.dbsize()).toBe(0)
  })

  const chunkKeys = async () => (await client.keys('*:layer:*')).sort((a, b) => chunkOf(a) - chunkOf(b))
  const chunkOf = (key: string) => Number(key.split(':').at(-1))
  const change = async (lie: Record<string, unknown>) => {
    const [[field, text] = ['', '{}']] = Object.entries(await client.hgetall(REGISTRY))
    await client.hset(REGISTRY, field, JSON.stringify({ ...JSON.parse(text), ...lie }))
  }
  it.each<[string, () => Promise<unknown>]>([
    ['a missing chunk', async () => client.del((await chunkKeys())[3] ?? '')],
    ['a truncated chunk', async () => cut(-1)],
    ['a chunk of nothing', async () => cut(0)],
    ['a chunk of a head alone', async () => cut(24)],
    ['two chunks swapped', async () => swap()],
    ['other counts in the registry', () => change({ numberCount: 5 })],
    ['another count of blocks', () => change({ blockCount: 5 })],
    ['another count of details', () => change({ dictionaryCount: 5 })],
    ['fewer chunks in the registry', () => change({ chunks: 5 })],
    ['more chunks in the registry', () => change({ chunks: 500 })],
    ['a negative count of chunks', () => change({ chunks: -1 })],
    ['another stamp in the registry', () => change({ stamp: 5 })],
    ['a registry entry that is no JSON', () => client.hset(REGISTRY, '1-77', '{')],
  ])('refuses %s, nothing half is there, and a node that has the layer replaces it', async (_, harm) => {
    const layer = put(here.contents, 1, many(), 77)
    await store.push(layer, here.contents, FREELY)
    await harm()
    await expect(store.fetch(layer, there.contents, FREELY)).rejects.toEqual(damaged)
    expect(there.contents.layerIds()).toEqual([])
    expect(there.contents.layer(1)).toBeUndefined()
    expect(await store.wanted()).toEqual(new Set(['1-77']))
    expect(await store.push(layer, here.contents, FREELY)).toBe('pushed')
    expect(await store.wanted()).toEqual(new Set())
    expect(await store.fetch(layer, there.contents, FREELY)).toBe('fetched')
  })
  async function cut(end: number): Promise<void> {
    const key = (await chunkKeys())[2] ?? ''
    const bytes = await client.getBuffer(key)
    await client.set(key, bytes?.subarray(0, end) ?? '')
  }
  async function swap(): Promise<void> {
    const [first = '', second = ''] = await chunkKeys()
    await client.rename(first, 'x')
    await client.rename(second, first)
    await client.rename('x', second)
  }

  it('refuses every flipped byte of a chunk', async () => {
    const layer = put(here.contents, 1, numbersOnly([100, 200, 300]), 77)
    await store.push(layer, here.contents, FREELY)
    const [key = ''] = await chunkKeys()
    const bytes = (await client.getBuffer(key)) ?? Buffer.alloc(0)
    for (let at = 0; at < bytes.length; at++) {
      const harmed = Buffer.from(bytes)
      harmed.writeUInt8((bytes[at] ?? 0) ^ (1 << (at & 7)), at)
      await client.set(key, harmed)
      await expect(store.fetch(layer, there.contents, FREELY)).rejects.toEqual(damaged)
      expect(there.contents.layerIds()).toEqual([])
    }
  })

  it('pushes a layer anew when chunks of it were lost', async () => {
    const layer = put(here.contents, 1, many(), 77)
    await store.push(layer, here.contents, FREELY)
    await client.del((await chunkKeys())[1] ?? '')
    expect(await store.push(layer, here.contents, FREELY)).toBe('pushed')
    expect(await store.fetch(layer, there.contents, FREELY)).toBe('fetched')
  })

  it('replaces a chunk whose bits have turned once somebody could not read it', async () => {
    const layer = put(here.contents, 1, many(), 77)
    await store.push(layer, here.contents, FREELY)
    const key = (await chunkKeys())[1] ?? ''
    const bytes = (await client.getBuffer(key)) ?? Buffer.alloc(0)
    bytes.writeUInt8(bytes.readUInt8(1_000) ^ 4, 1_000)
    await client.set(key, bytes)
    await expect(store.fetch(layer, there.contents, FREELY)).rejects.toEqual(damaged)
    expect(await store.push(layer, here.contents, FREELY)).toBe('pushed')
    expect(await store.fetch(layer, there.contents, FREELY)).toBe('fetched')
  })

  it('replaces a chunk in whose place there is something else', async () => {
    const layer = put(here.contents, 1, many(), 77)
    await store.push(layer, here.contents, FREELY)
    const key = (await chunkKeys())[1] ?? ''
    await client.multi().del(key).rpush(key, 'x').exec()
    await expect(store.fetch(layer, there.contents, FREELY)).rejects.toEqual(damaged)
    expect(await store.push(layer, here.contents, FREELY)).toBe('pushed')
    expect(await store.fetch(layer, there.contents, FREELY)).toBe('fetched')
  })

  it('says for a minute which layer a node looked for in vain', async () => {
    const layer = put(here.contents, 1, numbersOnly([100]), 77)
    expect(await store.fetch(layer, there.contents, FREELY)).toBe('gone')
    expect(await store.wanted()).toEqual(new Set(['1-77']))
    expect(await client.ttl(`${REGISTRY}-wanted`)).toBeGreaterThan(50)
    await store.push(layer, here.contents, FREELY)
    expect(await client.exists(`${REGISTRY}-wanted`)).toBe(0)
  })

  it('stops when asked to, and leaves nothing on either side', async () => {
    const layer = put(here.contents, 1, many(), 77)
    const stopAfter = (count: number) => {
      let checks = 0
      const check = () => {
        if (++checks > count) throw new Error('stopped')
      }
      return { check, report() {} }
    }
    await expect(store.push(layer, here.contents, stopAfter(4))).rejects.toThrow('stopped')
    expect(await client.dbsize()).toBe(0)
    await store.push(layer, here.contents, FREELY)
    await expect(store.fetch(layer, there.contents, stopAfter(6))).rejects.toThrow('stopped')
    expect(there.contents.layerIds()).toEqual([])
  })

  it('reports progress that rises to 1 and keeps few chunks in flight', async () => {
    const layer = put(here.contents, 1, many(), 77)
    let sending = 0
    let sendingMost = 0
    const counting = new Proxy(client, {
      get(target, name) {
        const value = Reflect.get(target, name)
        if (name !== 'set') return typeof value === 'function' ? value.bind(target) : value
        return async (...args: Parameters<Redis['set']>) => {
          sendingMost = Math.max(sendingMost, ++sending)
          await target.set(...args)
          sending--
        }
      },
    })
    const shares: number[] = []
    const control = { check() {}, report: (share: number) => void shares.push(share) }
    const counted = createLayerStore({ recordId: 'r1' }, { client: counting, random: Math.random })
    await counted.push(layer, here.contents, control)
    expect(shares.at(-1)).toBe(1)
    expect(shares).toEqual([...shares].sort((a, b) => a - b))
    expect(sendingMost).toBe(4)
  })

  it('sweeps what is old and unused, and nothing else', async () => {
    const layers = [1, 2, 3].map((layerId) => put(here.contents, layerId, many(200_000), layerId))
    const [used, old, young] = layers as [LayerRef, LayerRef, LayerRef]
    await store.push(used, here.contents, FREELY)
    await store.push(old, here.contents, FREELY)
    await age(100_001)
    await store.push(young, here.contents, FREELY)
    const inUse = new Set([layerName(used)])
    expect(await store.sweep(inUse, 200_000)).toBe(0)
    expect(await store.sweep(inUse, 100_000)).toBe(1)
    expect(await store.fetch(old, there.contents, FREELY)).toBe('gone')
    for (const layer of [used, young]) expect(await store.fetch(layer, there.contents, FREELY)).toBe('fetched')
    expect(await store.sweep(new Set(), -1)).toBe(2)
    expect(await client.keys('*')).toEqual([`${REGISTRY}-wanted`])
  })

  it('does not sweep a layer that was pushed again a moment ago', async () => {
    const layer = put(here.contents, 1, many(10_000), 1)
    await store.push(layer, here.contents, FREELY)
    await age(10_000)
    await store.push(layer, here.contents, FREELY)
    expect(await store.sweep(new Set(), 5_000)).toBe(0)
  })

  it('sweeps by the clock of Redis, not by those of nodes, which differ and jump', async () => {
    const layer = put(here.contents, 1, many(10_000), 1)
    const clock = vi.spyOn(Date, 'now').mockReturnValue(1_000_000)
    try {
      await store.push(layer, here.contents, FREELY)
      clock.mockReturnValue(4_000_000_000_000)
      expect(await store.sweep(new Set(), 5_000)).toBe(0)
      expect(await store.sweep(new Set(), -1)).toBe(1)
    } finally {
      clock.mockRestore()
    }
  })

  it('survives nodes that push, fetch and sweep the same layer at once', async () => {
    const layer = put(here.contents, 1, many(200_000), 1)
    const outcomes = new Set<string>()
    for (let round = 0; round < 10; round++) {
      const sweeps = [open().sweep(new Set(), -1), open().sweep(new Set(), -1)]
      const pushes = [open(), open()].map((node) =>
        node.push(layer, here.contents, FREELY).catch((error) => error.code),
      )
      const fetching = open().fetch(layer, there.contents, FREELY)
      for (const outcome of await Promise.all([...pushes, fetching])) outcomes.add(outcome)
      await Promise.all(sweeps)
      const whole = there.contents.layer(1)
      if (whole !== undefined) expect(readLayer(there.contents, 1)).toEqual(readLayer(here.contents, 1))
    }
    await store.sweep(new Set(), -1)
    expect(await client.keys('*')).toEqual([])
    expect(outcomes).not.toContain('RECORD_DAMAGED')
  })

  it('finds what a push and a sweep that died left', async () => {
    const layer = put(here.contents, 1, many(), 1)
    await store.push(layer, here.contents, FREELY)
    const [field = '', text = ''] = Object.entries(await client.hgetall(REGISTRY))[0] ?? []
    const { pushId } = JSON.parse(text)
    for (const state of ['pushing', 'deleting']) {
      await client.del(REGISTRY)
      await client.hset(REGISTRY, `${field}:${pushId}`, JSON.stringify({ state, chunks: 64, touchedMs: Date.now() }))
      if (state === 'pushing') {
        expect(await store.sweep(new Set(), 10_000)).toBe(0)
        expect((await chunkKeys()).length).toBeGreaterThan(0)
      }
    }
    expect(await store.sweep(new Set(), 0)).toBe(0)
    expect(await client.keys('*')).toEqual([])
  })

  it('says that Redis is full', async () => {
    const layer = put(here.contents, 1, many(2_000_000), 1)
    await client.config('SET', 'maxmemory', '3mb')
    try {
      await expect(store.push(layer, here.contents, FREELY)).rejects.toMatchObject({ code: 'STORAGE_FULL' })
    } finally {
      await client.config('SET', 'maxmemory', '0')
    }
    expect(await store.push(layer, here.contents, FREELY)).toBe('pushed')
  })

  it('waits for a frozen server and gives up in time', async () => {
    const layer = put(here.contents, 1, many(), 1)
    const patient = createLayerStore(
      { recordId: 'r1', timeoutMs: 200, retryForMs: 10_000 },
      { client, random: Math.random },
    )
    server.signal('SIGSTOP')
    const pushing = patient.push(layer, here.contents, FREELY)
    setTimeout(() => server.signal('SIGCONT'), 700)
    expect(await pushing).toBe('pushed')
    const hasty = createLayerStore({ recordId: 'r1', timeoutMs: 100, retryForMs: 300 }, { client, random: Math.random })
    server.signal('SIGSTOP')
    try {
      await expect(hasty.fetch(layer, there.contents, FREELY)).rejects.toEqual(unavailable)
    } finally {
      server.signal('SIGCONT')
    }
  })

  it('keeps what it had when it is killed in the middle of a fetch', async () => {
    const layer = put(here.contents, 2, many(500_000), 1)
    await store.push(layer, here.contents, FREELY)
    put(there.contents, 1, many(1_000), 9)
    const before = readLayer(there.contents, 1)
    for (const part of [0, 0.2, 0.6]) {
      await dieWhileFetching(there.root, layer, part)
      const after = openSide(there.root)
      expect(readLayer(after.contents, 1)).toEqual(before)
      expect(after.contents.layer(2)).toBeUndefined()
    }
    expect(await job(there, store, layer)).toMatchObject({ ok: true })
    expect(readLayer(there.contents, 2)).toEqual(readLayer(here.contents, 2))
  })
  async function dieWhileFetching(root: string, layer: LayerRef, part: number): Promise<void> {
    const script = path.resolve('dist/test/integration/fixtures/fetch-child.js')
    const child = fork(script, [root, server.url, JSON.stringify(layer), String(part)])
    await new Promise((resolve) => child.once('exit', resolve))
    expect(child.signalCode).toBe('SIGKILL')
  }

  it('keeps a layer that it fetches, or that is held, from cleaning', async () => {
    const layer = put(here.contents, 3, many(50_000), 1)
    await store.push(layer, here.contents, FREELY)
    const directory = openDataDirectory(there.root)
    const traffic = createTrafficLogReader({ directory: directory.traffic })
    const dependencies = { contents: there.contents, directory, traffic, now: Date.now, layerStore: store }
    const jobs = createListJobRunner({
      store: createMemoryStore(),
      pool: { run: (task) => runListJob(task, dependencies) },
    })
    await jobs.holdLayers([3], async () => {
      await Promise.all([jobs.fetchLayer(layer), jobs.clean(), jobs.pushLayer(layer), jobs.fetchLayer(layer)])
      await jobs.clean()
      expect(there.contents.layer(3)).toBeDefined()
    })
    await jobs.clean()
    expect(there.contents.layer(3)).toBeUndefined()
    const control = new SharedArrayBuffer(CONTROL_BYTES)
    new Int32Array(control)[0] = 1
    await expect(jobs.fetchLayer(layer, { control })).rejects.toThrow('cancelled')
  })

  it('runs in job threads that keep their connection, and lets them end', async () => {
    const layer = put(here.contents, 2, many(50_000), 1)
    const filename = path.resolve('dist/workers/job.js')
    const pools = [here, there].map(({ root }) => {
      const workerData = { dataDirectory: root, redis: { redis: { url: server.url }, kind: 'single', recordId: 'r1' } }
      return new Piscina({ filename, minThreads: 1, maxThreads: 1, workerData })
    })
    const [pushing, fetching] = pools
    const control = new SharedArrayBuffer(CONTROL_BYTES)
    const run = (pool: Piscina | undefined, kind: string) => pool?.run({ kind, layer, control })
    const connections = () => Number(/connected_clients:(\d+)/.exec(server.cli('info', 'clients'))?.[1])
    const before = connections()
    expect(await run(pushing, 'push-layer')).toEqual({ ok: true, value: { outcome: 'pushed' } })
    expect(await run(pushing, 'push-layer')).toEqual({ ok: true, value: { outcome: 'present' } })
    expect(connections()).toBe(before + 1)
    expect(await run(fetching, 'fetch-layer')).toEqual({ ok: true, value: { outcome: 'fetched' } })
    await client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
    expect(await run(pushing, 'push-layer')).toEqual({ ok: true, value: { outcome: 'present' } })
    await Promise.all(pools.map((pool) => pool.close({ force: true })))
    expect(readLayer(there.contents, 2)).toEqual(readLayer(here.contents, 2))
  })

  it('refuses a layer that does not fit on the disk, and is whole again when there is room', async () => {
    const root = path.join(temporaryDirectory(), 'small')
    mkdirSync(root)
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', root], { stdio: 'ignore' })
    } catch {
      console.warn('Skipped: a full disk needs root and tmpfs.')
      return
    }
    try {
      const layer = put(here.contents, 2, many(3_000_000), 1)
      const small = put(here.contents, 3, many(10_000), 1)
      for (const each of [layer, small]) await store.push(each, here.contents, FREELY)
      const contents = openListContents({ directory: openDataDirectory(root).root, readOnly: false })
      put(contents, 1, many(1_000), 9)
      writeFileSync(path.join(root, 'filler'), Buffer.alloc(2 ** 20))
      expect(await job({ root, contents }, store, layer)).toMatchObject({ ok: false, code: 'STORAGE_FULL' })
      rmSync(path.join(root, 'filler'))
      expect(contents.layer(2)).toBeUndefined()
      expect(contents.layer(1)).toBeDefined()
      contents.dropLayer(2)
      expect(await job({ root, contents }, store, small)).toMatchObject({ value: { outcome: 'fetched' } })
      await contents.close()
    } finally {
      execFileSync('umount', ['-l', root])
    }
  })
})

describe.skipIf(!hasRedis)('layers in a Redis cluster', () => {
  let cluster: RedisCluster
  let client: Cluster
  beforeAll(async () => {
    cluster = await startRedisCluster()
    client = new Cluster(cluster.servers.map(({ port }) => ({ host: '127.0.0.1', port })))
    client.on('error', () => {})
  })
  afterAll(async () => {
    client?.disconnect()
    await cluster?.close()
  })

  it('spreads a layer over all masters and brings it to another node', async () => {
    const here = openSide()
    const there = openSide()
    const store = createLayerStore({ recordId: 'r1' }, { client, random: Math.random })
    const layer = put(here.contents, 1, many(5_000_000), 1)
    expect(await store.push(layer, here.contents, FREELY)).toBe('pushed')
    const sizes = await Promise.all(client.nodes('master').map((node) => node.dbsize()))
    expect(sizes).toHaveLength(3)
    for (const size of sizes) expect(size).toBeGreaterThan(10)
    expect(await store.fetch(layer, there.contents, FREELY)).toBe('fetched')
    expect(there.contents.layer(1)).toEqual(here.contents.layer(1))
    expect(await store.sweep(new Set(), -1)).toBe(1)
    const left = await Promise.all(client.nodes('master').map((node) => node.dbsize()))
    expect(left).toEqual([0, 0, 0])
  })
})
