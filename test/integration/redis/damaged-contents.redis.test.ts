/** Contents of a list that are wrong in Redis, with one node that has them and one that needs them. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { runListJob } from '../../../src/jobs/run-list-job.ts'
import { createLayerTraffic } from '../../../src/processes/layer-traffic.ts'
import { createListJobRunner } from '../../../src/services/list-job-runner.ts'
import { openDataDirectory } from '../../../src/stores/data-directory.ts'
import { DESK_PARTITION } from '../../../src/stores/fact.ts'
import { openListContents } from '../../../src/stores/lmdb/list-contents.ts'
import { openReplica } from '../../../src/stores/lmdb/replica.ts'
import { createLayerStore } from '../../../src/stores/redis/layer-store.ts'
import { createRedisRecordStore } from '../../../src/stores/redis/redis-record-store.ts'
import { createTrafficLogReader } from '../../../src/stores/traffic-log/traffic-impact.ts'
import { numbersOnly } from '../../contract/list-contents.contract.ts'
import { temporaryDirectory } from '../../fixtures/temporary-directory.ts'
import { hasRedis, type RedisServer, startRedis } from '../../support/redis.ts'
import { joinRecord, newFactId, untilDone } from '../../support/redis-record.ts'

const LAYER = { layerId: 1, numberCount: 200_000, rangeCount: 0, stamp: 7 }
let server: RedisServer
const open: { close(): Promise<void> }[] = []

/** A node as processes/join-record.ts makes it, its jobs in this thread. */
async function openNode() {
  const { link, recordId, record: streams } = await joinRecord(server.url)
  const directory = openDataDirectory(temporaryDirectory())
  const contents = openListContents({ directory: directory.root, readOnly: false })
  const replica = await openReplica({ directory: directory.root })
  await replica.bind({ recordId, redis: 'single', isWhole: false })
  const { client } = link
  const layerStore = createLayerStore({ recordId }, { client, random: Math.random })
  const traffic = createTrafficLogReader({ directory: directory.traffic })
  const ofJobs = { contents, directory, traffic, now: Date.now, layerStore }
  const pool = { run: (job: Parameters<typeof runListJob>[0]) => runListJob(job, ofJobs) }
  const jobs = createListJobRunner({ store: { layersInUse: replica.layersInUse, allocateLayer: async () => 1 }, pool })
  const layers = createLayerTraffic({ streams, contents, jobs, replica, layerStore })
  let pushes = 0
  const push: typeof layers.push = (some) => {
    pushes++
    return layers.push(some)
  }
  const store = createRedisRecordStore(
    { recordId, outboxMax: 100, touchMs: 100, deadlineMs: 10_000 },
    {
      ...{ replica, streams, newFactId, now: Date.now, random: Math.random },
      layers: { ...layers, push },
      publish: async () => true,
      onApplied() {},
      onTrouble() {},
      onRefused() {},
      onFault() {},
    },
  )
  await store.follower.caughtUp()
  open.push({
    async close() {
      layers.stop()
      await store.close()
      await contents.close()
      link.close()
    },
  })
  return { store, contents, recordId, pushes: () => pushes }
}

async function turnBits(): Promise<void> {
  const key = server.cli('--scan', '--pattern', '*:layer:1-7:*').split('\n')[0] ?? ''
  server.cli('setrange', key, '1000', 'wrong')
}

describe.skipIf(!hasRedis)('contents of a list that are wrong in Redis', () => {
  beforeEach(async () => {
    server = await startRedis()
  })
  afterEach(async () => {
    for (const node of open.splice(0)) await node.close()
    await server.close()
  })

  it('are given again by the node that has them, to the one that could not read them, and then left alone', async () => {
    const author = await openNode()
    const numbers = Array.from({ length: LAYER.numberCount }, (_, index) => 79_000_000_000 + index * 1_000)
    author.contents.putLayer(1, numbersOnly(numbers), { stamp: 7 })
    await untilDone(() => author.store.putList({ name: 'black', kind: 'deny', title: '' }, 'anna'))
    await untilDone(() => author.store.stageVersion('black', { layers: [LAYER], entryCount: 1 }, 'anna'))
    await turnBits()
    await untilDone(() => author.store.activateVersion('black', 1, {}, 'anna'))
    const other = await openNode()
    expect(other.store.list('black')?.activeVersion).toBe(1)
    expect(other.contents.layer(1)).toMatchObject({ numberCount: LAYER.numberCount })
    expect(other.store.follower.stateOf(DESK_PARTITION).state).toBe('following')
    expect(server.cli('exists', `zaslon:{p64}:${author.recordId}:layers-wanted`)).toBe('0')
  })

  it('are brought before an old version comes into force, where a node still has them, and are missed by nobody', async () => {
    const author = await openNode()
    await untilDone(() => author.store.putList({ name: 'black', kind: 'deny', title: '' }, 'anna'))
    for (const layerId of [1, 2]) {
      author.contents.putLayer(layerId, numbersOnly([79_000_000_000 + layerId]), { stamp: 7 })
      const layers = [{ ...LAYER, layerId, numberCount: 1 }]
      const { version } = await untilDone(() => author.store.stageVersion('black', { layers, entryCount: 1 }, 'anna'))
      await untilDone(() => author.store.activateVersion('black', version, {}, 'anna'))
    }
    const other = await openNode()
    expect(other.contents.layer(1)).toBeUndefined()
    server.cli('hdel', `zaslon:{p64}:${author.recordId}:layers`, '1-7')
    await untilDone(() => other.store.activateVersion('black', 1, {}, 'boris'))
    expect(other.contents.layer(1)).toMatchObject({ numberCount: 1 })
    expect(other.store.list('black')?.activeVersion).toBe(1)
    expect(other.store.recordStatus().problem).toBeUndefined()
  })

  it('are given ever more rarely while nobody can read them', async () => {
    const author = await openNode()
    author.contents.putLayer(1, numbersOnly([79_000_000_001]), { stamp: 7 })
    const layer = { ...LAYER, numberCount: 1 }
    await untilDone(() => author.store.putList({ name: 'black', kind: 'deny', title: '' }, 'anna'))
    await untilDone(() => author.store.stageVersion('black', { layers: [layer], entryCount: 1 }, 'anna'))
    const before = author.pushes()
    for (const giveUpMs = Date.now() + 8_000; Date.now() < giveUpMs; await sleep(50)) {
      server.cli('hset', `zaslon:{p64}:${author.recordId}:layers-wanted`, '1-7', '')
    }
    expect(author.pushes() - before).toBeGreaterThan(1)
    expect(author.pushes() - before).toBeLessThan(6)
  })
})
