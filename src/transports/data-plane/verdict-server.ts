import type { Problem } from './problem.ts'

/**
 * The port between the verdict protocol and whatever moves bytes. Two adapters meet one contract suite
 * (test/contract/verdict-server.contract.ts): uws.ts (uWebSockets.js) and node.ts (node:http + ws).
 *
 * The adapter owns sockets, limits and HTTP framing: it reads a body up to the limit, refuses conflicting or empty
 * Content-Length and unknown Transfer-Encoding, survives aborts, caps connections. The handler owns meaning: it gets one
 * complete request, answers synchronously and never throws.
 */
export type VerdictRequest = {
  readonly method: string
  /** Without the query. */
  readonly path: string
  /** Raw, without the question mark. */
  readonly query: string
  readonly accept: string
  readonly contentType: string
  readonly authorization: string
  /** The `x-api-key` header. */
  readonly apiKey: string
  readonly host: string
  readonly origin: string
  /** A proxy touched it: a header says so (forwarded-headers.ts). */
  readonly isForwarded: boolean
  /** A browser sends it for a page of another site (Fetch Metadata, `Sec-Fetch-Site`). */
  readonly isForeignSite: boolean
  /** Present when the path takes a body and the client sent one; valid during the call only. */
  readonly body: Uint8Array | undefined
  /** Server time when the loop iteration that read the request began, epoch milliseconds: the deadline counts from here. */
  readonly receivedMs: number
}

export type VerdictResponse = {
  readonly status: number
  readonly contentType: string
  /** As UTF-8 it is valid until the handler is asked again. */
  readonly body: string | Uint8Array
  /** Extra headers, name then value. */
  readonly headers?: readonly (readonly [string, string])[]
}

/** One WebSocket connection as the handler sees it: the same object from socketOpened to socketClosed. */
export type VerdictSocket = {
  readonly subprotocol: string
  /** Bytes are a binary message unless they are said to be text; they are valid during the call only. Returns false when the peer reads too slowly: the handler stops sending and the adapter closes with 1013. */
  send(data: string | Uint8Array, isText?: boolean): boolean
  close(code: number, reason: string): void
}

export type VerdictHandler = {
  /** Body limit of a POST to this path in bytes; 0: no such path takes a body. */
  bodyBytesMax(path: string): number
  /**
   * Why this client may not come in, or undefined. The adapter asks once for every request and upgrade, when the head is
   * there and no body has been read.
   */
  refuse(request: VerdictRequest): VerdictResponse | undefined
  /** Answers a request that was not refused: it does not ask who the client is. */
  handle(request: VerdictRequest): VerdictResponse
  /** The answer to what the adapter refuses itself (framing, size, upgrade): counts it as refused. */
  refusal(problem: Problem): VerdictResponse
  /** A connection beyond `connectionsMax` was closed: counts it. */
  connectionRefused(): void
  /** Something threw that must not: counts and reports it, returns the 500 the client gets. */
  faulted(error: unknown): VerdictResponse
  /** The subprotocols offered, in the client's order, to the one spoken, or undefined to refuse with 400. */
  chooseSubprotocol(offered: readonly string[]): string | undefined
  socketOpened(socket: VerdictSocket): void
  /** `data` is valid during the call only. */
  socketMessage(socket: VerdictSocket, data: Uint8Array, isBinary: boolean, receivedMs: number): void
  socketClosed(socket: VerdictSocket): void
}

export type VerdictServerOptions = {
  readonly host: string
  readonly port: number
  /** Beyond it new connections are closed at once. */
  readonly connectionsMax: number
  /** A POST or GET to this path has a way of its own where that is cheaper; the query of a POST is not read. */
  readonly verdictPath: string
  readonly webSocketPath: string
  readonly webSocketMessageBytesMax: number
  readonly idleTimeoutSeconds: number
  /** Memory for all bodies that are not complete yet, together; beyond it they get 503. BODIES_BYTES_MAX when absent. */
  readonly bodiesBytesMax?: number
}

export type VerdictServer = {
  readonly adapter: 'uws' | 'node'
  readonly port: number
  /** Stops accepting, lets requests in flight finish, closes sockets with 1001. */
  close(): Promise<void>
}

/**
 * Rejects with PORT_IN_USE when another service holds the port. On uWebSockets.js several threads and processes may
 * share one port, named by number: one the system chose (0) is not shared.
 */
export type ListenVerdicts = (
  options: VerdictServerOptions,
  handler: VerdictHandler,
  /** Epoch milliseconds, by which requests are stamped. */
  now?: () => number,
) => Promise<VerdictServer>
