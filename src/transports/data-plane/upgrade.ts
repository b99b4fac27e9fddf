import type { Problem } from './problem.ts'
import { announcesBody, framingProblem, type RequestHead } from './request-head.ts'
import type { VerdictHandler, VerdictResponse } from './verdict-server.ts'

/** 16 bytes in base64 (RFC 6455 section 4.2.1). */
const KEY = /^[+/0-9A-Za-z]{22}==$/

/**
 * What becomes of a GET on the WebSocket path that asks for an upgrade: the subprotocol to speak, or a refusal. The
 * connection closes after a refusal: a client that takes it for a WebSocket would have its frames read as requests.
 */
export function judgeUpgrade(
  head: RequestHead,
  headerOf: (lowerCaseName: string) => string,
  handler: VerdictHandler,
): string | VerdictResponse {
  const problem = framingProblem(head) ?? handshakeProblem(head, headerOf)
  if (problem !== undefined) return handler.refusal(problem)
  const offered = offeredSubprotocols(headerOf('sec-websocket-protocol'))
  return handler.refuse(head) ?? handler.chooseSubprotocol(offered) ?? handler.refusal(NOTHING_SPOKEN)
}

/** uWebSockets.js looks at the key alone, ws at everything but the body. */
function handshakeProblem(head: RequestHead, headerOf: (lowerCaseName: string) => string): Problem | undefined {
  // What follows would be a body to one reader and frames to another.
  if (announcesBody(head)) return { code: 'HEADER_INVALID', detail: 'A WebSocket upgrade has no body.', hint: HINT }
  const isHandshake =
    headerOf('upgrade').toLowerCase() === 'websocket' &&
    /\bupgrade\b/i.test(headerOf('connection')) &&
    headerOf('sec-websocket-version') === '13' &&
    KEY.test(headerOf('sec-websocket-key'))
  return isHandshake ? undefined : NO_HANDSHAKE
}

/** The Sec-WebSocket-Protocol header as names in the client's order. */
function offeredSubprotocols(header: string): readonly string[] {
  return header
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
}

const HINT = 'Open it with a WebSocket client, version 13, and offer zaslon.json.v1 or zaslon.bin.v1.'
const NO_HANDSHAKE: Problem = {
  code: 'HEADER_INVALID',
  detail: 'The request is not a WebSocket handshake of version 13.',
  hint: HINT,
}
const NOTHING_SPOKEN: Problem = {
  code: 'HEADER_INVALID',
  detail: 'The WebSocket upgrade offers no subprotocol that is spoken here.',
  hint: HINT,
}
