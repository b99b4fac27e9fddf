import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { ScreeningError } from '../../../src/domain/errors.ts'
import type { PhoneNumber } from '../../../src/domain/phone-number.ts'
import { DESK_PARTITION, partitionOfNumber } from '../../../src/stores/fact.ts'
import { encodeFact } from '../../../src/stores/fact-codec.ts'
import { openListContents } from '../../../src/stores/lmdb/list-contents.ts'
import { openReplica } from '../../../src/stores/lmdb/replica.ts'
import { versionMark } from '../../../src/stores/record-marks.ts'
import { connectRedis } from '../../../src/stores/redis/connect-redis.ts'
import { createFactStreams, type RedisRecord } from '../../../src/stores/redis/fact-streams-redis.ts'
import { layerChunkKey, layerKeys, partitionKeys } from '../../../src/stores/redis/keys.ts'
import { createLayerStore } from '../../../src/stores/redis/layer-store.ts'
import { createRecordDesk } from '../../../src/stores/redis/record-desk-redis.ts'
import { createRedisRecordStore, type LayerTraffic } from '../../../src/stores/redis/redis-record-store.ts'
import { numbersOnly } from '../../contract/list-contents.contract.ts'
import { report } from '../../contract/record-store.contract.ts'
import { startChaosProxy } from '../../faults/lib/chaos-proxy.ts'
import { temporaryDirectory } from '../../fixtures/temporary-directory.ts'
import { hasRedis, type RedisServer, startRedis } from '../../support/redis.ts'
import { countedLayers } from '../../support/redis-node.ts'
import { joinRecord, newFactId, PSEUDONYM_CHECK, refusalOf, untilDone } from '../../support/redis-record.ts'
import { POLICY } from '../../support/sample-policy.ts'

const NUMBER = 79160000001 as PhoneNumber
const PARTITION = partitionOfNumber(NUMBER)
const REPORTS = 60
const KEEP = { replace: false }

type Append = RedisRecord['append']
type Node = Awaited<ReturnType<typeof openNode>>

let server: RedisServer
const open: { close(): Promise<void> }[] = []

/** `appendWith`: what a restore sends its facts through. */
async function openNode(
  appendWith: (append: Append) => Append = (append) => append,
  url = server.url,
  layers: LayerTraffic = countedLayers(),
) {
  const { link, recordId } = await joinRecord(url)
  const replica = await openReplica({ directory: temporaryDirectory() })
  await replica.bind({ recordId, redis: 'single', isWhole: false })
  const streams = createFactStreams(link, recordId)
  const common = { replica, streams, layers, newFactId, now: Date.now }
  const store = createRedisRecordStore(
    { recordId, outboxMax: 100, touchMs: 100 },
    {
      ...common,
      publish: async () => true,
      random: Math.random,
      onApplied() {},
      onTrouble() {},
      onRefused() {},
      onFault() {},
    },
  )
  const desk = createRecordDesk(
    { recordId, pseudonymCheck: PSEUDONYM_CHECK, redis: '', outboxMax: 100 },
    { ...common, link, store, streams: { ...streams, append: appendWith(streams.append) } },
  )
  await store.follower.caughtUp()
  const node = {
    link,
    recordId,
    replica,
    streams,
    store,
    desk,
    keys: partitionKeys(recordId, PARTITION),
    stateOf: (partition = PARTITION) => store.follower.stateOf(partition),
    async close() {
      await store.close()
      link.close()
    },
  }
  open.push(node)
  return node
}

async function until(what: () => boolean): Promise<void> {
  for (const giveUpMs = Date.now() + 10_000; !what(); await sleep(10)) {
    if (Date.now() > giveUpMs) throw new Error(`It never came: ${what}`)
  }
}

async function writeReports(node: Node): Promise<void> {
  for (let index = 0; index < REPORTS; index++) {
    const reporter = String(index).padStart(32, '0')
    await untilDone(() => node.store.appendReport(report(`r${index}`, { number: NUMBER, reporter }), 'agent'))
  }
  await until(() => node.replica.reportsOf(NUMBER, 100).length === REPORTS)
}

/** A layer of some chunks, one that is on its way, and what no version of ours wrote. */
async function pushLayers({ link, recordId }: Node): Promise<void> {
  const contents = openListContents({ directory: temporaryDirectory(), readOnly: false })
  const numbers = Array.from({ length: 400_000 }, (_, index) => 79_000_000_000 + index * 1_000)
  contents.putLayer(1, numbersOnly(numbers), { stamp: 7 })
  const layers = createLayerStore({ recordId }, { client: link.client, random: Math.random })
  const layer = { layerId: 1, numberCount: numbers.length, rangeCount: 0, stamp: 7 }
  await layers.push(layer, contents, { check() {}, report() {} })
  const loose = { state: 'pushing', chunks: 3, touchedMs: Date.now() }
  await link.client.set(layerChunkKey(recordId, 2, '2-8:0123456789abcdef:2'), 'x')
  await link.client.hset(layerKeys(recordId).layers, '2-8:0123456789abcdef', JSON.stringify(loose), 'a:b:c', 'x')
  await contents.close()
}

