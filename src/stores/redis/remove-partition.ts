import { ScreeningError } from '../../domain/errors.ts'
import { PARTITIONS } from '../fact.ts'
import { layerCounterKey, layerKeys, partitionKeys, RECORD_KEY } from './keys.ts'
import { createLayerStore } from './layer-store.ts'
import type { RedisLink } from './redis-link.ts'

/**
 * Removes what Redis has of a partition, whatever it is, and resolves with the greatest epoch that was there (0: none).
 * The ids of its facts are forgotten when it is made again.
 */
export async function removePartition(link: RedisLink, recordId: string, partition: number): Promise<number> {
  const { head, facts, epochs, segments, segment } = partitionKeys(recordId, partition)
  const doing = `removing partition ${partition}`
  const ask = <T>(exchange: () => Promise<T>, otherwise: T) => link.call(doing, exchange).catch(orElse(otherwise))
  const last = await ask(() => link.client.hget(head, 'epoch'), null)
  const [newest] = await ask(() => link.client.zrevrange(epochs, 0, 0), [])
  // The head first: without it nobody reads or appends what is left.
  await link.call(doing, () => link.client.unlink(head))
  for (const from of await ask(() => link.client.zrange(segments, 0, '-1'), [])) {
    await link.call(doing, () => link.client.unlink(`${segment}:${from}`))
  }
  await link.call(doing, () => link.client.unlink(facts, epochs, segments))
  return Math.max(0, ...[last, newest].map(Number).filter(Number.isSafeInteger))
}

/** The id of the record that Redis holds. */
export async function recordIn(link: RedisLink): Promise<string | undefined> {
  const found = await link.call('looking for a record', () => link.client.hget(RECORD_KEY, 'recordId'))
  return found ?? undefined
}

/** Somebody may have removed it too, and begun another record since. */
const UNLINK_RECORD = `
if redis.call('HGET', KEYS[1], 'recordId') ~= ARGV[1] then return 0 end
return redis.call('UNLINK', KEYS[1])`

/** Takes another record than `recordId` out of Redis, its key last, so that it can be said again. */
export async function removeOtherRecord(own: RedisLink, recordId: string): Promise<void> {
  const link = own.unconfirmed?.link ?? own
  const doing = 'removing another record'
  const found = await recordIn(link)
  if (found === undefined || found === recordId) return
  for (let partition = 0; partition < PARTITIONS; partition++) await removePartition(link, found, partition)
  await removeLayers(link, found)
  await link.call(doing, () => link.client.unlink(layerCounterKey(found)))
  await link.call(doing, () => link.client.eval(UNLINK_RECORD, 1, RECORD_KEY, found))
  await own.unconfirmed?.confirm()
}

/** All of them, also those that are being pushed: nobody has a use for them any more. */
async function removeLayers(link: RedisLink, recordId: string): Promise<void> {
  const store = createLayerStore({ recordId }, { client: link.client, random: Math.random })
  await store.sweep(new Set(), Number.NEGATIVE_INFINITY)
  const { layers, wanted } = layerKeys(recordId)
  await link.call('removing the layers of another record', () => link.client.unlink(layers, wanted))
}

/** A key of another type has nothing to tell. */
function orElse<T>(otherwise: T): (error: unknown) => T {
  return (error) => {
    if (error instanceof ScreeningError && error.code === 'STORAGE_FAILED') return otherwise
    throw error
  }
}
