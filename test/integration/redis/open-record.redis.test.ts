import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { checkRedis } from '../../../src/cli/doctor/check-redis.ts'
import { connectRedis } from '../../../src/stores/redis/connect-redis.ts'
import { createFactStreams } from '../../../src/stores/redis/fact-streams-redis.ts'
import { partitionKeys, RECORD_KEY } from '../../../src/stores/redis/keys.ts'
import { openRecord } from '../../../src/stores/redis/open-record.ts'
import { hasRedis, type RedisServer, startRedis } from '../../support/redis.ts'
import { PSEUDONYM_CHECK, refusalOf, untilDone } from '../../support/redis-record.ts'

describe.skipIf(!hasRedis)('opening the record', () => {
  let server: RedisServer
  let link: Awaited<ReturnType<typeof connectRedis>>['link']
  beforeEach(async () => {
    server = await startRedis()
    link = (await connectRedis({ url: server.url })).link
  })
  afterEach(async () => {
    link.close()
    await server.close()
  })
  const create = { pseudonymCheck: PSEUDONYM_CHECK, mayCreate: true }
  const open = (options: Parameters<typeof openRecord>[1] = create) => untilDone(() => openRecord(link, options))
  const look = (recordId: string) => untilDone(() => createFactStreams(link, recordId).touch(64))

  it('makes one record when several nodes start at once', async () => {
    const opened = await Promise.all(Array.from({ length: 5 }, () => open()))
    expect(new Set(opened.map(({ recordId }) => recordId)).size).toBe(1)
    expect(opened.filter(({ isNew }) => isNew)).toHaveLength(1)
    expect(opened[0]?.recordId).toMatch(/^[0-9a-f]{32}$/)
  })

  it('makes none without leave, and none for a node that knows one', async () => {
    expect((await refusalOf(open({ ...create, mayCreate: false }))).code).toBe('RECORD_LOST')
    expect((await refusalOf(open({ ...create, known: 'c'.repeat(32) }))).code).toBe('RECORD_LOST')
    expect(server.cli('dbsize')).toBe('0')
  })

  it('completes what another node began to make', async () => {
    const { recordId } = await open()
    const { head, facts, epochs } = partitionKeys(recordId, 64)
    server.cli('del', head, facts, epochs)
    server.cli('hset', RECORD_KEY, 'state', 'creating')
    expect(await open({ ...create, mayCreate: false })).toEqual({ recordId, isNew: false })
    expect((await look(recordId)).sequence).toBe(1)
    expect(server.cli('hget', RECORD_KEY, 'state')).toBe('ready')
    // Complete: a head that is missing now was lost.
    server.cli('del', head, facts, epochs)
    await open()
    expect((await refusalOf(look(recordId))).code).toBe('RECORD_LOST')
  })

  it('makes no partition on top of what is left of one', async () => {
    const { recordId } = await open()
    const { head, facts } = partitionKeys(recordId, 64)
    server.cli('del', head)
    server.cli('hset', RECORD_KEY, 'state', 'creating')
    const error = await refusalOf(open())
    expect(error.code).toBe('RECORD_DAMAGED')
    expect(error.details.key).toBe(facts)
  })

  it.each([
    ['set', 'RECORD_DAMAGED'],
    ['hset', 'STORAGE_FORMAT'],
  ] as const)('refuses a foreign or newer key in its place (%s)', async (command, code) => {
    server.cli(...(command === 'set' ? ['set', RECORD_KEY, 'x'] : ['hset', RECORD_KEY, 'format', '2']))
    const error = await refusalOf(open())
    expect(error.code).toBe(code)
    expect(error.details.key).toBe(RECORD_KEY)
  })
})

describe('zaslon doctor about Redis', () => {
  const redis = { url: '', caFile: '', certFile: '', keyFile: '', serverName: '', ackReplicas: 0, outboxMax: 1 }

  it('says nothing without a URL', async () => {
    expect(await checkRedis(redis)).toBeUndefined()
  })

  it.skipIf(!hasRedis)('says what is there and what it promises, without the password', async () => {
    const server = await startRedis({ args: ['--requirepass', 'hidden', '--appendonly', 'yes'] })
    const url = `redis://:hidden@127.0.0.1:${server.port}`
    const found = await checkRedis({ ...redis, url })
    expect(found).toMatchObject({ name: 'redis', status: 'note' })
    expect(found?.detail).toContain('one server')
    expect(found?.detail).toContain('AOF on (appendfsync everysec)')
    expect(found?.hint).toContain('about a second')
    const lacking = await checkRedis({ ...redis, url, ackReplicas: 1 })
    expect(lacking).toMatchObject({ status: 'warn' })
    expect(lacking?.hint).toContain('every write will be refused')
    await server.close()
    const gone = await checkRedis({ ...redis, url })
    expect(gone?.status).toBe('fail')
    expect(JSON.stringify([found, lacking, gone])).not.toContain('hidden')
  })
})
