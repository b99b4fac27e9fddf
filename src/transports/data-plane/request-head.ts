import { isForwardedHeader } from '../forwarded-headers.ts'
import type { Problem } from './problem.ts'
import type { VerdictRequest } from './verdict-server.ts'

/**
 * The head of a request, collected header by header. Both adapters feed it every header line as the client sent it,
 * because what HTTP libraries fold away is what request smuggling hides in: a second Content-Length, an empty one, a
 * Transfer-Encoding that only looks like `chunked`.
 */
export type RequestHead = { -readonly [field in keyof VerdictRequest]: VerdictRequest[field] } & {
  contentLength: string
  contentLengthCount: number
  transferEncoding: string
  transferEncodingCount: number
  /** A header that must stand once stood twice. */
  isAmbiguous: boolean
}

/** A head without headers; `body` and `receivedMs` are set when the request is complete, and it is a VerdictRequest then. */
export function createRequestHead(method: string, path: string, query: string): RequestHead {
  return {
    method,
    path,
    query,
    accept: '',
    contentType: '',
    authorization: '',
    apiKey: '',
    host: '',
    origin: '',
    isForwarded: false,
    isForeignSite: false,
    contentLength: '',
    contentLengthCount: 0,
    transferEncoding: '',
    transferEncodingCount: 0,
    isAmbiguous: false,
    body: undefined,
    receivedMs: 0,
  }
}

/** Notes one header line; `name` in lower case. */
export function addHeader(head: RequestHead, name: string, value: string): void {
  switch (name) {
    case 'content-length':
      head.contentLength = value
      head.contentLengthCount++
      return
    case 'content-type':
      head.contentType = value
      return
    case 'accept':
      head.accept = value
      return
    case 'transfer-encoding':
      head.transferEncoding = value
      head.transferEncodingCount++
      return
    case 'host':
      if (head.host !== '') head.isAmbiguous = true
      head.host = value
      return
    case 'authorization':
      if (head.authorization !== '') head.isAmbiguous = true
      head.authorization = value
      return
    case 'x-api-key':
      if (head.apiKey !== '') head.isAmbiguous = true
      head.apiKey = value
      return
    case 'origin':
      if (head.origin !== '') head.isAmbiguous = true
      head.origin = value
      return
    case 'sec-fetch-site':
      head.isForeignSite = value === 'cross-site' || value === 'same-site'
      return
    default:
      if (isForwardedHeader(name)) head.isForwarded = true
  }
}

/** True when a body follows the head. */
export function announcesBody(head: RequestHead): boolean {
  return head.transferEncodingCount > 0 || (head.contentLengthCount > 0 && head.contentLength !== '0')
}

/**
 * Why the length of this request cannot be trusted (RFC 9112 section 6.3), or undefined. The connection must close after
 * it: two readers could disagree about where the next request begins.
 */
export function framingProblem(head: RequestHead): Problem | undefined {
  if (head.contentLengthCount > 1) {
    return invalid('Content-Length stands more than once.', 'Send exactly one Content-Length.')
  }
  if (head.contentLengthCount === 1 && !/^\d{1,15}$/.test(head.contentLength)) {
    return invalid('Content-Length is not a plain number.', 'Send the body length in bytes as decimal digits.')
  }
  if (head.transferEncodingCount > 0) {
    if (head.contentLengthCount > 0) {
      return invalid('Content-Length and Transfer-Encoding stand together.', 'Send one of them.')
    }
    if (head.transferEncodingCount > 1 || head.transferEncoding.trim().toLowerCase() !== 'chunked') {
      return invalid('Transfer-Encoding is something other than chunked.', 'Use chunked, or send a Content-Length.')
    }
  }
  if (head.isAmbiguous) {
    return invalid('Host, Origin, Authorization or X-Api-Key stands more than once.', 'Send each of them once.')
  }
  return undefined
}

function invalid(detail: string, hint: string): Problem {
  return { code: 'HEADER_INVALID', detail, hint }
}
