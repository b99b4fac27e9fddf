import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { migrateToEmbedded } from '../../../src/processes/leave-record.ts'
import { migrateToRedis } from '../../../src/processes/migrate-record.ts'
import { openDataDirectory } from '../../../src/stores/data-directory.ts'
import { partitionKeys } from '../../../src/stores/redis/keys.ts'
import { temporaryDirectory } from '../../fixtures/temporary-directory.ts'
import { hasRedis, type RedisServer, startRedis } from '../../support/redis.ts'
import { refusalOf } from '../../support/redis-record.ts'

const REDIS = { caFile: '', certFile: '', keyFile: '', serverName: '', ackReplicas: 0, outboxMax: 1_000 }

describe.skipIf(!hasRedis)('leaving a record in Redis', () => {
  let server: RedisServer
  beforeEach(async () => {
    server = await startRedis()
  })
  afterEach(() => server.close())

  it.each<[code: string, state: string, spoil: (keys: ReturnType<typeof partitionKeys>) => void]>([
    ['RECORD_LOST', 'lost', ({ head }) => server.cli('del', head)],
    ['RECORD_DAMAGED', 'damaged', ({ facts }) => server.cli('del', facts)],
    [
      'RECORD_DIVERGED',
      'diverged',
      ({ epochs }) => {
        server.cli('del', epochs)
        server.cli('zadd', epochs, '1', '7')
      },
    ],
  ])('ends with %s at once when a partition is %s, and says what to do', async (code, state, spoil) => {
    const directory = openDataDirectory(temporaryDirectory())
    const options = { config: { redis: { ...REDIS, url: server.url } }, directory, pseudonymKey: randomBytes(32) }
    const recordId = await migrateToRedis(options, () => {})
    spoil(partitionKeys(recordId, 3))
    const error = await refusalOf(migrateToEmbedded({ ...options, isOffline: false }, () => {}))
    expect(error.code).toBe(code)
    expect(error.message).toContain(`Partition 3 of the record is ${state}`)
    expect(error.details.hint).toMatch(/zaslon record .*--offline/)
    expect(await migrateToEmbedded({ ...options, isOffline: true }, () => {})).toEqual({ taken: 0, refused: 0 })
  })
})
