import type { WebSocket } from 'ws'
import type { VerdictSocket } from './verdict-server.ts'

/** RFC 6455: try again later. Here: you read more slowly than you ask. */
const SLOW_READER = 1013
/** Unread answers of one WebSocket, as in uws.ts. */
const BACKLOG_BYTES_MAX = 256 * 1024
/** A peer that does not answer a close frame is cut off after that. */
const CLOSE_MS_MAX = 2_000

/** A WebSocket connection on ws. */
export class NodeSocket implements VerdictSocket {
  readonly subprotocol: string
  readonly #webSocket: WebSocket
  #isIdle = false

  constructor(webSocket: WebSocket) {
    this.#webSocket = webSocket
    this.subprotocol = webSocket.protocol
    webSocket.on('pong', () => this.noteTraffic())
  }

  /** False once it is closing: what the peer still asks is not answered. */
  get isAnswered(): boolean {
    return this.#webSocket.readyState === this.#webSocket.OPEN
  }

  noteTraffic(): void {
    this.#isIdle = false
  }

  /** Called twice per idle time: nothing heard since the last ping ends the connection. */
  pingOrTerminate(): void {
    if (this.#isIdle) {
      this.#webSocket.terminate()
    } else {
      this.#isIdle = true
      if (this.#webSocket.readyState === this.#webSocket.OPEN) this.#webSocket.ping()
    }
  }

  send(data: string | Uint8Array, isText = typeof data === 'string'): boolean {
    if (this.#webSocket.readyState !== this.#webSocket.OPEN) return false
    // The handler reuses its buffer, ws writes later: copy.
    this.#webSocket.send(typeof data === 'string' ? data : Buffer.from(data), { binary: !isText })
    if (this.#webSocket.bufferedAmount <= BACKLOG_BYTES_MAX) return true
    this.close(SLOW_READER, 'Answers are read too slowly')
    return false
  }

  close(code: number, reason: string): void {
    this.#webSocket.close(code, reason)
    setTimeout(() => this.#webSocket.terminate(), CLOSE_MS_MAX).unref()
  }

  terminate(): void {
    this.#webSocket.terminate()
  }
}
