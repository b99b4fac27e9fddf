import { problemResponse } from './problem.ts'
import type { VerdictResponse } from './verdict-server.ts'

/** The Sec-WebSocket-Protocol header as names in the client's order. */
export function offeredSubprotocols(header: string): readonly string[] {
  return header
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
}

/** The answer to an upgrade without a subprotocol we speak. */
export const UPGRADE_REFUSED: VerdictResponse = problemResponse({
  code: 'HEADER_INVALID',
  detail: 'The WebSocket upgrade offers no subprotocol that is spoken here.',
  hint: 'Use WebSocket version 13 and offer zaslon.json.v1 or zaslon.bin.v1 in Sec-WebSocket-Protocol.',
})
