import type { VerdictSocket } from './verdict-server.ts'

/** One subprotocol of WS /v1/calls. */
export type SocketProtocol = {
  opened(socket: VerdictSocket): void
  message(socket: VerdictSocket, data: Uint8Array, isBinary: boolean, receivedMs: number): void
  closed(socket: VerdictSocket): void
}

/** RFC 6455 section 7.4.1. */
export const CLOSE_CODE = { unsupportedData: 1003, policy: 1008, tooBig: 1009 } as const
