import type { UwsWebSocket } from './uws-binding.ts'
import type { VerdictSocket } from './verdict-server.ts'

/** RFC 6455: try again later. Here: you read more slowly than you ask. */
const SLOW_READER = 1013
/** What a slow reader gets to read the rest and the reason; then its connection is cut. */
const SLOW_READER_MS_MAX = 2_000

/**
 * A WebSocket connection on uWebSockets.js. Any use of a closed one throws there, so this remembers. `end` runs the close
 * handler at once, and the library cuts the connection after about four seconds when the peer does not close. With
 * answers still unread the close frame would be lost on the way: a slow reader is told when it has read the rest.
 */
export class UwsSocket implements VerdictSocket {
  readonly subprotocol: string
  #webSocket: UwsWebSocket | undefined
  #cutting: NodeJS.Timeout | undefined

  constructor(subprotocol: string) {
    this.subprotocol = subprotocol
  }

  /** False for a slow reader: what it still asks is not answered. */
  get isAnswered(): boolean {
    return this.#webSocket !== undefined && this.#cutting === undefined
  }

  opened(webSocket: UwsWebSocket): void {
    this.#webSocket = webSocket
  }

  /** Some of what waited for the peer has left. */
  drained(): void {
    if (this.#cutting !== undefined && this.#webSocket?.getBufferedAmount() === 0) {
      this.close(SLOW_READER, 'Answers are read too slowly')
    }
  }

  closed(): void {
    clearTimeout(this.#cutting)
    this.#webSocket = undefined
  }

  send(data: string | Uint8Array, isText = typeof data === 'string'): boolean {
    if (this.#webSocket === undefined || this.#cutting !== undefined) return false
    // 2: dropped, because the peer left more unread than maxBackpressure allows.
    if (this.#webSocket.send(data, !isText, false) !== 2) return true
    this.#cutting = setTimeout(() => this.#webSocket?.close(), SLOW_READER_MS_MAX)
    return false
  }

  close(code: number, reason: string): void {
    this.#webSocket?.end(code, reason)
  }
}
