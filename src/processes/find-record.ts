import { createHmac } from 'node:crypto'
import type { LoadedConfig } from '../config/load-config.ts'
import { ScreeningError } from '../domain/errors.ts'
import type { RecordBinding } from '../stores/lmdb/record-binding.ts'
import type { Replica } from '../stores/lmdb/replica.ts'
import { confirmRecord } from '../stores/redis/confirm-record.ts'
import { connectRedis } from '../stores/redis/connect-redis.ts'
import { isForeignRecord, openRecord, otherPseudonymKey } from '../stores/redis/open-record.ts'
import { createRedisLink, type RedisLink } from '../stores/redis/redis-link.ts'

/** Which record, and how it is reached; the same for the control process and its job threads. */
export type RecordMembership = { readonly recordId: string; readonly link: RedisLink; readonly pseudonymCheck: string }

export type FindRecordOptions = {
  readonly config: Pick<LoadedConfig, 'redis'>
  readonly pseudonymKey: Uint8Array
  /** How long a node that has nothing waits for a Redis that does not answer. */
  readonly firstContactMs?: number
}

export type FindRecordDependencies = {
  readonly replica: Pick<Replica, 'binding' | 'bind'>
  readonly log: {
    info(fields: object, text: string): void
    warn(fields: object, text: string): void
  }
}

/** A Redis that starts at the same time is there by then; a wrong address is found soon enough. */
const FIRST_CONTACT_MS = 15_000
const FIRST_RETRY_MS = 500

/**
 * Finds the record in Redis, or begins one there. A node that has everything goes on from it whatever Redis answers, unless
 * it is another record or another pseudonym key: its link is confirmed later. Rejects with CONFIG_INVALID and RECORD_FOREIGN
 * when the configuration is wrong, and, for a node that has nothing of its own to go on from, with what Redis answered.
 */
export async function findRecord(
  { config, pseudonymKey, firstContactMs = FIRST_CONTACT_MS }: FindRecordOptions,
  dependencies: FindRecordDependencies,
): Promise<RecordMembership> {
  const { replica, log } = dependencies
  const pseudonymCheck = pseudonymCheckOf(pseudonymKey)
  const known = replica.binding()
  if (known !== undefined) assertSameKey(known, pseudonymCheck)
  const giveUpMs = Date.now() + firstContactMs
  for (let isFirst = true; ; isFirst = false) {
    try {
      return await contactRecord(config.redis, pseudonymCheck, dependencies)
    } catch (error) {
      if (isForeignRecord(error)) throw error
      if (known?.isWhole === true) return goOnAlone(config.redis, { known, pseudonymCheck, error }, dependencies)
      const isPassing = error instanceof ScreeningError && error.code === 'UNAVAILABLE'
      if (!isPassing) throw error
      if (Date.now() > giveUpMs) throw withoutRedis(error)
      if (isFirst) log.warn({ err: error }, 'the record cannot be reached, and this node has nothing yet: trying again')
      await new Promise((resolve) => setTimeout(resolve, FIRST_RETRY_MS))
    }
  }
}

/** Throws CONFIG_INVALID. */
export function assertSameKey(binding: RecordBinding, pseudonymCheck: string): void {
  if (binding.pseudonymCheck === undefined || binding.pseudonymCheck === pseudonymCheck) return
  throw otherPseudonymKey('This node joined its record with another pseudonym key than it has now.')
}

/** It does not wait for Redis for as long as it takes, as a node with data would: its configuration may be wrong. */
function withoutRedis({ message, details, cause }: ScreeningError): ScreeningError {
  const hint =
    'Start Redis, or correct ZASLON_REDIS_URL, then start this node again: it has no state of its own yet, and does not ' +
    'start without Redis.'
  return new ScreeningError('UNAVAILABLE', message, { ...details, hint }, { cause })
}

/** Says whether two nodes have the same key, and nothing about it. */
export function pseudonymCheckOf(pseudonymKey: Uint8Array): string {
  return createHmac('sha256', pseudonymKey).update('record').digest('hex').slice(0, 32)
}

async function contactRecord(
  settings: LoadedConfig['redis'],
  pseudonymCheck: string,
  { replica, log }: FindRecordDependencies,
): Promise<RecordMembership> {
  const known = replica.binding()
  const { link, probe } = await connectRedis(settings)
  try {
    const { recordId, isNew } = await openRecord(link, {
      pseudonymCheck,
      mayCreate: true,
      ...(known === undefined ? {} : { known: known.recordId }),
    })
    await rememberCheck(replica, known ?? { recordId, redis: probe.kind, isWhole: false }, pseudonymCheck)
    const record = recordId.slice(0, 8)
    log.info({ redis: link.shown, kind: probe.kind, record }, isNew ? 'a new record begins in Redis' : 'record found')
    return { recordId, link, pseudonymCheck }
  } catch (error) {
    link.close()
    throw error
  }
}

function goOnAlone(
  settings: LoadedConfig['redis'],
  { known, pseudonymCheck, error }: { known: RecordBinding; pseudonymCheck: string; error: unknown },
  { replica, log }: FindRecordDependencies,
): RecordMembership {
  const { recordId, redis } = known
  const link = createRedisLink(settings, redis)
  log.warn(
    { redis: link.shown, record: recordId.slice(0, 8), ...problemOf(error) },
    'the record cannot be opened: this node goes on from its last good state, and tries again all the time',
  )
  const confirmed = confirmRecord(
    link,
    { known: recordId, pseudonymCheck },
    {
      onConfirmed() {
        log.info({ redis: link.shown, record: recordId.slice(0, 8) }, 'record found')
        rememberCheck(replica, known, pseudonymCheck).catch((err: unknown) =>
          log.warn({ err }, 'the check of the pseudonym key was not stored; the next start tries again'),
        )
      },
      onRefused: (refusal) =>
        log.warn({ redis: link.shown, ...problemOf(refusal) }, 'the record in Redis still cannot be opened'),
    },
  )
  return { recordId, link: confirmed, pseudonymCheck }
}

async function rememberCheck(
  replica: FindRecordDependencies['replica'],
  binding: Omit<RecordBinding, 'boundMs'>,
  pseudonymCheck: string,
): Promise<void> {
  if (binding.pseudonymCheck !== pseudonymCheck) await replica.bind({ ...binding, pseudonymCheck })
}

function problemOf(error: unknown): { code: string; problem: string; hint?: string } {
  if (!(error instanceof ScreeningError)) return { code: 'INTERNAL', problem: String(error) }
  const { hint } = error.details
  return { code: error.code, problem: error.message, ...(hint === undefined ? {} : { hint }) }
}
