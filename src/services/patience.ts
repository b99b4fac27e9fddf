import { ScreeningError } from '../domain/errors.ts'

/** Longer than a failover of Redis and a restart of its server. */
const PATIENCE_MS = 60_000
const PAUSE_MS = 500

/**
 * Does again what was refused with UNAVAILABLE, for work that nobody waits for with a telephone in the hand. What may have
 * happened although nobody said so must not hurt when it happens twice.
 */
export async function patiently<T>(work: () => Promise<T>, now: () => number): Promise<T> {
  for (const giveUpMs = now() + PATIENCE_MS; ; ) {
    try {
      return await work()
    } catch (error) {
      const isPassing = error instanceof ScreeningError && error.code === 'UNAVAILABLE'
      if (!isPassing || now() > giveUpMs) throw error
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
    }
  }
}
