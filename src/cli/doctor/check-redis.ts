import type { LoadedConfig } from '../../config/load-config.ts'
import { ScreeningError } from '../../domain/errors.ts'
import { probeRedis, type RedisProbe } from '../../stores/redis/probe-redis.ts'
import { parseRedisUrl } from '../../stores/redis/redis-url.ts'
import { counted } from '../output.ts'
import type { Finding } from './finding.ts'

/** What is at redis.url, and what its settings mean for a write that was acknowledged. Undefined without redis.url. */
export async function checkRedis(redis: LoadedConfig['redis']): Promise<Finding | undefined> {
  if (redis.url === '') return undefined
  const name = 'redis'
  try {
    const probe = await probeRedis(redis, { asksFsync: true })
    const detail = `${parseRedisUrl(redis.url).shown}: ${describe(probe)}`
    const lacking = redis.ackReplicas > probe.replicas
    const hint = lacking
      ? `redis.ackReplicas is ${redis.ackReplicas}, but ${counted(probe.replicas, 'replica')} connected: every write will be refused.`
      : promise(probe, redis.ackReplicas)
    const isSafe = probe.hasAof && !lacking
    return { name, status: isSafe ? 'note' : 'warn', detail, hint }
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error)
    const hint = error instanceof ScreeningError ? error.details.hint : undefined
    return { name, status: 'fail', detail, ...(hint ? { hint } : {}) }
  }
}

function describe(probe: RedisProbe): string {
  const aof = probe.hasAof ? `AOF on (appendfsync ${probe.appendfsync || 'unknown'})` : 'AOF off'
  const memory =
    probe.maxmemoryBytes > 0 ? `at most ${(probe.maxmemoryBytes / 2 ** 20).toFixed(0)} MiB` : 'no memory limit'
  const kind = probe.kind === 'cluster' ? 'Redis Cluster' : 'one server'
  return `${kind}, version ${probe.version}, ${aof}, ${memory} (${probe.maxmemoryPolicy}), ${counted(probe.replicas, 'replica')}`
}

/** Redis acknowledges from memory: what a crash or a failover may take back. */
function promise(probe: RedisProbe, ackReplicas: number): string {
  const failover =
    ackReplicas > 0
      ? 'a failover rarely loses an acknowledged write'
      : 'a failover may lose the writes of the last moment (redis.ackReplicas makes that rarer)'
  if (!probe.hasAof)
    return `A restart of Redis loses what was not in its last snapshot: set appendonly yes. And ${failover}.`
  if (probe.appendfsync === '')
    return `What a power cut loses depends on appendfsync, which this user may not look at (CONFIG GET); ${failover}.`
  if (probe.appendfsync === 'always') return `A power cut loses nothing acknowledged; ${failover}.`
  if (probe.appendfsync === 'no') return `A power cut may lose half a minute of acknowledged writes; ${failover}.`
  return `A power cut may lose about a second of acknowledged writes; ${failover}.`
}
