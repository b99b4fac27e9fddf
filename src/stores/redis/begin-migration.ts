/**
 * A record that comes from a directory is one that nobody joins until all of it is there: its state says so from the first
 * key on. What an interrupted migration left belongs to nobody, because the directory is still its own record.
 */
import { randomBytes } from 'node:crypto'
import { ScreeningError } from '../../domain/errors.ts'
import { callFunction, numberAt, textAt } from './call-function.ts'
import { RECORD_KEY } from './keys.ts'
import type { RedisLink } from './redis-link.ts'
import { removeOtherRecord } from './remove-partition.ts'

/** How often who migrates says so. */
export const MIGRATION_WORD_MS = 10_000
const INTERRUPTED_AFTER_MS = 60_000

/** Resolves with the id of the new record. Rejects with CONFIG_INVALID when Redis holds one, UNAVAILABLE. */
export async function beginMigration(link: RedisLink, pseudonymCheck: string): Promise<string> {
  const recordId = randomBytes(16).toString('hex')
  const claim = () =>
    callFunction(link, 'claim', 'beginning the record', {
      keys: [RECORD_KEY],
      args: [recordId, pseudonymCheck, 'migrating'],
    })
  let reply = await claim()
  if (textAt(reply, 0) !== recordId && textAt(reply, 1) === 'migrating') {
    if (numberAt(reply, 4) < INTERRUPTED_AFTER_MS) throw underWay(link)
    await removeOtherRecord(link, recordId)
    reply = await claim()
  }
  if (textAt(reply, 0) !== recordId) throw recordThere(link)
  return recordId
}

/** Rejects with CONFIG_INVALID when another migration has taken the place. */
export async function goOnMigrating(link: RedisLink, recordId: string): Promise<void> {
  const keys = [RECORD_KEY]
  if ((await callFunction(link, 'migrating', 'writing the record', { keys, args: [recordId] })) !== 1) {
    throw recordThere(link)
  }
}

function underWay({ shown }: RedisLink): ScreeningError {
  const message = `A record is being moved into Redis (${shown}), or that ended without a word less than a minute ago.`
  const hint = 'Wait until it has ended. Was it interrupted, say it again in a minute.'
  return new ScreeningError('UNAVAILABLE', message, { hint })
}

function recordThere({ shown }: RedisLink): ScreeningError {
  return new ScreeningError('CONFIG_INVALID', `Redis (${shown}) holds a record already.`, {
    hint: 'Is ZASLON_REDIS_URL the right one? A node joins the record that is there with an empty data directory.',
  })
}
