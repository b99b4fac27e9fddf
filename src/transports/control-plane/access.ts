import { createHash, timingSafeEqual } from 'node:crypto'
import { isIP } from 'node:net'
import { ScreeningError } from '../../domain/errors.ts'
import { isForwardedHeader } from '../forwarded-headers.ts'

/** Roles of API keys as the control plane knows them; `admin` may do everything. */
type ControlRole = 'agent' | 'analyst' | 'metrics' | 'admin'

/** Who may use a route: these roles and `admin`, or anybody. */
export type RouteAccess = readonly ControlRole[] | 'public'

export type AccessKey = {
  /** The actor of everything done with this key. */
  readonly name: string
  /** A role of another plane (`switch`) may do nothing here. */
  readonly role: string
  /** SHA-256 of the key, 64 hexadecimal digits: the key itself is nowhere on this machine. */
  readonly sha256: string
}

export type AccessOptions = {
  /** Empty: everybody on this machine may do everything, and nobody else anything. */
  readonly keys: readonly AccessKey[]
  /** The address we listen on; its name is good in Host besides the loopback names. */
  readonly host: string
}

type AccessRequest = {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly remoteAddress: string
}

/** The actor of writes when no keys are configured. */
const LOCAL_ACTOR = 'local'

export type AccessGate = {
  /** The actor's name. Throws KEY_REQUIRED, KEY_REFUSED or ORIGIN_REFUSED. */
  admit(request: AccessRequest, access: RouteAccess): string
}

const KEY_CHARS_MAX = 512

/**
 * With keys: a bearer key (RFC 6750) decides who it is. Without: only this machine may ask, directly. A web page from
 * elsewhere that a browser on this machine has open (Origin, Sec-Fetch-Site), a name that was rebound to 127.0.0.1
 * (Host), and a proxy that lets the world in (forwarded headers) are refused.
 */
export function createAccessGate(options: AccessOptions): AccessGate {
  const keys = options.keys.map((key) => ({ ...key, digest: Buffer.from(key.sha256, 'hex') }))
  const hosts = new Set(['localhost', '127.0.0.1', '[::1]', withBrackets(options.host)])

  function byKey(request: AccessRequest, access: RouteAccess): string {
    if (access === 'public') return 'anonymous'
    const key = presentedKey(request.headers)
    if (key === undefined) throw new ScreeningError('KEY_REQUIRED', 'This request needs an API key.')
    const digest = createHash('sha256').update(key).digest()
    // Every configured key is compared, so that the time says nothing about which one nearly fitted.
    let found: AccessKey | undefined
    for (const candidate of keys) {
      if (candidate.digest.length === digest.length && timingSafeEqual(candidate.digest, digest)) found = candidate
    }
    if (found === undefined) throw new ScreeningError('KEY_REFUSED', 'The API key is not known.')
    if (found.role !== 'admin' && !access.some((role) => role === found.role)) {
      throw new ScreeningError('KEY_REFUSED', `The role ${found.role} may not do this.`, {
        hint: `This request needs the role ${[...access, 'admin'].join(' or ')}.`,
      })
    }
    return found.name
  }

  function byPlace({ headers, remoteAddress }: AccessRequest): string {
    if (!isLoopbackAddress(remoteAddress)) throw refusal('The request comes from another machine.')
    const host = headers.host
    if (typeof host !== 'string' || !hosts.has(hostName(host))) throw refusal('The Host header names another host.')
    const origin = headers.origin
    if (origin !== undefined && origin !== `http://${host}`)
      throw refusal('The request comes from a page of another origin.')
    const site = headers['sec-fetch-site']
    if (site === 'cross-site' || site === 'same-site') throw refusal('The request comes from a page of another site.')
    const forwarded = Object.keys(headers).find(isForwardedHeader)
    if (forwarded !== undefined) throw refusal(`The header ${forwarded} says that a proxy passed the request on.`)
    return LOCAL_ACTOR
  }

  return { admit: (request, access) => (keys.length === 0 ? byPlace(request) : byKey(request, access)) }
}

/** `Authorization: Bearer <key>` (RFC 6750) or, as on the verdict port, `X-Api-Key: <key>`. */
function presentedKey({ authorization, 'x-api-key': apiKey }: AccessRequest['headers']): string | undefined {
  const header = apiKey ?? authorization
  if (typeof header !== 'string') return undefined
  const key = (apiKey === undefined ? /^Bearer +([\x21-\x7e]+)$/i : /^([\x21-\x7e]+)$/).exec(header)?.[1]
  return key !== undefined && key.length <= KEY_CHARS_MAX ? key : undefined
}

function refusal(detail: string): ScreeningError {
  return new ScreeningError('ORIGIN_REFUSED', `Without API keys only this machine may ask, directly. ${detail}`)
}

function hostName(host: string): string {
  return host.toLowerCase().replace(/:\d{1,5}$/, '')
}

function withBrackets(host: string): string {
  return isIP(host) === 6 ? `[${host}]` : host.toLowerCase()
}

function isLoopbackAddress(address: string): boolean {
  return address === '::1' || /^(?:::ffff:)?127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(address)
}