async function lose(node: Node): Promise<void> {
  server.cli('del', node.keys.head)
  await until(() => node.stateOf().state === 'lost')
}

/** Reports of the number as the record has them now, for whoever joins. */
async function reportsInRedis(): Promise<number> {
  const fresh = await openNode()
  return fresh.replica.reportsOf(NUMBER, 100).length
}

/** Runs `work` once, before the append number `at` of a restore. */
function meanwhile(at: number, work: () => Promise<void> | void): (append: Append) => Append {
  let sent = 0
  return (append) =>
    async (...call) => {
      if (++sent === at) await work()
      return append(...call)
    }
}

/** As a promoted replica has it that never got the newest entries. */
function failover(node: Node, lost: number, { head, facts } = node.keys): void {
  const [epoch, sequence] = server.cli('hmget', head, 'epoch', 'sequence').split('\n')
  const last = Number(sequence) - lost
  for (let gone = last + 1; gone <= Number(sequence); gone++) server.cli('xdel', facts, `${epoch}-${gone}`)
  server.cli('xsetid', facts, `${epoch}-${last}`)
  server.cli('hset', head, 'sequence', String(last), 'server', 'another')
}

describe.skipIf(!hasRedis)('record restore', () => {
  beforeAll(async () => {
    server = await startRedis()
  })
  afterAll(() => server?.close())
  afterEach(async () => {
    for (const node of open.splice(0)) await node.close()
    server.cli('flushall')
  })

  it('begins a partition anew when a failover takes back what it has written', async () => {
    const node: Node = await openNode(meanwhile(40, () => failover(node, 5)))
    await writeReports(node)
    await lose(node)
    await node.desk.restore('anna', KEEP)
    expect(node.stateOf().state).toBe('following')
    expect(node.replica.position(PARTITION).sequence).toBe(REPORTS + 1)
    expect(await reportsInRedis()).toBe(REPORTS)
  })

  it('gives up, and says so, when that never ends', async () => {
    let sent = 0
    const node: Node = await openNode((append) => async (...call) => {
      if (++sent % 40 === 0) failover(node, 1)
      return append(...call)
    })
    await writeReports(node)
    await lose(node)
    const error = await refusalOf(node.desk.restore('anna', KEEP))
    expect(error).toMatchObject({ code: 'UNAVAILABLE', message: expect.stringContaining('begun anew 3 times') })
    expect(node.stateOf().state).not.toBe('following')
  })

  it('keeps everybody else out until it is done', async () => {
    const outcomes: unknown[] = []
    const node: Node = await openNode(
      meanwhile(40, async () => {
        const { streams } = node
        const fact = encodeFact({ kind: 'report', report: report('late', { number: NUMBER }), actor: 'x', atMs: 1 })
        const works = [
          () => streams.append(PARTITION, newFactId(), fact),
          () => streams.read(PARTITION, { epoch: 0, sequence: 0 }, { limit: 10, isBulk: false }),
          () => streams.touch(PARTITION),
        ]
        for (const work of works) outcomes.push(await refusalOf(untilDone<unknown>(work)))
      }),
    )
    await writeReports(node)
    await lose(node)
    await node.desk.restore('anna', KEEP)
    const told = { code: 'RECORD_LOST', message: expect.stringContaining('is being restored') }
    expect(outcomes).toMatchObject([told, told, told])
    expect(await reportsInRedis()).toBe(REPORTS)
  })

  it('may be begun anew by anybody when it ended half-way', async () => {
    let dies = true
    const node = await openNode((append) => async (...call) => {
      if (dies && call[0] === PARTITION) throw new ScreeningError('INTERNAL', 'The node died.')
      return append(...call)
    })
    await writeReports(node)
    await lose(node)
    expect((await refusalOf(node.desk.restore('anna', KEEP))).code).toBe('INTERNAL')
    await until(() => String(node.stateOf().error).includes('is being restored'))
    expect(node.stateOf().state).toBe('lost')
    dies = false
    await node.desk.restore('boris', KEEP)
    expect(await reportsInRedis()).toBe(REPORTS)
  })

  it('does not meet itself when it is said again after a failure', async () => {
    let fails = true
    const under = new Set<string>()
    let most = 0
    const node = await openNode((append) => async (...call) => {
      const [partition, , , token = ''] = call
      if (partition === PARTITION && fails) {
        fails = false
        throw new ScreeningError('INTERNAL', 'Once.')
      }
      if (partition !== DESK_PARTITION) return append(...call)
      under.add(token)
      most = Math.max(most, under.size)
      await sleep(200)
      return await append(...call).finally(() => under.delete(token))
    })
    await writeReports(node)
    for (const partition of [PARTITION, DESK_PARTITION]) server.cli('del', partitionKeys(node.recordId, partition).head)
    await until(() => node.store.recordStatus().states.lost === 2)
    expect((await refusalOf(node.desk.restore('anna', KEEP))).code).toBe('INTERNAL')
    expect(under.size).toBe(0)
    await node.desk.restore('anna', KEEP)
    expect(most).toBe(1)
    expect(node.stateOf().state).toBe('following')
    const held = node.store.follower.holding(PARTITION, () => sleep(50))
    expect((await refusalOf(node.store.follower.holding(PARTITION, async () => {}))).code).toBe('UNAVAILABLE')
    await held
  })

  it('gets through a line on which what it sends at once takes longer than a call may', async () => {
    const proxy = await startChaosProxy({ target: { host: '127.0.0.1', port: server.port } })
    const sent: string[] = []
    const counted = (append: Append): Append => {
      return (...call) => {
        sent.push(call[1])
        return append(...call)
      }
    }
    const node = await openNode(counted, `redis://127.0.0.1:${proxy.port}`)
    open.push(proxy)
    for (let index = 0; index < 100; index++) {
      const text = `${index} ${randomBytes(6_000).toString('hex')}`
      await untilDone(() => node.store.putPolicy({ text, document: POLICY }, {}, 'anna'))
    }
    // A write that is sent again on a slow machine is there twice.
    const versions = node.store.policyVersions(1_000)
    expect(versions.length).toBeGreaterThanOrEqual(100)
    server.cli('del', partitionKeys(node.recordId, DESK_PARTITION).head)
    await until(() => node.stateOf(DESK_PARTITION).state === 'lost')
    proxy.set('up', { bytesPerSecond: 1_000_000 })
    await untilDone(() => node.desk.restore('anna', KEEP))
    await proxy.heal()
    await until(() => node.stateOf(DESK_PARTITION).state === 'following')
    expect((await openNode()).store.policyVersions(1_000)).toHaveLength(versions.length)
    expect(sent.length).toBeGreaterThan(new Set(sent).size)
  }, 60_000)

  it('mends a partition with a stray entry at its end, which is told at once', async () => {
    const node = await openNode()
    await writeReports(node)
    server.cli('xadd', node.keys.facts, '*', 'foo', 'bar')
    await until(() => node.stateOf().state === 'damaged')
    const error = await refusalOf(untilDone(() => node.streams.append(PARTITION, newFactId(), Buffer.from('{}'))))
    expect(error).toMatchObject({ code: 'RECORD_DAMAGED', details: { key: node.keys.facts } })
    await node.desk.restore('anna', KEEP)
    expect(node.stateOf().state).toBe('following')
    const reporter = 'f'.repeat(32)
    expect(await node.store.appendReport(report('more', { number: NUMBER, reporter }), 'agent')).toMatchObject({
      outcome: 'recorded',
    })
  })

  it('lets a node that waits for what it cannot take back take what Redis has by now', async () => {
    const disk = new Set([1, 2, 3])
    const has: LayerTraffic['has'] = ({ layerId }) => disk.has(layerId)
    const fetch: LayerTraffic['fetch'] = async (wanted) => wanted.filter((layer) => !has(layer))
    const { store, streams, desk, ...node } = await openNode(undefined, undefined, { ...countedLayers(), has, fetch })
    await untilDone(() => store.putList({ name: 'black', kind: 'deny', title: '' }, 'anna'))
    for (const layerId of disk) {
      const layers = [{ layerId, numberCount: 1, rangeCount: 0, stamp: layerId }]
      const { version } = await untilDone(() => store.stageVersion('black', { layers, entryCount: 1 }, 'anna'))
      await untilDone(() => store.activateVersion('black', version, {}, 'anna'))
    }
    disk.delete(2)
    failover({ store, streams, desk, ...node }, 2, partitionKeys(node.recordId, DESK_PARTITION))
    await until(() => node.stateOf(DESK_PARTITION).state === 'waiting')
    expect(await refusalOf(desk.accept('anna'))).toMatchObject({ code: 'CONTENTS_MISSING' })
    const mark = versionMark(store.versions('black')[0]!)
    const other = encodeFact({ kind: 'list-activate', name: 'black', version: 1, mark, actor: 'boris', atMs: 1 })
    await untilDone(() => streams.append(DESK_PARTITION, newFactId(), other))
    await desk.accept('anna')
    expect(store.recordStatus().states).toEqual({ following: 65 })
    expect(store.list('black')?.activeVersion).toBe(1)
  })

  it.each(['accept', 'restore', 'restore --replace-record'])('%s is refused soon while Redis is away', async (word) => {
    const layers = { ...countedLayers(), push: () => new Promise<never>(() => {}) }
    const { desk, ...node } = await openNode(undefined, undefined, layers)
    await server.kill()
    const said = word === 'accept' ? desk.accept('anna') : desk.restore('anna', { replace: word !== 'restore' })
    const error = await refusalOf(said)
    expect(error).toMatchObject({
      code: 'UNAVAILABLE',
      message: 'Redis cannot be reached: nothing was changed.',
      details: { retryAfterSeconds: 5, hint: expect.stringContaining('zaslon record status') },
    })
    expect(node.store.recordStatus().problem?.detail).not.toMatch(/max retries|onnection is closed|timed out/)
    await server.restart()
    await until(() => node.store.recordStatus().states.away === undefined)
  })

  it.each(['NOAUTH', 'WRONGPASS'])('the state keeps that Redis refuses the sign-in: %s', async (refusal) => {
    const password = refusal === 'NOAUTH' ? '' : 'old'
    server.cli('config', 'set', 'requirepass', password)
    const node = await openNode(undefined, server.url.replace('//', password === '' ? '//' : `//:${password}@`))
    server.cli('-a', password, 'config', 'set', 'requirepass', 'new')
    try {
      server.cli('-a', 'new', 'client', 'kill', 'type', 'normal')
      await until(() => node.store.recordStatus().problem?.detail.includes(refusal) === true)
      expect(node.store.recordStatus()).toMatchObject({
        states: { away: 65 },
        problem: { code: 'CONFIG_INVALID', hint: expect.stringContaining('Correct user and password') },
      })
      expect((await refusalOf(node.desk.accept('anna'))).code).toBe('CONFIG_INVALID')
    } finally {
      server.cli('-a', 'new', 'config', 'set', 'requirepass', '')
    }
  })

  it('says that it is done in part when Redis goes away under it', async () => {
    const node = await openNode(meanwhile(1, () => server.kill()))
    await writeReports(node)
    await lose(node)
    const error = await refusalOf(node.desk.restore('anna', KEEP))
    expect(error.code).toBe('UNAVAILABLE')
    expect(error.message).not.toMatch(/max retries|onnection is closed|timed out/)
    await server.restart()
  })

  it('puts a record in the place of one that began in an emptied Redis, and only when told so', async () => {
    const node = await openNode()
    await untilDone(() => node.store.putPolicy({ text: 'mine', document: POLICY }, {}, 'anna'))
    server.cli('flushall')
    await until(() => node.store.recordStatus().states.lost === 65)
    const fresh = await openNode()
    expect(fresh.recordId).not.toBe(node.recordId)
    await until(() => node.store.recordStatus().problem?.code === 'RECORD_FOREIGN')
    const error = await refusalOf(node.desk.restore('anna', KEEP))
    expect(error).toMatchObject({
      code: 'RECORD_FOREIGN',
      details: { hint: expect.stringContaining('--replace-record') },
    })
    await pushLayers(fresh)
    expect(server.cli('keys', `*${fresh.recordId}:layer*`).split('\n').length).toBeGreaterThan(5)
    await node.desk.restore('anna', { replace: true })
    expect(node.store.recordStatus().states).toEqual({ following: 65 })
    await until(() => fresh.store.recordStatus().problem?.code === 'RECORD_FOREIGN')
    expect((await openNode()).store.policy()?.text).toBe('mine')
    expect(server.cli('keys', `*${fresh.recordId}*`)).toBe('')
  })
})

