import { type ErrorCode, ScreeningError } from '../domain/errors.ts'

/** Longer than a failover of Redis and a restart of its server. */
const PATIENCE_MS = 60_000
const PAUSE_MS = 500
/** A failover takes two to three seconds; whoever waits for the same list meanwhile is not held up for much longer. */
export const STEP_PATIENCE_MS = 5_000

/** What passes by itself or is mended by somebody: nothing is wrong with what was asked for. */
const AWAY_CODES: readonly ErrorCode[] = [
  'UNAVAILABLE',
  'STORAGE_FULL',
  'STORAGE_FAILED',
  'STORAGE_FORMAT',
  'CONFIG_INVALID',
  'CONTENTS_MISSING',
  'RECORD_LOST',
  'RECORD_DIVERGED',
  'RECORD_DAMAGED',
]

/**
 * The record takes no writes now: an import waits for it instead of failing. With `isUnknown` the change may have been made,
 * or may be made yet.
 */
export class RecordAway extends Error {
  override readonly cause: ScreeningError
  readonly isUnknown: boolean

  constructor(cause: ScreeningError, isUnknown: boolean) {
    super(cause.message)
    this.cause = cause
    this.isUnknown = isUnknown
  }
}

/**
 * Does again what was refused with UNAVAILABLE, for work that nobody waits for with a telephone in the hand. What may have
 * happened although nobody said so must not hurt when it happens twice.
 */
export async function patiently<T>(work: () => Promise<T>, now: () => number, patienceMs = PATIENCE_MS): Promise<T> {
  for (const giveUpMs = now() + patienceMs; ; ) {
    try {
      return await work()
    } catch (error) {
      const isPassing = error instanceof ScreeningError && error.code === 'UNAVAILABLE'
      if (!isPassing || now() > giveUpMs) throw error
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
    }
  }
}

/** Runs a step of an import that writes to the record. Rejects with RecordAway when the record takes no writes. */
export async function recordStep<T>(
  work: () => Promise<T>,
  now: () => number,
  { patienceMs = STEP_PATIENCE_MS, isUnknown = () => false }: { patienceMs?: number; isUnknown?: () => boolean } = {},
): Promise<T> {
  try {
    return await patiently(work, now, patienceMs)
  } catch (error) {
    throw isAway(error) ? new RecordAway(error, isUnknown()) : error
  }
}

/** Whether the record as a whole takes no writes now, as opposed to refusing this one. */
export function isAway(error: unknown): error is ScreeningError {
  return error instanceof ScreeningError && AWAY_CODES.includes(error.code)
}
