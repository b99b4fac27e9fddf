/** Calls to Redis that end: bounded each, tried again with growing pauses, bounded in all. */
import { setTimeout as sleep } from 'node:timers/promises'
import { ScreeningError } from '../../domain/errors.ts'
import { clientReason } from './client-reason.ts'

/** 256 KiB take 4.2 s at 0.5 Mbit/s: slower links are no links between nodes. A usual answer takes a millisecond. */
export const CALL_TIMEOUT_MS = 5_000
/** Longer than a failover of the cluster and a restart of the server. */
const RETRY_FOR_MS = 30_000
const PAUSE_FIRST_MS = 50
const PAUSE_MAX_MS = 2_000

export type RedisCalls = <T>(call: () => Promise<T>, check?: () => void) => Promise<T>

export type RedisCallsDependencies = {
  /** 0..1, for pauses. */
  readonly random: () => number
  /** Milliseconds that only grow: clocks are set while a call is under way. */
  readonly clock?: () => number
}

/**
 * Runs a call that may be repeated without harm. Rejects with UNAVAILABLE when it did not succeed in `retryForMs`, with
 * STORAGE_FULL when Redis has no memory left, or with what `check` throws before an attempt.
 */
export function createRedisCalls(
  { retryForMs = RETRY_FOR_MS, timeoutMs = CALL_TIMEOUT_MS }: { retryForMs?: number; timeoutMs?: number },
  { random, clock = () => performance.now() }: RedisCallsDependencies,
): RedisCalls {
  return async (call, check = () => {}) => {
    const giveUpMs = clock() + retryForMs
    for (let pauseMs = PAUSE_FIRST_MS; ; pauseMs = Math.min(PAUSE_MAX_MS, pauseMs * 2)) {
      check()
      try {
        return await bounded(call, timeoutMs)
      } catch (error) {
        if (!isPassing(error) || clock() >= giveUpMs) throw redisError(error)
      }
      // Half to all of the pause: nodes that lost the same server do not come back in step.
      await sleep(pauseMs * (0.5 + random() / 2))
    }
  }
}

function bounded<T>(call: () => Promise<T>, timeoutMs: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`No answer in ${timeoutMs} ms.`)), timeoutMs)
    call()
      .then(resolve, reject)
      .finally(() => clearTimeout(timer))
  })
}

/** What a server says while it starts, fails over or moves slots passes; what it says about us does not. */
function isPassing(error: unknown): boolean {
  return !(error instanceof Error) || !/^(?:OOM|WRONGTYPE|NOAUTH|WRONGPASS|NOPERM|ERR) /.test(error.message)
}

function redisError(cause: unknown): ScreeningError {
  const text = cause instanceof Error ? cause.message : String(cause)
  if (text.startsWith('OOM ')) {
    const hint = 'Raise maxmemory, with the policy noeviction.'
    return new ScreeningError('STORAGE_FULL', 'Redis has no memory left for the lists.', { hint }, { cause })
  }
  const hint = 'Look whether the Redis servers run and this node reaches them; it tries again by itself.'
  return new ScreeningError(
    'UNAVAILABLE',
    `Redis does not answer: ${clientReason(text).replace(/\.?$/, '.')}`,
    { hint },
    { cause },
  )
}
