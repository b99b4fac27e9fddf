import { createHash, timingSafeEqual } from 'node:crypto'
import { problemResponse } from './problem.ts'
import type { VerdictRequest, VerdictResponse } from './verdict-server.ts'

export type AccessOptions = {
  /** SHA-256 of every key that opens the data plane, as 64 hexadecimal digits. Empty: no key is configured. */
  readonly apiKeyDigests: readonly string[]
  /**
   * Names (without a port) a `Host` header may carry when no key is configured: where we listen, and loopback. This
   * stops web pages that reach us through a name of their own (DNS rebinding).
   */
  readonly allowedHosts: readonly string[]
}

/** Accepted credentials remembered as text; more than that many different ones: forget and start again. */
const REMEMBERED_MAX = 64
const BEARER = /^bearer +/i

/**
 * Who may ask for verdicts. With keys: whoever shows one. Without keys: programs on this machine, so nothing a browser
 * or a proxy sends on behalf of somebody else.
 *
 * @returns the refusal (401 or 403), or undefined when the request may pass
 */
export function createAccessCheck(options: AccessOptions): (request: VerdictRequest) => VerdictResponse | undefined {
  return options.apiKeyDigests.length > 0
    ? createKeyCheck(options.apiKeyDigests.map((digest) => Buffer.from(digest, 'hex')))
    : createLocalCheck(new Set(options.allowedHosts.map((host) => host.toLowerCase())))
}

function createKeyCheck(digests: readonly Buffer[]): (request: VerdictRequest) => VerdictResponse | undefined {
  // SHA-256 costs more than the whole verdict, so credentials that were accepted once are remembered. A Set finds a text
  // by V8's randomly seeded hash and compares characters only with an equal hash: a guess learns nothing from the time.
  const remembered = new Set<string>()
  return (request) => {
    const credential = request.apiKey !== '' ? request.apiKey : request.authorization
    if (credential === '') return keyProblem('The request carries no API key.')
    if (remembered.has(credential)) return undefined
    const key = request.apiKey !== '' ? credential : credential.replace(BEARER, '')
    const presented = createHash('sha256').update(key).digest()
    let isKnown = false
    for (const digest of digests) {
      if (digest.length === presented.length && timingSafeEqual(digest, presented)) isKnown = true
    }
    if (!isKnown) return keyProblem('The API key is not a known one.')
    if (remembered.size >= REMEMBERED_MAX) remembered.clear()
    remembered.add(credential)
    return undefined
  }
}

function keyProblem(detail: string): VerdictResponse {
  const hint = 'Send a data-plane key as "Authorization: Bearer <key>" or "X-Api-Key: <key>".'
  return problemResponse({ code: 'KEY_REQUIRED', detail, hint }, [['www-authenticate', 'Bearer']])
}

function createLocalCheck(allowedHosts: ReadonlySet<string>): (request: VerdictRequest) => VerdictResponse | undefined {
  // A switch sends the same Host header with every call: remember the last one that passed.
  let lastHost: string | undefined
  return (request) => {
    if (request.isForwarded) return originProblem('The request came through a proxy (forwarded headers).')
    // A picture or a link in a page: a GET without an Origin.
    if (request.isForeignSite) return originProblem('The request comes from a page of another site.')
    if (request.host !== lastHost) {
      if (!allowedHosts.has(hostName(request.host))) return originProblem('The Host header names another server.')
      lastHost = request.host
    }
    // Our own origin is the Host the client used; switches send none.
    if (request.origin !== '' && !isSameOrigin(request.origin, request.host)) {
      return originProblem('The request comes from a page of another origin.')
    }
    return undefined
  }
}

function isSameOrigin(origin: string, host: string): boolean {
  return origin === `http://${host}` || origin === `https://${host}`
}

/** `Example.org:8090` → `example.org`, `[::1]:8090` → `[::1]`. */
function hostName(host: string): string {
  return host.toLowerCase().replace(/:\d*$/, '')
}

function originProblem(detail: string): VerdictResponse {
  const hint = 'Without API keys only direct local requests are answered; configure a data-plane key for anything else.'
  return problemResponse({ code: 'ORIGIN_REFUSED', detail, hint })
}
