import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { beginMigration, goOnMigrating } from '../../../src/stores/redis/begin-migration.ts'
import { connectRedis } from '../../../src/stores/redis/connect-redis.ts'
import { RECORD_KEY } from '../../../src/stores/redis/keys.ts'
import { openRecord, recreatePartition } from '../../../src/stores/redis/open-record.ts'
import { removeOtherRecord } from '../../../src/stores/redis/remove-partition.ts'
import { hasRedis, type RedisServer, startRedis } from '../../support/redis.ts'
import { PSEUDONYM_CHECK, refusalOf, untilDone } from '../../support/redis-record.ts'

describe.skipIf(!hasRedis)('moving a record into Redis', () => {
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
  const begin = () => untilDone(() => beginMigration(link, PSEUDONYM_CHECK))
  const join = () => openRecord(link, { pseudonymCheck: PSEUDONYM_CHECK, mayCreate: true })
  const write = (recordId: string, partition: number) =>
    untilDone(() =>
      recreatePartition(link, { recordId, pseudonymCheck: PSEUDONYM_CHECK, partition, epochBefore: 0, token: 't' }),
    )

  it('lets nobody join before everything is there, whichever partition is being written or none', async () => {
    const recordId = await begin()
    expect((await refusalOf(join())).details.hint).toContain('zaslon migrate to-redis')
    await write(recordId, 0)
    expect((await refusalOf(join())).code).toBe('UNAVAILABLE')
    await untilDone(() => goOnMigrating(link, recordId))
    expect(server.cli('hget', RECORD_KEY, 'state')).toBe('migrating')
  })

  it('is whole with the last word, which the node that was joined says when it was missing', async () => {
    const recordId = await begin()
    await untilDone(() => openRecord(link, { known: recordId, pseudonymCheck: PSEUDONYM_CHECK, mayCreate: false }))
    expect(server.cli('hget', RECORD_KEY, 'state')).toBe('ready')
    expect(await untilDone(join)).toEqual({ recordId, isNew: false })
  })

  it('goes on by itself while another one would begin, and is replaced a minute after its last word', async () => {
    const first = await begin()
    await write(first, 0)
    expect((await refusalOf(beginMigration(link, PSEUDONYM_CHECK))).code).toBe('UNAVAILABLE')
    const now = Number(server.cli('time').split('\n')[0]) * 1_000
    server.cli('hset', RECORD_KEY, 'touchedMs', String(now - 55_000))
    expect((await refusalOf(beginMigration(link, PSEUDONYM_CHECK))).code).toBe('UNAVAILABLE')
    server.cli('hset', RECORD_KEY, 'touchedMs', String(now - 61_000))
    const second = await begin()
    expect(second).not.toBe(first)
    expect(server.cli('hget', RECORD_KEY, 'recordId')).toBe(second)
    expect(server.cli('keys', `*${first}*head*`)).toBe('')
    expect((await refusalOf(goOnMigrating(link, first))).code).toBe('CONFIG_INVALID')
    await untilDone(() => goOnMigrating(link, second))
  })

  it('ends when Redis loses what was begun: nobody may find half of it whole', async () => {
    const recordId = await begin()
    server.cli('flushall')
    const again = {
      recordId,
      pseudonymCheck: PSEUDONYM_CHECK,
      partition: 1,
      epochBefore: 0,
      token: 't',
      mayClaim: false,
    }
    expect((await refusalOf(untilDone(() => recreatePartition(link, again)))).code).toBe('RECORD_LOST')
    expect((await refusalOf(untilDone(() => goOnMigrating(link, recordId)))).code).toBe('RECORD_LOST')
    expect(server.cli('dbsize')).toBe('0')
  })

  it('leaves a record alone that somebody began while another one was being removed', async () => {
    const first = await begin()
    const began = 'f'.repeat(32)
    const slow: typeof link = {
      ...link,
      call(doing, exchange) {
        if (doing.includes('layers')) server.cli('hset', RECORD_KEY, 'recordId', began)
        return link.call(doing, exchange)
      },
    }
    await removeOtherRecord(slow, 'e'.repeat(32))
    expect(server.cli('hget', RECORD_KEY, 'recordId')).toBe(began)
    await removeOtherRecord(link, first)
    expect(server.cli('exists', RECORD_KEY)).toBe('0')
  })

  it('never begins where a record is, also one with another pseudonym key, and names no way to remove it', async () => {
    const { recordId } = await untilDone(join)
    server.cli('hset', RECORD_KEY, 'touchedMs', '0')
    const refusal = await refusalOf(beginMigration(link, 'f'.repeat(32)))
    expect(refusal.code).toBe('CONFIG_INVALID')
    expect(refusal.message).toContain('holds a record already')
    expect(refusal.details.hint).not.toMatch(/flushall/i)
    expect(server.cli('hget', RECORD_KEY, 'recordId')).toBe(recordId)
  })
})