describe.skipIf(!hasRedis)('epochs', () => {
  it('differ between two servers that branch off one history whose epoch is ahead of both clocks', async () => {
    server = await startRedis()
    const other = await startRedis()
    const { link, recordId, record } = await joinRecord(server.url)
    const { link: otherLink } = await connectRedis({ url: other.url })
    const { head, facts, epochs } = partitionKeys(recordId, 0)
    const ahead = (Math.floor(Date.now() / 1_000) + 3_600) * 2 ** 20
    server.cli('xadd', facts, `${ahead}-2`, 'f', '', 'i', '')
    server.cli('hset', head, 'epoch', String(ahead), 'sequence', '2', 'server', 'before')
    server.cli('zadd', epochs, '2', String(ahead))
    for (const key of [head, facts, epochs]) await otherLink.client.restore(key, 0, await link.client.dumpBuffer(key))
    const [here, there] = [
      await untilDone(() => record.touch(0)),
      await untilDone(() => createFactStreams(otherLink, recordId).touch(0)),
    ]
    for (const { epoch, sequence } of [here, there]) {
      expect([epoch > ahead, Number.isSafeInteger(epoch), sequence]).toEqual([true, true, 3])
    }
    expect(here.epoch).not.toBe(there.epoch)
    for (const one of [link, otherLink]) one.close()
    for (const one of [server, other]) await one.close()
  })
})
