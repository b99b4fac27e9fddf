import { Redis } from 'ioredis'
import type { LayerStore } from '../layer-rows.ts'
import { createLayerStore } from './layer-store.ts'
import { CALL_TIMEOUT_MS } from './redis-call.ts'

/** Plain data that crosses to a thread. */
export type LayerStoreSettings = { readonly url: string; readonly recordId: string }

/** A layer store with a connection of its own, made by the first call. */
export function openLayerStore(
  { url, recordId }: LayerStoreSettings,
  { now, random }: { now: () => number; random: () => number },
): LayerStore {
  const client = new Redis(url, {
    lazyConnect: true,
    connectTimeout: CALL_TIMEOUT_MS,
    commandTimeout: CALL_TIMEOUT_MS,
    // A frozen server holds a connection open for ever: without it every retry waits behind the first call.
    socketTimeout: CALL_TIMEOUT_MS,
    maxRetriesPerRequest: 1,
  })
  // Every call's own rejection says it.
  client.on('error', () => {})
  return createLayerStore({ recordId }, { client, now, random })
}
