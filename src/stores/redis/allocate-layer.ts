import { callFunction } from './call-function.ts'
import { layerCounterKey } from './keys.ts'
import { damaged } from './redis-errors.ts'
import type { RedisLink } from './redis-link.ts'

/** Keys of lists.mdb have 32 bits for it. */
const LAYER_ID_MAX = 2 ** 32 - 1

/** `max(counter, known) + 1`: `known` covers a counter that a failover set back. Rejects with RECORD_DAMAGED. */
export async function allocateLayer(link: RedisLink, recordId: string, known: number): Promise<number> {
  const key = layerCounterKey(recordId)
  const layerId = Number(
    await callFunction(link, 'layer', 'reserving a layer id', { keys: [key], args: [String(known)] }),
  )
  if (Number.isSafeInteger(layerId) && layerId > known && layerId <= LAYER_ID_MAX) return layerId
  throw damaged(key, 'counts beyond what a layer id can be')
}
