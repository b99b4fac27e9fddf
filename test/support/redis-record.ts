import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { ScreeningError } from '../../src/domain/errors.ts'
import { connectRedis } from '../../src/stores/redis/connect-redis.ts'
import { type FactEntry, type FactStreams, type Position, START } from '../../src/stores/redis/fact-streams.ts'
import { createFactStreams, type RedisRecord } from '../../src/stores/redis/fact-streams-redis.ts'
import { partitionKeys } from '../../src/stores/redis/keys.ts'
import { openRecord } from '../../src/stores/redis/open-record.ts'
import type { RedisCluster, RedisServer } from './redis.ts'

export const PSEUDONYM_CHECK = 'a'.repeat(32)

/** A link to these servers and a record there, made when there is none. */
export async function joinRecord(url: string, options: { ackReplicas?: number } = {}) {
  const { link, probe } = await connectRedis({ url, ...options })
  const { recordId } = await untilDone(() => openRecord(link, { pseudonymCheck: PSEUDONYM_CHECK, mayCreate: true }))
  const impatient = createFactStreams(link, recordId)
  return { link, probe, recordId, impatient, record: patient(impatient) }
}

/** Every call again while it is UNAVAILABLE: a busy machine is slower than the time a call has. */
function patient(record: RedisRecord): RedisRecord {
  return {
    append: (...call) => untilDone(() => record.append(...call)),
    read: (...call) => untilDone(() => record.read(...call)),
    touch: (...call) => untilDone(() => record.touch(...call)),
    seal: (...call) => untilDone(() => record.seal(...call)),
    publishReputation: (...call) => untilDone(() => record.publishReputation(...call)),
    allocateLayer: (...call) => untilDone(() => record.allocateLayer(...call)),
    readAll: (...call) =>
      untilDone(async () => {
        const found = await record.readAll(...call)
        const refused = found.find((one) => one instanceof Error)
        if (refused) throw refused
        return found
      }),
  }
}

export const newFactId = () => randomBytes(16).toString('hex')

/** Tries again while Redis is away: machines in tests are slow, servers restart. */
export async function untilDone<T>(work: () => Promise<T>, forMs = 20_000): Promise<T> {
  for (const giveUpMs = Date.now() + forMs; ; await sleep(20)) {
    try {
      return await work()
    } catch (error) {
      const isAway = error instanceof ScreeningError && error.code === 'UNAVAILABLE'
      if (!isAway || Date.now() > giveUpMs) throw error
    }
  }
}

export async function readToEnd(record: FactStreams, partition: number, after: Position = START, limit = 1_000) {
  const entries: FactEntry[] = []
  for (let at = after; ; at = entries.at(-1)?.position ?? at) {
    const { entries: more } = await untilDone(() => record.read(partition, at, { limit, isBulk: true }))
    if (more.length === 0) return entries
    entries.push(...more)
  }
}

/** The master that has the partition. */
export function masterOf(cluster: RedisCluster, recordId: string, partition: number): RedisServer {
  const key = partitionKeys(recordId, partition).head
  const found = cluster.servers.find((server) => {
    const isMaster = server.cli('info', 'replication').includes('role:master')
    return isMaster && server.cli('exists', key) === '1'
  })
  if (!found) throw new Error(`No master has ${key}.`)
  return found
}

export async function refusalOf(work: Promise<unknown>): Promise<ScreeningError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (error instanceof ScreeningError) return error
  throw new Error(`Expected a ScreeningError, got ${String(error)}.`)
}
