/** Starts of a node while Redis is up and unwell: with everything, it goes on; with nothing, it says why it does not. */
import { randomBytes } from 'node:crypto'
import http from 'node:http'
import net, { type AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { findRecord, type RecordMembership } from '../../../src/processes/find-record.ts'
import { openReplica, type Replica } from '../../../src/stores/lmdb/replica.ts'
import { RECORD_KEY } from '../../../src/stores/redis/keys.ts'
import { removeOtherRecord } from '../../../src/stores/redis/remove-partition.ts'
import { temporaryDirectory } from '../../fixtures/temporary-directory.ts'
import { hasRedis, type RedisServer, startRedis } from '../../support/redis.ts'
import { refusalOf, untilDone } from '../../support/redis-record.ts'

const KEY = randomBytes(32)
const REDIS = { caFile: '', certFile: '', keyFile: '', serverName: '', ackReplicas: 0, outboxMax: 1_000 }

describe.skipIf(!hasRedis)('a start while Redis is unwell', () => {
  let server: RedisServer
  let replica: Replica
  let found: RecordMembership | undefined
  let logged: { code?: string; problem?: string; hint?: string }[]

  async function find(
    url = server.url,
    pseudonymKey: Uint8Array = KEY,
    firstContactMs = 15_000,
  ): Promise<RecordMembership> {
    found?.link.close()
    found = undefined
    logged = []
    const log = { info() {}, warn: (fields: object) => void logged.push(fields) }
    const config = { redis: { ...REDIS, url } }
    found = await findRecord({ config, pseudonymKey, firstContactMs }, { replica, log })
    return found
  }
  /** Joins, and is whole from then on. */
  async function join() {
    const { recordId } = await find()
    const binding = replica.binding()
    if (binding !== undefined) await replica.bind({ ...binding, isWhole: true })
    return recordId
  }
  const ping = () => found?.link.call('a ping', () => Promise.resolve('PONG')) ?? Promise.reject(new Error('not found'))
  const answer = () => ping().catch((error: { code?: string }) => error.code)
  const goesThrough = () => expect.poll(answer, { timeout: 8_000 }).toBe('PONG')

  beforeEach(async () => {
    server = await startRedis()
    replica = await openReplica({ directory: temporaryDirectory() })
  })
  afterEach(async () => {
    found?.link.close()
    found = undefined
    await replica.close()
    await server.close()
  })

  const wholeStarts: Record<
    string,
    { spoil: (cli: RedisServer['cli']) => void; mend?: (cli: RedisServer['cli']) => void; code?: string }
  > = {
    'its memory is full': { spoil: (cli) => cli('config', 'set', 'maxmemory', '1') },
    'it has too few replicas': { spoil: (cli) => cli('config', 'set', 'min-replicas-to-write', '1') },
    'its password is another': {
      spoil: (cli) => cli('config', 'set', 'requirepass', 'new'),
      mend: (cli) => cli('-a', 'new', 'config', 'set', 'requirepass', ''),
      code: 'CONFIG_INVALID',
    },
    'its user may not call functions': {
      spoil: (cli) => cli('acl', 'setuser', 'default', '-fcall_ro'),
      mend: (cli) => cli('acl', 'setuser', 'default', '+fcall_ro'),
      code: 'CONFIG_INVALID',
    },
    'it is a replica now': {
      spoil: (cli) => cli('replicaof', '127.0.0.1', '1'),
      mend: (cli) => cli('replicaof', 'no', 'one'),
      code: 'CONFIG_INVALID',
    },
    'its key is of another type': {
      spoil(cli) {
        cli('rename', RECORD_KEY, 'aside')
        cli('set', RECORD_KEY, 'x')
      },
      mend: (cli) => cli('rename', 'aside', RECORD_KEY),
      code: 'RECORD_DAMAGED',
    },
    'its record is of a newer version': {
      spoil: (cli) => cli('hset', RECORD_KEY, 'format', '2'),
      mend: (cli) => cli('hset', RECORD_KEY, 'format', '1'),
      code: 'STORAGE_FORMAT',
    },
  }
  it.each(Object.entries(wholeStarts))(
    'a node that has everything starts when %s',
    async (_name, { spoil, mend, code }) => {
      const recordId = await join()
      spoil(server.cli)
      expect((await find()).recordId).toBe(recordId)
      const [warning] = logged
      expect(warning?.code).toBe(code)
      if (code !== undefined) {
        expect(warning?.problem).toMatch(/\.$/)
        expect(warning?.hint).toMatch(/\w/)
      }
      mend?.(server.cli)
      await goesThrough()
    },
  )

  it('a node that has everything starts when there is no Redis but a web server, or one that says nothing', async () => {
    const recordId = await join()
    const web = http.createServer((_request, response) => response.end('x')).listen(0)
    const sockets: net.Socket[] = []
    const silent = net.createServer((socket) => void sockets.push(socket)).listen(0)
    for (const other of [web, silent]) {
      const { port } = other.address() as AddressInfo
      expect((await find(`redis://127.0.0.1:${port}`)).recordId).toBe(recordId)
      expect(await answer()).toBe('UNAVAILABLE')
    }
    for (const socket of sockets) socket.destroy()
    web.closeAllConnections()
    web.close()
    silent.close()
  })

  it('a Redis that comes back with another record, or other pseudonyms, is not written to until it is right', async () => {
    const recordId = await join()
    await server.kill()
    await find()
    await server.restart()
    const claim = (id: string, check: string) =>
      server.cli('hset', RECORD_KEY, 'format', '1', 'recordId', id, 'state', 'ready', 'pseudonymCheck', check)
    claim('f'.repeat(32), found?.pseudonymCheck ?? '')
    await expect.poll(answer, { timeout: 8_000 }).toBe('RECORD_FOREIGN')
    claim(recordId, 'b'.repeat(32))
    await expect.poll(answer, { timeout: 8_000 }).toBe('CONFIG_INVALID')
    expect(logged.map(({ code }) => code)).toEqual(['UNAVAILABLE', 'RECORD_FOREIGN', 'CONFIG_INVALID'])
    claim(recordId, found?.pseudonymCheck ?? '')
    await goesThrough()
  })

  it('a record that is found only later to be another one can be replaced, and until then is not read either', async () => {
    const recordId = await join()
    await server.kill()
    const { link, pseudonymCheck } = await find()
    await server.restart()
    const other = 'f'.repeat(32)
    server.cli('hset', RECORD_KEY, 'format', '1', 'recordId', other, 'state', 'ready', 'pseudonymCheck', pseudonymCheck)
    await expect.poll(answer, { timeout: 8_000 }).toBe('RECORD_FOREIGN')
    const bulk = link.bulk().call('a ping', async () => 'PONG')
    expect((await refusalOf(bulk)).code).toBe('RECORD_FOREIGN')
    await untilDone(() => removeOtherRecord(link, recordId))
    expect(server.cli('exists', RECORD_KEY)).toBe('0')
    expect(await answer()).toBe('PONG')
  })

  it('a wrong pseudonym key or record is refused, with Redis or without', async () => {
    await join()
    expect((await refusalOf(find(server.url, randomBytes(32)))).code).toBe('CONFIG_INVALID')
    server.cli('hset', RECORD_KEY, 'recordId', 'f'.repeat(32))
    expect((await refusalOf(find())).code).toBe('RECORD_FOREIGN')
    await server.kill()
    const error = await refusalOf(find(server.url, randomBytes(32)))
    expect(error).toMatchObject({ code: 'CONFIG_INVALID', details: { hint: expect.stringContaining('KEY_FILE') } })
  })

  it('a wrong URL is suspected first: another record before its other key, an empty Redis before a restore', async () => {
    const recordId = await join()
    server.cli('hset', RECORD_KEY, 'recordId', 'f'.repeat(32), 'pseudonymCheck', 'b'.repeat(32))
    const foreign = await refusalOf(find())
    expect(foreign).toMatchObject({ code: 'RECORD_FOREIGN', details: { known: recordId } })
    expect(foreign.details.hint).toMatch(/^Correct ZASLON_REDIS_URL/)
    server.cli('flushall')
    await find()
    expect(logged[0]).toMatchObject({ code: 'RECORD_LOST' })
    expect(logged[0]?.hint).toMatch(/ZASLON_REDIS_URL names another Redis: then correct that. Else: .*record restore$/)
  })

  it('a node that has nothing is told to be started again when Redis is there, one with data goes on by itself', async () => {
    const recordId = await join()
    await server.kill()
    expect((await find()).recordId).toBe(recordId)
    expect(logged[0]?.hint).toBe('Start Redis, or correct ZASLON_REDIS_URL.')
    await replica.close()
    replica = await openReplica({ directory: temporaryDirectory() })
    const { code, details } = await refusalOf(find(server.url, KEY, 100))
    expect(code).toBe('UNAVAILABLE')
    expect(details.hint).toMatch(/^Start Redis, .* then start this node again: .*does not start without Redis\.$/)
  })

  it('a node that has nothing is told that its key or its URL may be wrong', async () => {
    await join()
    await replica.close()
    replica = await openReplica({ directory: temporaryDirectory() })
    const { code, details } = await refusalOf(find(server.url, randomBytes(32)))
    expect(code).toBe('CONFIG_INVALID')
    expect(details.hint).toMatch(/KEY_FILE\. Or ZASLON_REDIS_URL names another Redis/)
  })

  it('a node that joined before the check was kept, keeps it from its next start on', async () => {
    const recordId = await join()
    await replica.bind({ recordId, redis: 'single', isWhole: true })
    await find()
    expect(replica.binding()).toMatchObject({ isWhole: true, pseudonymCheck: found?.pseudonymCheck })
    await replica.bind({ recordId, redis: 'single', isWhole: true })
    await server.kill()
    await find()
    await server.restart()
    server.cli('hset', RECORD_KEY, 'format', '1', 'recordId', recordId, 'state', 'ready')
    server.cli('hset', RECORD_KEY, 'pseudonymCheck', found?.pseudonymCheck ?? '')
    await expect.poll(() => replica.binding()?.pseudonymCheck, { timeout: 8_000 }).toBe(found?.pseudonymCheck)
  })

  it('a node that has nothing does not start, and says why', async () => {
    server.cli('config', 'set', 'maxmemory', '1')
    expect((await refusalOf(find())).code).toBe('STORAGE_FULL')
    server.cli('config', 'set', 'requirepass', 'new')
    expect((await refusalOf(find())).code).toBe('CONFIG_INVALID')
  })
})
