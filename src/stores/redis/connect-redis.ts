import { probeRedis, type RedisProbe } from './probe-redis.ts'
import { unavailable } from './redis-errors.ts'
import { createRedisLink, type RedisLink } from './redis-link.ts'
import type { RedisSettings } from './redis-settings.ts'

/** Slots are known and the first connection stands after tens of milliseconds. */
const READY_TIMEOUT_MS = 3_000

/**
 * Asks what is at `settings.url` and connects. Rejects as probeRedis does: after UNAVAILABLE a caller that remembers the
 * kind goes on with createRedisLink, which connects when Redis comes.
 */
export async function connectRedis(settings: RedisSettings): Promise<{ link: RedisLink; probe: RedisProbe }> {
  const probe = await probeRedis(settings)
  const link = createRedisLink(settings, probe.kind)
  if (await link.whenReady(READY_TIMEOUT_MS)) return { link, probe }
  link.close()
  throw unavailable(
    'the connection',
    `${link.shown} answers, but a client did not become ready in ${READY_TIMEOUT_MS} ms`,
  )
}
