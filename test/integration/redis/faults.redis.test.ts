import { mkdirSync, rmSync } from 'node:fs'
import net, { type AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { type Position, START } from '../../../src/stores/redis/fact-streams.ts'
import { report } from '../../contract/record-store.contract.ts'
import { hasRedis, type RedisCluster, type RedisServer, startRedis, startRedisCluster } from '../../support/redis.ts'
import { openRecordNode } from '../../support/redis-node.ts'
import { joinRecord, masterOf, newFactId, readToEnd, refusalOf, untilDone } from '../../support/redis-record.ts'

type Joined = Awaited<ReturnType<typeof joinRecord>>
const payload = Buffer.from('a fact')
const appendSome = async ({ record }: Joined, partition: number, count: number): Promise<Position> => {
  let last: Position = START
  for (let index = 0; index < count; index++) {
    last = (await untilDone(() => record.append(partition, newFactId(), payload))).position
  }
  return last
}
/** Twenty times the time of a call: tells one that hangs from a busy machine. */
const LATE_MS = 20 * 240
/** The longest a call took, settled as it may. */
const slowestMs = async (works: readonly (() => Promise<unknown>)[]): Promise<number> => {
  const took = works.map(async (work) => {
    const startedMs = performance.now()
    await work().catch(() => undefined)
    return performance.now() - startedMs
  })
  return Math.max(...(await Promise.all(took)))
}

describe.skipIf(!hasRedis)('one Redis that fails', () => {
  let server: RedisServer
  let joined: Joined
  beforeAll(async () => {
    server = await startRedis({ args: ['--appendonly', 'yes', '--appendfsync', 'always'] })
    joined = await joinRecord(server.url)
  })
  afterAll(async () => {
    joined?.link.close()
    await server?.close()
  })

  it('marks a new epoch after a restart, once, with the next sequence', async () => {
    const before = await appendSome(joined, 0, 3)
    await server.restart()
    const head = await untilDone(() => joined.record.touch(0))
    expect(head.epoch).toBeGreaterThan(before.epoch)
    expect(head.sequence).toBe(before.sequence + 1)
    expect(await joined.record.touch(0)).toEqual(head)
    const entries = await readToEnd(joined.record, 0, before)
    const { epoch, sequence } = head
    expect(entries).toEqual([{ position: { epoch, sequence }, factId: '', payload: Buffer.alloc(0) }])
    const next = await appendSome(joined, 0, 1)
    expect(next).toEqual({ epoch, sequence: sequence + 1 })
  })

  it('keeps a fact once over a restart in between', async () => {
    const factId = newFactId()
    const first = await untilDone(() => joined.record.append(1, factId, payload))
    await server.restart()
    const again = await untilDone(() => joined.record.append(1, factId, payload))
    expect(again).toEqual({ position: first.position, isNew: false })
  })

  it('is full at its memory limit, reads on, and writes again when there is room', async () => {
    await appendSome(joined, 2, 1)
    server.cli('config', 'set', 'maxmemory', '1')
    const error = await refusalOf(joined.record.append(2, newFactId(), payload))
    expect(error.code).toBe('STORAGE_FULL')
    expect((await joined.record.read(2, START, { limit: 10, isBulk: false })).entries).not.toEqual([])
    await joined.record.touch(2)
    server.cli('config', 'set', 'maxmemory', '0')
    await appendSome(joined, 2, 1)
  })

  it('loads its functions again where they are gone', async () => {
    server.cli('function', 'flush')
    expect((await joined.record.append(3, newFactId(), payload)).isNew).toBe(true)
  })

  it('settles every call in time while Redis is frozen, killed and away', async () => {
    const all = Array.from({ length: 65 }, () => START)
    const works = () => [
      () => joined.impatient.append(4, newFactId(), payload),
      () => joined.impatient.read(4, START, { limit: 10, isBulk: false }),
      () => joined.impatient.touch(4),
      () => joined.impatient.readAll(all, 10),
      () => joined.impatient.seal(4),
    ]
    server.signal('SIGSTOP')
    for (let round = 0; round < 10; round++) expect(await slowestMs(works())).toBeLessThan(LATE_MS)
    server.signal('SIGCONT')
    await untilDone(() => joined.record.touch(4))
    await server.kill()
    for (let round = 0; round < 5; round++) expect(await slowestMs(works())).toBeLessThan(LATE_MS)
    await server.restart()
    await untilDone(() => joined.record.touch(4))
  })

  it('wants as many replicas as it is told', async () => {
    const replica = await startRedis({
      args: ['--replicaof', `127.0.0.1 ${server.port}`, '--repl-diskless-sync-delay', '0'],
    })
    onTestFinished(() => replica.close())
    await untilTrue(() => replica.cli('info', 'replication').includes('master_link_status:up'))
    const one = await joinRecord(server.url, { ackReplicas: 1 })
    const factId = newFactId()
    await one.record.append(5, factId, payload)
    const two = await joinRecord(server.url, { ackReplicas: 2 })
    await untilRefused(two, 5, '1 of 2 replicas')
    replica.signal('SIGSTOP')
    // Known already, but whether the replica has it is asked anew.
    expect((await refusalOf(one.impatient.append(5, factId, payload))).code).toBe('UNAVAILABLE')
    replica.signal('SIGCONT')
    expect((await untilDone(() => one.record.append(5, factId, payload))).isNew).toBe(false)
    one.link.close()
    two.link.close()
  })
})

describe.skipIf(!hasRedis)('one Redis that fails in a way of its own', () => {
  it('settles every call in time while a live connection carries nothing, and goes on afterwards', async () => {
    const server = await startRedis()
    const proxy = await startProxy(server.port)
    const joined = await joinRecord(`redis://127.0.0.1:${proxy.port}`)
    onTestFinished(async () => {
      joined.link.close()
      await proxy.close()
      await server.close()
    })
    const before = await appendSome(joined, 4, 1)
    const all = Array.from({ length: 65 }, () => START)
    proxy.hold()
    const { impatient } = joined
    for (let round = 0; round < 10; round++) {
      const works = [
        () => impatient.append(4, newFactId(), payload),
        () => impatient.read(4, START, { limit: 10, isBulk: false }),
        () => impatient.touch(4),
        () => impatient.readAll(all, 10),
        () => impatient.seal(4),
      ]
      expect(await slowestMs(works)).toBeLessThan(LATE_MS)
    }
    proxy.release()
    expect((await appendSome(joined, 4, 1)).epoch).toBe(before.epoch)
  })

  it('queues reports while Redis cannot write to its disk, and has them when it can', async () => {
    const args = ['--save', '1 1', '--stop-writes-on-bgsave-error', 'yes', '--enable-protected-configs', 'yes']
    const server = await startRedis({ args })
    const joined = await joinRecord(server.url)
    const { store } = await openRecordNode({ streams: joined.impatient, newFactId })
    onTestFinished(async () => {
      await store.close()
      joined.link.close()
      await server.close()
    })
    await store.follower.caughtUp()
    const folder = server.cli('config', 'get', 'dir').split('\n')[1] ?? ''
    rmSync(folder, { recursive: true })
    let appended = 0
    const appendNext = async () => (await store.appendReport(report(`r${appended++}`), 'agent')).outcome
    await untilTrue(() => server.cli('info', 'persistence').includes('rdb_last_bgsave_status:err'))
    expect((await refusalOf(joined.record.append(0, newFactId(), payload))).code).toMatch(/^STORAGE_(?:FAILED|FULL)$/)
    expect(await appendNext()).toBe('queued')
    expect(await appendNext()).toBe('queued')
    expect((await refusalOf(store.putList({ name: 'black', kind: 'deny', title: '' }, 'admin'))).code).toMatch(
      /^STORAGE_(?:FAILED|FULL)$/,
    )
    mkdirSync(folder)
    server.cli('config', 'set', 'dir', folder)
    server.cli('bgsave')
    await untilTrue(() => store.recordStatus().outbox.facts === 0 && store.report('r1') !== undefined)
  })

  it('tells histories apart where the older facts are sealed', async () => {
    const server = await startRedis()
    const joined = await joinRecord(server.url)
    onTestFinished(async () => {
      joined.link.close()
      await server.close()
    })
    const fill = async (count: number) => {
      for (let sent = 0; sent < count; sent += 100) {
        await Promise.all(Array.from({ length: 100 }, () => joined.record.append(12, newFactId(), payload)))
      }
    }
    await fill(8_200)
    const { record } = joined
    const kept = await record.touch(12)
    server.cli('save')
    // Lost with the restart: the seal, and the tail behind it.
    expect(await record.seal(12)).toBe(true)
    const lost = await appendSome(joined, 12, 3)
    await server.restart()
    const head = await untilDone(() => record.touch(12))
    expect(head).toMatchObject({ sequence: kept.sequence + 1, oldest: 1 })
    expect(await record.seal(12)).toBe(true)
    const error = await refusalOf(record.read(12, lost, { limit: 10, isBulk: false }))
    expect(error.code).toBe('RECORD_DIVERGED')
    expect(error.details).toMatchObject({ keptUpTo: kept.sequence, isExact: true })
    for (const sequence of [1, 100, 4_096, kept.sequence]) {
      const entries = await readToEnd(record, 12, { epoch: kept.epoch, sequence })
      expect(entries.map(({ position }) => position.sequence)).toEqual(
        Array.from({ length: head.sequence - sequence }, (_, index) => sequence + 1 + index),
      )
      expect(entries.at(-1)?.position.epoch).toBe(head.epoch)
      // A history of another epoch shares nothing with the sealed part either.
      const other = await refusalOf(record.read(12, { epoch: kept.epoch - 1, sequence }, { limit: 10, isBulk: false }))
      expect(other.details).toMatchObject({ keptUpTo: 0, isExact: false })
    }
  })
})

describe.skipIf(!hasRedis)('a cluster that fails over', () => {
  let cluster: RedisCluster
  let joined: Joined
  beforeAll(async () => {
    cluster = await startRedisCluster({ nodeTimeoutMs: 1_000 })
    joined = await joinRecord(cluster.url)
  })
  afterAll(async () => {
    joined?.link.close()
    await cluster?.close()
  })

  it('asks the replicas of the master that has the partition', async () => {
    const one = await joinRecord(cluster.url, { ackReplicas: 1 })
    const two = await joinRecord(cluster.url, { ackReplicas: 2 })
    for (let partition = 20; partition < 40; partition++) {
      await one.record.append(partition, newFactId(), payload)
    }
    await untilRefused(two, 20, 'of 2 replicas')
    one.link.close()
    two.link.close()
  })

  it('answers in time, and writes again, while a master is frozen and replaced', async () => {
    await appendSome(joined, 0, 1)
    const master = masterOf(cluster, joined.recordId, 0)
    master.signal('SIGSTOP')
    const startedMs = performance.now()
    const all = Array.from({ length: 65 }, () => START)
    let isBack = false
    while (!isBack && performance.now() - startedMs < 20_000) {
      const took = await slowestMs([
        async () => {
          await joined.impatient.append(0, newFactId(), payload)
          isBack = true
        },
        () => joined.impatient.read(0, START, { limit: 1, isBulk: false }),
        () => joined.impatient.readAll(all, 1),
      ])
      expect(took).toBeLessThan(LATE_MS)
      await sleep(20)
    }
    expect(isBack).toBe(true)
    master.signal('SIGCONT')
    const entries = await readToEnd(joined.record, 0)
    expect(entries.map(({ position }) => position.sequence)).toEqual(entries.map((_, index) => index + 1))
    // The birth of the history, and the mark of the new master.
    expect(entries.filter(({ factId }) => factId === '')).toHaveLength(2)
  })

  it('says up to where history is the same after a replica without the tail became the master', async () => {
    const partition = 1
    const kept = await appendSome(joined, partition, 5)
    const master = masterOf(cluster, joined.recordId, partition)
    const replica = await replicaOf(cluster, master)
    await untilTrue(() => replica.cli('info', 'replication').includes(offsetOf(master)))
    replica.signal('SIGSTOP')
    // Else the tail would wait for the replica in its socket.
    master.cli('client', 'kill', 'type', 'replica')
    const lost = await appendSome(joined, partition, 3)
    expect(lost).toEqual({ epoch: kept.epoch, sequence: kept.sequence + 3 })
    await master.kill()
    replica.signal('SIGCONT')
    await untilTrue(() => replica.cli('cluster', 'failover', 'takeover') === 'OK')
    const head = await untilDone(() => joined.record.touch(partition))
    expect(head.sequence).toBe(kept.sequence + 1)
    const diverged = { keptUpTo: kept.sequence, isExact: true, lastSequence: head.sequence }
    for (const sequence of [lost.sequence, kept.sequence + 1]) {
      const error = await refusalOf(
        joined.record.read(partition, { epoch: kept.epoch, sequence }, { limit: 10, isBulk: false }),
      )
      expect(error.code).toBe('RECORD_DIVERGED')
      expect(error.details).toMatchObject(diverged)
    }
    const onwards = await joined.record.read(partition, kept, { limit: 10, isBulk: false })
    expect(onwards.entries.map(({ position }) => position)).toEqual([{ epoch: head.epoch, sequence: head.sequence }])
  })
})

/** Appends are refused as UNAVAILABLE each time, and for this reason once: a cold connection takes longer than a call. */
async function untilRefused({ impatient: record }: Joined, partition: number, reason: string): Promise<void> {
  for (let attempt = 0; attempt < 20; attempt++) {
    const error = await refusalOf(record.append(partition, newFactId(), payload))
    expect(error.code).toBe('UNAVAILABLE')
    if (error.message.includes(reason)) return
  }
  throw new Error(`Never refused because ${reason}.`)
}

/** The line of INFO that says how far a replica must be. */
function offsetOf(master: RedisServer): string {
  return `slave_repl_offset:${/master_repl_offset:(\d+)/.exec(master.cli('info', 'replication'))?.[1]}\r`
}

async function untilTrue(isDone: () => boolean): Promise<void> {
  for (const giveUpMs = Date.now() + 20_000; !isDone(); await sleep(20)) {
    if (Date.now() > giveUpMs) throw new Error('It did not come about.')
  }
}

async function replicaOf(cluster: RedisCluster, master: RedisServer): Promise<RedisServer> {
  for (const giveUpMs = Date.now() + 20_000; Date.now() < giveUpMs; await sleep(50)) {
    const found = cluster.servers.find((server) => {
      const state = server.cli('info', 'replication')
      return state.includes(`master_port:${master.port}\r`) && state.includes('master_link_status:up')
    })
    if (found) return found
  }
  throw new Error('The master has no replica.')
}

/** To the server, until it is told to hold back what comes from either side; connections stay open. */
async function startProxy(serverPort: number) {
  const sockets = new Set<net.Socket>()
  let isHolding = false
  const proxy = net.createServer((near) => {
    const far = net.connect(serverPort, '127.0.0.1')
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from)
      from.on('data', (bytes) => to.write(bytes))
      from.on('error', () => {})
      from.once('close', () => {
        sockets.delete(from)
        to.destroy()
      })
      if (isHolding) from.pause()
    }
  })
  proxy.listen(0, '127.0.0.1')
  await new Promise((resolve) => proxy.once('listening', resolve))
  return {
    port: (proxy.address() as AddressInfo).port,
    hold() {
      isHolding = true
      for (const socket of sockets) socket.pause()
    },
    release() {
      isHolding = false
      for (const socket of sockets) socket.resume()
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => proxy.close(resolve))
    },
  }
}
