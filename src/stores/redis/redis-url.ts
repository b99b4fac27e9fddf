import { ScreeningError } from '../../domain/errors.ts'

/** Where Redis is and how to sign in there. `shown` names the addresses without user and password, for messages. */
export type RedisAddress = {
  readonly nodes: readonly { readonly host: string; readonly port: number }[]
  readonly isTls: boolean
  readonly username?: string
  readonly password?: string
  readonly database: number
  readonly shown: string
}

const DEFAULT_PORT = 6379
const HINT =
  'Set ZASLON_REDIS_URL to redis://[user:password@]host[:port][/database], rediss:// for TLS; name several nodes of a cluster with commas in between.'

/**
 * One URL, or several separated by commas that differ in host and port only. User and password may stand in the first
 * one alone. Throws CONFIG_INVALID, whose message never quotes the text: it may hold a password.
 */
export function parseRedisUrl(text: string): RedisAddress {
  const parts = text.split(',').map((part) => part.trim())
  const urls = parts.map((part, index) => parsePart(part, parts.length > 1 ? ` number ${index + 1}` : ''))
  const [first] = urls
  if (!first) throw invalid('The Redis URL is empty.')
  for (const [index, url] of urls.entries()) {
    const differs =
      url.isTls !== first.isTls ||
      url.database !== first.database ||
      (url.password !== undefined && (url.password !== first.password || url.username !== first.username))
    if (differs) {
      throw invalid(
        `The Redis URL number ${index + 1} differs from the first one in scheme, user, password or database.`,
      )
    }
  }
  const nodes = urls.map(({ host, port }) => ({ host, port }))
  const { isTls, database, username, password } = first
  const signIn = { ...(username ? { username } : {}), ...(password === undefined ? {} : { password }) }
  return { nodes, isTls, database, ...signIn, shown: nodes.map(showNode).join(', ') }
}

export function showNode({ host, port }: { readonly host: string; readonly port: number }): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}

function parsePart(text: string, which: string) {
  let url: URL
  try {
    url = new URL(text)
  } catch {
    throw invalid(`The Redis URL${which} is not a URL.`)
  }
  const isTls = url.protocol === 'rediss:'
  if (!isTls && url.protocol !== 'redis:') {
    throw invalid(`The Redis URL${which} must begin with redis:// or rediss://, got another scheme.`)
  }
  if (url.hostname === '') throw invalid(`The Redis URL${which} names no host.`)
  if (url.search !== '' || url.hash !== '') throw invalid(`The Redis URL${which} has a query or fragment.`)
  const database = /^\/?(\d{0,5})$/.exec(url.pathname)?.[1]
  if (database === undefined) throw invalid(`The Redis URL${which} has a path that is no database number.`)
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const port = url.port === '' ? DEFAULT_PORT : Number(url.port)
  if (port === 0) throw invalid(`The Redis URL${which} has port 0.`)
  const username = decoded(url.username, which)
  const password = url.password === '' ? undefined : decoded(url.password, which)
  return { isTls, host, port, database: Number(database || 0), username, password }
}

function decoded(text: string, which: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw invalid(`The Redis URL${which} has a % in its user or password that must be written as %25.`)
  }
}

function invalid(message: string): ScreeningError {
  return new ScreeningError('CONFIG_INVALID', message, { hint: HINT })
}
