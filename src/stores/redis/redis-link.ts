import { Cluster, type DNSLookupFunction, Redis } from 'ioredis'
import type { ScreeningError } from '../../domain/errors.ts'
import { clientReason } from './client-reason.ts'
import type { RedisKind } from './probe-redis.ts'
import { isSignInRefusal, redisError, unavailable } from './redis-errors.ts'
import { type RedisSettings, readTlsFiles } from './redis-settings.ts'
import { parseRedisUrl, type RedisAddress } from './redis-url.ts'

/** One client, and how long its calls may take. */
export type RedisLine = {
  readonly client: Redis | Cluster
  /** Runs one exchange; `doing` names it in the message. Rejects with what redisError makes of a failure. */
  call<T>(doing: string, exchange: () => Promise<T>): Promise<T>
}

/**
 * The clients of one process. A link is made whether Redis answers or not, and connects by itself when it does; nothing
 * waits in a queue meanwhile. Each call settles within CALL_TIMEOUT_MS, whatever the servers do.
 */
export type RedisLink = RedisLine & {
  readonly kind: RedisKind
  readonly shown: string
  readonly ackReplicas: number
  /** For appends that wait for replicas: a WAIT holds up everything behind it on its connection. Else the same client. */
  readonly writer: Redis | Cluster
  isReady(): boolean
  /** A connection of its own for what is large: nothing urgent waits behind it. Each call settles within BULK_TIMEOUT_MS. */
  bulk(): RedisLine
  /** Of a link that lets nothing through until it knows the record (confirm-record.ts): the link below it, and how it is asked anew. */
  readonly unconfirmed?: { readonly link: RedisLink; confirm(): Promise<void> }
  /** True when connected in time. */
  whenReady(timeoutMs: number): Promise<boolean>
  close(): void
}

/**
 * With a frozen master, defaults hang for 25 s; with these a call takes 200 ms at most, and calls succeed again 2.2 to
 * 2.6 s after the freeze with a cluster-node-timeout of 1 s. socketTimeout drops the frozen connection, the refresh finds
 * the new master.
 */
const COMMAND_TIMEOUT_MS = 200
const CONNECT_TIMEOUT_MS = 500
const SLOTS_REFRESH_MS = 500
const RETRY_SOON_MS = 50
/** Redirections and a library to load included. */
const CALL_TIMEOUT_MS = 240
/** 256 KiB at half a megabit a second. */
const BULK_TIMEOUT_MS = 5_000
/** Refused connections are tried again about once a second, with jitter so that nodes do not come in step. */
const RECONNECT_MS = 1_000

export function createRedisLink(settings: RedisSettings, kind: RedisKind): RedisLink {
  const address = parseRedisUrl(settings.url)
  const ackReplicas = settings.ackReplicas ?? 0
  let lastError = 'not connected yet'
  const open = (commandTimeoutMs = COMMAND_TIMEOUT_MS) => {
    const made = createRedisClient(address, settings, kind, commandTimeoutMs)
    const keep = (error: Error & { lastNodeError?: Error }) => {
      lastError = clientReason((error.lastNodeError ?? error).message)
    }
    made.on('error', keep)
    made.on('node error', keep)
    return made
  }
  const client = open()
  const writer = ackReplicas > 0 ? open() : client
  let bulkLine: RedisLine | undefined
  const isReady = () => client.status === 'ready' && writer.status === 'ready'
  return {
    kind,
    shown: address.shown,
    ackReplicas,
    client,
    writer,
    isReady,
    async call(doing, exchange) {
      if (!isReady()) throw notConnected(doing, address.shown, lastError)
      return bounded(CALL_TIMEOUT_MS, doing, exchange)
    },
    bulk() {
      if (bulkLine !== undefined) return bulkLine
      const bulkClient = open(BULK_TIMEOUT_MS)
      bulkLine = {
        client: bulkClient,
        call: async (doing, exchange) => {
          if (!isReady()) throw notConnected(doing, address.shown, lastError)
          await within(CONNECT_TIMEOUT_MS, becomesReady(bulkClient)).catch((cause) => {
            throw redisError(cause, doing)
          })
          return bounded(BULK_TIMEOUT_MS, doing, exchange)
        },
      }
      return bulkLine
    },
    async whenReady(timeoutMs) {
      const ready = Promise.all([client, writer].map(becomesReady)).then(() => true)
      return await within(timeoutMs, ready).catch(() => false)
    },
    close() {
      client.disconnect()
      if (writer !== client) writer.disconnect()
      bulkLine?.client.disconnect()
    },
  }
}

/** A client that connects by itself and keeps nothing waiting; `commandTimeoutMs` bounds each command. */
export function createRedisClient(
  address: RedisAddress,
  settings: RedisSettings,
  kind: RedisKind,
  commandTimeoutMs = COMMAND_TIMEOUT_MS,
): Redis | Cluster {
  const options = {
    ...(address.username ? { username: address.username } : {}),
    ...(address.password === undefined ? {} : { password: address.password }),
    ...(address.isTls ? { tls: readTlsFiles(settings) } : {}),
    protocol: 2,
    connectTimeout: CONNECT_TIMEOUT_MS,
    commandTimeout: commandTimeoutMs,
    socketTimeout: 2 * commandTimeoutMs,
    maxRetriesPerRequest: 1,
    autoResendUnfulfilledCommands: false,
    connectionName: 'zaslon',
  } as const
  if (kind === 'single') {
    const [node] = address.nodes
    return new Redis({
      ...options,
      host: node?.host ?? '',
      port: node?.port ?? 0,
      db: address.database,
      retryStrategy,
      reconnectOnError,
    })
  }
  return new Cluster([...address.nodes], {
    redisOptions: options,
    // Names in certificates are those of redis.url: addresses are not looked up before TLS.
    ...(address.isTls ? { dnsLookup: keepName } : {}),
    slotsRefreshInterval: SLOTS_REFRESH_MS,
    slotsRefreshTimeout: CONNECT_TIMEOUT_MS,
    retryDelayOnFailover: RETRY_SOON_MS,
    retryDelayOnClusterDown: RETRY_SOON_MS,
    clusterRetryStrategy: retryStrategy,
  })
}

const keepName: DNSLookupFunction = (name, found) => found(null, name)

/** Behind one name the master became a replica: the name may stand for another server by now. */
function reconnectOnError(error: Error): boolean {
  return error.message.startsWith('READONLY')
}

function retryStrategy(times: number): number {
  const bound = Math.min(RETRY_SOON_MS * 2 ** Math.min(times, 10), RECONNECT_MS)
  return bound * (0.75 + Math.random() / 2)
}

/** A refused sign-in is no Redis that is away: somebody has to correct the configuration. */
function notConnected(doing: string, shown: string, reason: string): ScreeningError {
  return isSignInRefusal(reason)
    ? redisError(new Error(reason), `the sign-in of this node at ${shown}`)
    : unavailable(doing, `${shown} is not connected (${reason})`)
}

async function bounded<T>(timeoutMs: number, doing: string, exchange: () => Promise<T>): Promise<T> {
  try {
    return await within(timeoutMs, exchange())
  } catch (cause) {
    throw redisError(cause, doing)
  }
}

function becomesReady(client: Redis | Cluster): Promise<void> {
  return client.status === 'ready' ? Promise.resolve() : new Promise((resolve) => client.once('ready', () => resolve()))
}

function within<T>(timeoutMs: number, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs)
    work.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
