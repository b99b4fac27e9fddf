import type { UwsWebSocket } from './uws-binding.ts'
import type { VerdictSocket } from './verdict-server.ts'

/** RFC 6455: try again later. Here: you read more slowly than you ask. */
const SLOW_READER = 1013

/** A WebSocket connection on uWebSockets.js. Any use of a closed one throws there, so this remembers. */
export class UwsSocket implements VerdictSocket {
  readonly subprotocol: string
  #webSocket: UwsWebSocket | undefined

  constructor(subprotocol: string) {
    this.subprotocol = subprotocol
  }

  opened(webSocket: UwsWebSocket): void {
    this.#webSocket = webSocket
  }

  closed(): void {
    this.#webSocket = undefined
  }

  send(data: string | Uint8Array): boolean {
    if (this.#webSocket === undefined) return false
    // 2: dropped, because the peer left more unread than maxBackpressure allows.
    if (this.#webSocket.send(data, typeof data !== 'string', false) !== 2) return true
    this.close(SLOW_READER, 'Answers are read too slowly')
    return false
  }

  close(code: number, reason: string): void {
    this.#webSocket?.end(code, reason)
  }
}
