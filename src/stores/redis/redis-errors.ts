import { ScreeningError } from '../../domain/errors.ts'
import { clientReason } from './client-reason.ts'

const RESTORE_HINT = 'Restore Redis from its backup, or write this node back with: zaslon record restore'
/** Before anything is written: to a Redis that is not the one of this record it would be a copy beside it. */
const LOST_HINT = `Redis was emptied, or ZASLON_REDIS_URL names another Redis: then correct that. Else: ${RESTORE_HINT}`

/** What a function of ours refuses (functions.ts), or Redis itself, by the first word of its answer. */
const SIGN_IN = /^(?:NOAUTH|WRONGPASS|NOPERM)\b/
const DISK_FULL = /No space left|quota exceeded/i
/** Passing states of a server: another moment, or another server, will do. */
const PASSING =
  /^(?:CLUSTERDOWN|LOADING|MASTERDOWN|READONLY|NOREPLICAS|TRYAGAIN|MOVED|ASK|BUSY|UNBLOCKED|Too many Cluster redirections)/

/**
 * What ioredis rejected with, as an operating error: RECORD_LOST, RECORD_DAMAGED and STORAGE_FORMAT name the key,
 * STORAGE_FULL and STORAGE_FAILED are Redis's memory and disk, everything that passes is UNAVAILABLE.
 */
export function redisError(cause: unknown, doing: string): ScreeningError {
  if (cause instanceof ScreeningError) return cause
  const text = cause instanceof Error ? cause.message : String(cause)
  const [word = '', key = ''] = text.split(' ')
  const failure = (code: 'RECORD_LOST' | 'RECORD_DAMAGED' | 'STORAGE_FORMAT', message: string, hint: string) =>
    new ScreeningError(code, message, { key, hint }, { cause })
  if (word === 'RECORDLOST') return failure('RECORD_LOST', `Redis does not hold ${key} any more.`, LOST_HINT)
  if (word === 'RECORDRESTORING') {
    const hint = 'Wait until it is done. When nobody restores it any more, begin anew with: zaslon record restore'
    return failure('RECORD_LOST', `The partition of ${key} in Redis is being restored by a node.`, hint)
  }
  if (word === 'RECORDDAMAGED') return damaged(key, 'does not hold what Zaslon keeps there', cause)
  if (word === 'RECORDFORMAT') {
    const message = `The key ${key} in Redis was written by a newer version of Zaslon.`
    return failure('STORAGE_FORMAT', message, 'Start that version on this node too.')
  }
  if (word === 'OOM') {
    const hint = 'Raise maxmemory of Redis; reading goes on, writing resumes by itself.'
    return new ScreeningError(
      'STORAGE_FULL',
      `The memory of Redis is full: ${doing} was not done.`,
      { hint },
      { cause },
    )
  }
  if (word === 'MISCONF') {
    const code = DISK_FULL.test(text) ? 'STORAGE_FULL' : 'STORAGE_FAILED'
    const hint = 'Free or mend the disk of Redis; writing resumes by itself.'
    return new ScreeningError(code, `Redis cannot write to its disk: ${doing} was not done.`, { hint }, { cause })
  }
  if (isSignInRefusal(text)) {
    const hint = 'Correct user and password in ZASLON_REDIS_URL, or the rights of that user (ACL).'
    return new ScreeningError(
      'CONFIG_INVALID',
      `Redis refuses ${doing}: ${text.replace(/\.?$/, '.')}`,
      { hint },
      { cause },
    )
  }
  if (/^[A-Z]+ /.test(text) && !PASSING.test(text)) {
    const hint = 'Look at the log of Redis; report it when that does not explain it.'
    return new ScreeningError('STORAGE_FAILED', `Redis refuses ${doing}: ${text}`, { hint }, { cause })
  }
  return unavailable(doing, text, cause)
}

/** Whether Redis says so of the user, the password or the rights of this node. */
export function isSignInRefusal(text: string): boolean {
  return SIGN_IN.test(text)
}

export function unavailable(doing: string, reason: string, cause?: unknown): ScreeningError {
  const hint = 'Wait: it is tried again by itself. When it lasts, look at Redis with: zaslon doctor'
  const message = `Redis did not complete ${doing}: ${clientReason(reason).replace(/\.?$/, '.')}`
  return new ScreeningError('UNAVAILABLE', message, { hint }, cause === undefined ? {} : { cause })
}

export function damaged(key: string, what: string, cause?: unknown): ScreeningError {
  const details = { key, hint: RESTORE_HINT }
  return new ScreeningError(
    'RECORD_DAMAGED',
    `The key ${key} in Redis ${what}.`,
    details,
    cause === undefined ? {} : { cause },
  )
}
