import type { UwsSocket } from './uws-socket.ts'

/**
 * The part of uWebSockets.js we use, as we use it. Its own declarations differ between the two versions we load, and
 * theirs allow what would bring the process down.
 */
export type UwsRequest = {
  getHeader(lowerCaseName: string): string
  getCaseSensitiveMethod(): string
  getUrl(): string
  getQuery(): string | undefined
  forEach(visit: (name: string, value: string) => void): void
}

/** Valid until it is ended or its abort handler ran; touching it later throws. */
export type UwsResponse = {
  onAborted(handler: () => void): UwsResponse
  /** The chunk is detached when the handler returns. */
  onData(handler: (chunk: ArrayBuffer, isLast: boolean) => void): UwsResponse
  onWritable(handler: (offset: number) => boolean): UwsResponse
  cork(write: () => void): UwsResponse
  writeStatus(status: string): UwsResponse
  writeHeader(name: string, value: string): UwsResponse
  end(body?: string | Uint8Array, closeConnection?: boolean): UwsResponse
  endWithoutBody(): UwsResponse
  /** Answers [all was taken by the kernel or fits a small buffer, the response is complete]. */
  tryEnd(body: string | Uint8Array, totalBytes: number): [boolean, boolean]
  upgrade(userData: UwsUserData, key: string, subprotocol: string, extensions: string, context: unknown): void
  close(): UwsResponse
}

export type UwsUserData = { readonly connection: UwsSocket }

export type UwsWebSocket = {
  /** 1 sent, 0 buffered, 2 dropped: the buffer limit is reached. */
  send(data: string | Uint8Array, isBinary: boolean, compress: boolean): number
  end(code: number, reason: string): void
  getBufferedAmount(): number
  close(): void
  getUserData(): UwsUserData
}

export type UwsWebSocketBehavior = {
  readonly maxPayloadLength: number
  readonly maxBackpressure: number
  readonly closeOnBackpressureLimit: boolean
  readonly idleTimeout: number
  readonly sendPingsAutomatically: boolean
  readonly upgrade: (response: UwsResponse, request: UwsRequest, context: unknown) => void
  readonly open: (webSocket: UwsWebSocket) => void
  readonly message: (webSocket: UwsWebSocket, data: ArrayBuffer, isBinary: boolean) => void
  readonly drain: (webSocket: UwsWebSocket) => void
  readonly close: (webSocket: UwsWebSocket) => void
}

export type UwsApp = {
  post(pattern: string, handler: (response: UwsResponse, request: UwsRequest) => void): UwsApp
  get(pattern: string, handler: (response: UwsResponse, request: UwsRequest) => void): UwsApp
  any(pattern: string, handler: (response: UwsResponse, request: UwsRequest) => void): UwsApp
  ws(pattern: string, behavior: UwsWebSocketBehavior): UwsApp
  /** Called with 1 for every connection that opens and -1 for every one that closes as HTTP: not as a WebSocket. */
  filter(handler: (response: UwsResponse, count: number) => void): UwsApp
  listen(host: string, port: number, listening: (token: unknown) => void): UwsApp
  /** Closes every socket at once. */
  close(): UwsApp
}

export type UwsBinding = {
  App(): UwsApp
  us_listen_socket_close(token: unknown): void
  us_socket_local_port(token: unknown): number
}
