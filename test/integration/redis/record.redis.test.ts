import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DESK_PARTITION, PARTITIONS } from '../../../src/stores/fact.ts'
import { numberAt } from '../../../src/stores/redis/call-function.ts'
import { type Position, START } from '../../../src/stores/redis/fact-streams.ts'
import { createFactStreams } from '../../../src/stores/redis/fact-streams-redis.ts'
import { layerCounterKey, partitionKeys, RECORD_KEY } from '../../../src/stores/redis/keys.ts'
import { openRecord, recreatePartition } from '../../../src/stores/redis/open-record.ts'
import { hasRedis, startRedis, startRedisCluster } from '../../support/redis.ts'
import { joinRecord, newFactId, PSEUDONYM_CHECK, readToEnd, refusalOf, untilDone } from '../../support/redis-record.ts'

const KINDS = ['single', 'cluster'] as const

describe.skipIf(!hasRedis).each(KINDS)('the record in Redis (%s)', (kind) => {
  let servers: Awaited<ReturnType<typeof startRedis | typeof startRedisCluster>>
  let joined: Awaited<ReturnType<typeof joinRecord>>
  const payload = Buffer.from([0, 255, 13, 10])

  beforeAll(async () => {
    servers = kind === 'single' ? await startRedis() : await startRedisCluster({ nodeTimeoutMs: 5_000 })
    joined = await joinRecord(servers.url)
  })
  afterAll(async () => {
    joined?.link.close()
    await servers?.close()
  })

  it('finds out what it is connected to', () => {
    expect(joined.probe).toMatchObject({ kind, hasAof: false, maxmemoryPolicy: 'noeviction' })
    expect(joined.probe.version).toMatch(/^\d+\.\d+\.\d+$/)
  })

  it('keeps a fact that is appended twice once, and reads bytes back as they were', async () => {
    const factId = newFactId()
    const first = await untilDone(() => joined.record.append(0, factId, payload))
    const second = await untilDone(() => joined.record.append(0, factId, payload))
    expect(first.isNew).toBe(true)
    expect(second).toEqual({ position: first.position, isNew: false })
    const [birth, ...facts] = await readToEnd(joined.record, 0)
    expect(birth).toMatchObject({ position: { sequence: 1 }, factId: '', payload: Buffer.alloc(0) })
    expect(facts).toEqual([{ position: first.position, factId, payload }])
  })

  it.each([1, DESK_PARTITION])(
    'gives facts of many authors one order without gaps in partition %i',
    async (partition) => {
      const other = await joinRecord(servers.url)
      const ids = Array.from({ length: 400 }, newFactId)
      const author = (index: number) => (index % 2 === 0 ? joined.record : other.record)
      // Each fact is offered by both, as after a time-out.
      const offers = ids.flatMap((id, index) => [author(index), author(index + 1)].map((record) => ({ record, id })))
      await Promise.all(offers.map(({ record, id }) => untilDone(() => record.append(partition, id, payload))))
      const [, ...entries] = await readToEnd(other.record, partition, START, 7)
      expect(entries.map(({ position }) => position.sequence)).toEqual(ids.map((_, index) => index + 2))
      expect(entries.map(({ factId }) => factId).sort()).toEqual([...ids].sort())
      other.link.close()
    },
  )

  it('reads on in all partitions, and nothing where nothing is new', async () => {
    const head = async (partition: number): Promise<Position> => await untilDone(() => joined.record.touch(partition))
    const afters = await Promise.all(Array.from({ length: PARTITIONS }, (_, partition) => head(partition)))
    const idle = await untilDone(() => joined.record.readAll(afters, 10))
    expect(idle).toEqual(afters.map(() => []))
    const ids = await Promise.all(
      afters.map(async (_, partition) => {
        const factId = newFactId()
        await untilDone(() => joined.record.append(partition, factId, payload))
        return factId
      }),
    )
    const news = await joined.record.readAll(afters, 10)
    expect(news.map((entries) => (Array.isArray(entries) ? entries.map(({ factId }) => factId) : entries))).toEqual(
      ids.map((id) => [id]),
    )
    const later = afters.map((after) => ({ ...after, sequence: after.sequence + 1 }))
    expect(await joined.record.readAll(later, 10)).toEqual(afters.map(() => []))
  })

  it('seals while others read and seal, and loses nothing', async () => {
    const partition = 2
    const other = await joinRecord(servers.url)
    const fill = async (record: typeof joined.record) => {
      for (let batch = 0; batch < 40; batch++) {
        const ids = Array.from({ length: 100 }, newFactId)
        await Promise.all(ids.map((id) => untilDone(() => record.append(partition, id, payload))))
      }
    }
    await Promise.all([fill(joined.record), fill(other.record)])
    const { sequence } = await untilDone(() => joined.record.touch(partition))
    for (let missing = 8_192 - sequence; missing > 0; missing--) {
      await untilDone(() => joined.record.append(partition, newFactId(), payload))
    }
    expect(await joined.record.seal(partition)).toBe(false)
    await untilDone(() => joined.record.append(partition, newFactId(), payload))
    const before = await readToEnd(joined.record, partition)
    const reading = readToEnd(other.record, partition, START, 100)
    const sealed = await Promise.all([1, 2].map(() => untilDone(() => joined.record.seal(partition))))
    const sealedByOther = await untilDone(() => other.record.seal(partition))
    expect([...sealed, sealedByOther].filter(Boolean)).toHaveLength(1)
    expect(await reading).toEqual(before)
    expect((await joined.record.touch(partition)).oldest).toBe(4_097)
    expect(await readToEnd(joined.record, partition, START, 1_000)).toEqual(before)
    for (const after of [4_095, 4_096, 4_097]) {
      const { entries } = await joined.record.read(partition, before[after - 1]?.position ?? START, {
        limit: 2,
        isBulk: false,
      })
      expect(entries[0]?.position.sequence).toBe(after + 1)
    }
    other.link.close()
  })

  it('publishes a reputation unless a newer one is there', async () => {
    const publication = { position: { epoch: 5, sequence: 9 }, reports: 3, score: 41, record: Buffer.from([1, 2]) }
    const publish = (epoch: number, sequence: number) =>
      joined.record.publishReputation(3, 79_001_234_567, { ...publication, position: { epoch, sequence } })
    expect(await publish(5, 9)).toBe(true)
    expect(await publish(5, 9)).toBe(false)
    expect(await publish(4, 10)).toBe(false)
    expect(await publish(5, 10)).toBe(true)
    expect(await publish(6, 1)).toBe(true)
    const key = 'reputation:{p03}:79001234567'
    expect(await joined.link.client.ttl(key)).toBeGreaterThan(365 * 86_400)
    // What another record left says nothing about this one.
    await joined.link.client.hset(key, 'epoch', '9', 'recordId', 'f'.repeat(32))
    expect(await publish(6, 1)).toBe(true)
    const stored = await joined.link.client.hgetall(key)
    expect(stored).toMatchObject({ epoch: '6', sequence: '1', reports: '3', score: '41' })
  })

  it('gives no layer id twice, and none that is known already', async () => {
    const first = await joined.record.allocateLayer(0)
    expect(await joined.record.allocateLayer(0)).toBe(first + 1)
    expect(await joined.record.allocateLayer(first + 100)).toBe(first + 101)
    const many = await Promise.all(Array.from({ length: 20 }, () => joined.record.allocateLayer(0)))
    expect(new Set(many).size).toBe(20)
  })

  it('gives no layer id that is too large to be one', async () => {
    const { link, recordId, record } = joined
    const key = layerCounterKey(recordId)
    const before = await link.client.get(key)
    await link.client.set(key, String(2 ** 32 - 1))
    expect(await refusalOf(record.allocateLayer(0))).toMatchObject({ code: 'RECORD_DAMAGED', details: { key } })
    await link.client.set(key, before ?? '0')
  })

  it('does not take an answer that no function of ours gives', () => {
    expect(numberAt([Buffer.from('7')], 0)).toBe(7)
    const odd = [
      undefined,
      [],
      [Buffer.from('')],
      [Buffer.from('x')],
      [Buffer.from('-1')],
      [Buffer.from('9007199254740993')],
      [[]],
    ]
    for (const reply of odd)
      expect(() => numberAt(reply, 0)).toThrow(expect.objectContaining({ code: 'STORAGE_FAILED' }))
  })

  it('refuses a record that this node does not know, a lost one, and another pseudonym key', async () => {
    const open = (options: Partial<Parameters<typeof openRecord>[1]>) =>
      untilDone(() => openRecord(joined.link, { pseudonymCheck: PSEUDONYM_CHECK, mayCreate: true, ...options }))
    expect(await open({})).toEqual({ recordId: joined.recordId, isNew: false })
    expect(await open({ known: joined.recordId, mayCreate: false })).toEqual({
      recordId: joined.recordId,
      isNew: false,
    })
    expect((await refusalOf(open({ known: 'f'.repeat(32) }))).code).toBe('RECORD_FOREIGN')
    const wrongKey = await refusalOf(open({ pseudonymCheck: 'b' }))
    expect(wrongKey.code).toBe('CONFIG_INVALID')
    expect(wrongKey.details.hint).toContain('ZASLON_PSEUDONYM_KEY_FILE')
    const stranger = createFactStreams(joined.link, 'f'.repeat(32))
    const works = [
      () => stranger.append(0, newFactId(), payload),
      () => stranger.read(0, START, { limit: 1, isBulk: false }),
    ]
    for (const work of works) expect((await refusalOf(untilDone<unknown>(work))).code).toBe('RECORD_LOST')
    expect((await refusalOf(untilDone(() => stranger.touch(0)))).code).toBe('RECORD_FOREIGN')
  })

  it.each([
    ['head', 'set', 'RECORD_DAMAGED'],
    ['facts', 'set', 'RECORD_DAMAGED'],
    ['epochs', 'set', 'RECORD_DAMAGED'],
    ['head', 'format 2', 'STORAGE_FORMAT'],
    ['head', 'format x', 'RECORD_DAMAGED'],
  ] as const)('names the key when %s has a foreign content (%s)', async (name, content, code) => {
    const partition = 10
    const key = partitionKeys(joined.recordId, partition)[name]
    await untilDone(() => joined.record.append(partition, newFactId(), payload))
    const kept = await joined.link.client.dumpBuffer(key)
    if (content === 'set') await joined.link.client.set(key, 'x')
    else await joined.link.client.hset(key, 'format', content.slice(-1))
    const works = [joined.record.append(partition, newFactId(), payload), joined.record.touch(partition)]
    for (const work of [...works, joined.record.read(partition, START, { limit: 1, isBulk: false })]) {
      const error = await refusalOf(work)
      expect(error.code).toBe(code)
      expect(error.details.key).toBe(key)
    }
    await joined.link.client.restore(key, 0, kept, 'REPLACE')
    expect((await joined.record.touch(partition)).sequence).toBeGreaterThan(0)
  })

  it('reports an entry that somebody deleted', async () => {
    const partition = 11
    const positions: Position[] = []
    for (let count = 0; count < 3; count++) {
      positions.push((await untilDone(() => joined.record.append(partition, newFactId(), payload))).position)
    }
    const { facts } = partitionKeys(joined.recordId, partition)
    await joined.link.client.xdel(facts, `${positions[1]?.epoch}-${positions[1]?.sequence}`)
    const error = await refusalOf(joined.record.read(partition, START, { limit: 10, isBulk: false }))
    expect(error.code).toBe('RECORD_DAMAGED')
    expect(error.details.key).toBe(facts)
  })

  it('never makes a record by itself after everything was deleted, and an operator can', async () => {
    const masters = 'servers' in servers ? servers.servers.slice(0, 3) : [servers]
    for (const master of masters) master.cli('flushall')
    for (const work of [joined.record.append(0, newFactId(), payload), joined.record.touch(0)]) {
      expect((await refusalOf(work)).code).toBe('RECORD_LOST')
    }
    expect((await refusalOf(joined.record.read(0, { epoch: 1, sequence: 1 }, { limit: 1, isBulk: false }))).code).toBe(
      'RECORD_LOST',
    )
    const open = { known: joined.recordId, pseudonymCheck: PSEUDONYM_CHECK, mayCreate: true }
    expect((await refusalOf(untilDone(() => openRecord(joined.link, open)))).code).toBe('RECORD_LOST')
    const epochBefore = 2 ** 52
    const make = { recordId: joined.recordId, pseudonymCheck: PSEUDONYM_CHECK, token: '', epochBefore }
    const births = []
    for (let partition = 0; partition < PARTITIONS; partition++) {
      births.push(await untilDone(() => recreatePartition(joined.link, { ...make, partition })))
    }
    const [birth] = births
    expect(birth?.epoch).toBeGreaterThan(epochBefore)
    expect(await joined.record.touch(0)).toEqual({ ...birth, sequence: 1, oldest: 1 })
    await joined.record.append(0, newFactId(), payload)
    expect(await untilDone(() => recreatePartition(joined.link, { ...make, partition: 0 }))).toBeUndefined()
    expect(await joined.record.touch(0)).toEqual({ ...birth, sequence: 2, oldest: 1 })
    expect(await untilDone(() => openRecord(joined.link, open))).toEqual({ recordId: joined.recordId, isNew: false })
    const key = await joined.link.client.hgetall(RECORD_KEY)
    expect(key).toMatchObject({ format: '1', recordId: joined.recordId, state: 'ready' })
  })
})
