import { callFunction } from './call-function.ts'
import { layerCounterKey } from './keys.ts'
import type { RedisLink } from './redis-link.ts'

/** `max(counter, known) + 1`: `known` covers a counter that a failover set back. */
export async function allocateLayer(link: RedisLink, recordId: string, known: number): Promise<number> {
  const keys = [layerCounterKey(recordId)]
  return Number(await callFunction(link, 'layer', 'reserving a layer id', { keys, args: [String(known)] }))
}
