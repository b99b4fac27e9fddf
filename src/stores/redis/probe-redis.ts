import { ScreeningError } from '../../domain/errors.ts'
import { type Asked, askRedis } from './ask-redis.ts'
import { type RedisSettings, readTlsFiles } from './redis-settings.ts'
import { parseRedisUrl, type RedisAddress, showNode } from './redis-url.ts'

/** One server with everything in it, or a Redis Cluster. A caller remembers it for a start while Redis is away. */
export type RedisKind = 'single' | 'cluster'

/** What an address of redis.url said about itself. `appendfsync` is empty when it was not asked for, or the user may not. */
export type RedisProbe = {
  readonly kind: RedisKind
  readonly version: string
  readonly hasAof: boolean
  readonly appendfsync: string
  readonly maxmemoryBytes: number
  readonly maxmemoryPolicy: string
  /** Connected to the server that answered; of a cluster, the replicas of that node alone. */
  readonly replicas: number
}

/** `asksFsync`: with CONFIG GET, which would show its user the passwords of others: for people, never needed by a node. */
export type ProbeOptions = { readonly asksFsync: boolean }

/** Functions came with 7.0. */
const VERSION_MAJOR_MIN = 7
/** A server on another continent answers in a third of it. */
const PROBE_TIMEOUT_MS = 1_000

const SIGN_IN = /^-(?:WRONGPASS|NOAUTH|NOPERM)\b/
const UNKNOWN_CA = /SELF_SIGNED|UNABLE_TO_(?:VERIFY|GET_ISSUER)|CERT_UNTRUSTED|CERT_SIGNATURE_FAILURE/
const NO_TLS = /ERR_SSL_WRONG_VERSION_NUMBER|ERR_SSL_PACKET_LENGTH|EPROTO|ERR_SSL_NO_/

/**
 * Asks every address of `settings.url`. Rejects with CONFIG_INVALID when one of them is not what Zaslon can keep its record
 * in (the message says what was tried and what came back, never the password), and with UNAVAILABLE when none answers.
 */
export async function probeRedis(
  settings: RedisSettings,
  how: ProbeOptions = { asksFsync: false },
): Promise<RedisProbe> {
  const address = parseRedisUrl(settings.url)
  const found = await Promise.all(address.nodes.map((node) => probeNode(address, node, settings, how)))
  const probes = found.filter((one): one is RedisProbe & { isReplica: boolean } => !(one instanceof ScreeningError))
  for (const one of found) if (one instanceof ScreeningError && one.code !== 'UNAVAILABLE') throw one
  const [first] = probes
  if (!first) {
    const reasons = found.map((one) => (one instanceof ScreeningError ? one.message : '')).join(' ')
    const hint = 'Start Redis, or correct ZASLON_REDIS_URL.'
    throw new ScreeningError('UNAVAILABLE', reasons, { hint })
  }
  const isCluster = first.kind === 'cluster'
  if (probes.some(({ kind }) => kind !== first.kind) || (!isCluster && address.nodes.length > 1)) {
    const message = `redis.url names several addresses (${address.shown}), which are no Redis Cluster together.`
    throw invalid(message, 'Name the one master, or nodes of one cluster.')
  }
  if (isCluster && address.database !== 0) {
    throw invalid(
      `${address.shown} is a Redis Cluster, which has database 0 only, got ${address.database}.`,
      'Take the number off the URL.',
    )
  }
  if (!isCluster && first.isReplica) {
    throw invalid(`${address.shown} is a replica, which takes no writes.`, 'Name its master in ZASLON_REDIS_URL.')
  }
  const { isReplica: _, ...probe } = first
  return probe
}

type Node = RedisAddress['nodes'][number]

async function probeNode(
  address: RedisAddress,
  node: Node,
  settings: RedisSettings,
  { asksFsync }: ProbeOptions,
): Promise<(RedisProbe & { isReplica: boolean }) | ScreeningError> {
  const { username, password } = address
  const signIn = password === undefined ? [] : [['AUTH', ...(username ? [username] : []), password]]
  const files = address.isTls ? { tls: readTlsFiles(settings) } : {}
  const commands = [...signIn, ['INFO'], ...(asksFsync ? [['CONFIG', 'GET', 'appendfsync']] : [])]
  const asked = await askRedis({ ...node, ...files, commands, timeoutMs: PROBE_TIMEOUT_MS })
  const where = showNode(node)
  if (asked.kind !== 'answered') {
    // A Redis without TLS takes the handshake for the beginning of a command and waits for more.
    const isWaiting = address.isTls && asked.kind === 'failed' && asked.code === 'ETIMEDOUT'
    if (
      isWaiting &&
      (await askRedis({ ...node, commands: [['PING']], timeoutMs: PROBE_TIMEOUT_MS })).kind === 'answered'
    )
      return invalid(`${where} does not speak TLS.`, 'Use redis:// instead of rediss://.')
    return noAnswer(asked, where, address.isTls)
  }
  const refused = asked.replies.slice(0, signIn.length + 1).find((reply) => reply.startsWith('-'))
  if (refused !== undefined) return refusal(refused, where)
  const replies = asked.replies.slice(signIn.length)
  return readProbe(replies[0] ?? '', replies[1] ?? '', where)
}

