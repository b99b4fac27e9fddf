import type { RedisKind } from './probe-redis.ts'
import { createRedisClient } from './redis-link.ts'
import type { RedisSettings } from './redis-settings.ts'
import { parseRedisUrl } from './redis-url.ts'

/**
 * The channel on which nodes tell each other once a second who is busy: PUBLISH and SUBSCRIBE, so Redis keeps nothing and a
 * node that is away misses what is old by the time it is back. In a cluster every server hands a message to all others.
 */
export type ActivityChannel = {
  /** Hands a message to Redis, or drops it (false): not connected, too long, or MESSAGES_IN_FLIGHT_MAX have no answer yet. */
  publish(message: Uint8Array): boolean
  close(): void
}

export type ActivityChannelSettings = {
  readonly redis: RedisSettings
  readonly kind: RedisKind
  readonly recordId: string
}

export type ActivityChannelDependencies = {
  /** A message of any node, this one included; at most MESSAGE_BYTES_MAX long, else anything at all. */
  readonly onMessage: (message: Uint8Array) => void
  /** What Redis said instead, for a log. */
  readonly onFault: (error: Error) => void
}

/** 1,000 rows of 96 bytes and a head. */
export const MESSAGE_BYTES_MAX = 98_304
const MESSAGES_IN_FLIGHT_MAX = 4
/** A second between two messages: an answer that takes longer is that of a server in trouble. */
const PUBLISH_TIMEOUT_MS = 1_000

/** Connections of its own: its messages are large beside facts, and one that subscribes can do nothing else. */
export function openActivityChannel(
  { redis, kind, recordId }: ActivityChannelSettings,
  { onMessage, onFault }: ActivityChannelDependencies,
): ActivityChannel {
  const address = parseRedisUrl(redis.url)
  const open = () => createRedisClient(address, redis, kind, PUBLISH_TIMEOUT_MS)
  const channel = `zaslon:${recordId}:activity`
  const publisher = open()
  const subscriber = open()
  let inFlight = 0
  let isClosed = false
  const report = (error: Error) => {
    if (!isClosed) onFault(error)
  }
  // Both connect again by themselves; what the record says of a Redis that is away is said once, elsewhere.
  publisher.on('error', () => {})
  subscriber.on('error', () => {})
  subscriber.on('messageBuffer', (_channel: Buffer, message: Buffer) => {
    if (message.byteLength <= MESSAGE_BYTES_MAX) onMessage(message)
  })
  // With each new connection: the first attempt may have been lost with the one before it.
  subscriber.on('ready', () => void subscriber.subscribe(channel).catch(report))
  return {
    publish(message) {
      const isTooLong = message.byteLength > MESSAGE_BYTES_MAX
      if (publisher.status !== 'ready' || isTooLong || inFlight >= MESSAGES_IN_FLIGHT_MAX) return false
      inFlight++
      publisher
        .publish(channel, Buffer.from(message.buffer, message.byteOffset, message.byteLength))
        .catch(report)
        .finally(() => inFlight--)
      return true
    },
    close() {
      isClosed = true
      publisher.disconnect()
      subscriber.disconnect()
    },
  }
}
