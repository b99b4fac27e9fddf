import type { LayerStore } from '../layer-rows.ts'
import { createLayerStore } from './layer-store.ts'
import type { RedisKind } from './probe-redis.ts'
import { CALL_TIMEOUT_MS } from './redis-call.ts'
import { createRedisClient } from './redis-link.ts'
import type { RedisSettings } from './redis-settings.ts'
import { parseRedisUrl } from './redis-url.ts'

/** Plain data that crosses to a thread. */
export type LayerStoreSettings = {
  readonly redis: RedisSettings
  readonly kind: RedisKind
  readonly recordId: string
  /** How long a call that fails is tried again. Missing: for as long as a failover takes. */
  readonly retryForMs?: number
}

/** A layer store with a connection of its own, made by the first call. */
export function openLayerStore(
  { redis, kind, ...options }: LayerStoreSettings,
  { random }: { random: () => number },
): LayerStore {
  let opened: LayerStore | undefined
  const store = () => {
    if (opened !== undefined) return opened
    const client = createRedisClient(parseRedisUrl(redis.url), redis, kind, CALL_TIMEOUT_MS)
    // Every call's own rejection says it.
    client.on('error', () => {})
    opened = createLayerStore(options, { client, random })
    return opened
  }
  return {
    push: (layer, contents, control) => store().push(layer, contents, control),
    fetch: (layer, contents, control) => store().fetch(layer, contents, control),
    wanted: () => store().wanted(),
    sweep: (inUse, olderThanMs) => store().sweep(inUse, olderThanMs),
    close: async () => opened?.close(),
  }
}