function readProbe(info: string, fsync: string, where: string): (RedisProbe & { isReplica: boolean }) | ScreeningError {
  const field = (name: string) => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1] ?? ''
  const version = field('redis_version')
  if (version === '')
    return invalid(`${where} answers INFO without redis_version.`, 'Name a Redis in ZASLON_REDIS_URL.')
  if (Number(version.split('.')[0]) < VERSION_MAJOR_MIN) {
    return invalid(`${where} is Redis ${version}, at least ${VERSION_MAJOR_MIN}.0 is needed.`, 'Upgrade Redis.')
  }
  const maxmemoryBytes = Number(field('maxmemory') || 0)
  const maxmemoryPolicy = field('maxmemory_policy')
  if (maxmemoryBytes > 0 && maxmemoryPolicy !== 'noeviction') {
    const message = `${where} throws data away when its memory is full (maxmemory-policy ${maxmemoryPolicy}), which would lose facts.`
    return invalid(message, 'Set maxmemory-policy noeviction in redis.conf.')
  }
  return {
    kind: field('cluster_enabled') === '1' ? 'cluster' : 'single',
    version,
    hasAof: field('aof_enabled') === '1',
    appendfsync: fsync.startsWith('-') ? '' : (fsync.split('\n')[1] ?? ''),
    maxmemoryBytes,
    maxmemoryPolicy,
    replicas: Number(field('connected_slaves') || 0),
    isReplica: field('role') === 'slave',
  }
}

function refusal(reply: string, where: string): ScreeningError {
  const text = reply.slice(1)
  if (SIGN_IN.test(reply)) {
    const hint =
      'Correct user and password in ZASLON_REDIS_URL (redis://user:password@host), or the rights of that user (ACL).'
    return invalid(`${where} refuses the sign-in: ${text}.`.replace('..', '.'), hint)
  }
  if (/^-ERR .*without any password/.test(reply)) {
    return invalid(
      `${where} has no password, but ZASLON_REDIS_URL gives one.`,
      'Take it off, or set requirepass in redis.conf.',
    )
  }
  if (/^-(?:LOADING|MASTERDOWN|BUSY|ERR max number of clients)/.test(reply)) {
    return new ScreeningError('UNAVAILABLE', `${where} answers ${text}`)
  }
  return invalid(`${where} refuses INFO: ${text}`, 'Name a Redis of version 7.0 or newer in ZASLON_REDIS_URL.')
}

function noAnswer(asked: Exclude<Asked, { kind: 'answered' }>, where: string, isTls: boolean): ScreeningError {
  if (asked.kind === 'failed') {
    if (isTls && UNKNOWN_CA.test(asked.code)) {
      const hint = 'Name the certificate authority of Redis in ZASLON_REDIS_CA_FILE.'
      return invalid(`The certificate of ${where} is not trusted: ${asked.reason}.`, hint)
    }
    if (isTls && asked.code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
      return invalid(
        `The certificate of ${where} is for another name: ${asked.reason}`,
        'Set redis.serverName to a name in it.',
      )
    }
    if (isTls && NO_TLS.test(asked.code)) {
      return invalid(`${where} does not speak TLS: ${asked.reason.trim()}`, 'Use redis:// instead of rediss://.')
    }
    if (isTls && /^ERR_(?:SSL|OSSL|TLS)/.test(asked.code)) {
      return invalid(`TLS with ${where} failed: ${asked.reason.trim()}`, 'Look at redis.caFile, certFile and keyFile.')
    }
    return new ScreeningError('UNAVAILABLE', `${where} cannot be reached: ${asked.reason}.`)
  }
  if (asked.kind === 'foreign') {
    const tls = isTls ? '' : ' (or is a Redis that wants TLS: then use rediss://)'
    return invalid(`${where} answers, but is not a Redis${tls}.`, 'Correct host and port in ZASLON_REDIS_URL.')
  }
  if (asked.kind === 'closed') {
    const hint = isTls
      ? 'Use redis:// when it has no TLS; when it wants a client certificate, set redis.certFile and redis.keyFile.'
      : 'Use rediss:// when it wants TLS.'
    return invalid(`${where} closes the connection without an answer.`, hint)
  }
  return new ScreeningError(
    'UNAVAILABLE',
    `${where} accepts connections, but does not answer within ${PROBE_TIMEOUT_MS} ms.`,
  )
}

function invalid(message: string, hint: string): ScreeningError {
  return new ScreeningError('CONFIG_INVALID', message, { hint })
}
