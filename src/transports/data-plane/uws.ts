/**
 * The verdict port on uWebSockets.js. The only importer of it: whatever it does to a process stays behind this file.
 *
 * Facts it lives with (each has a contract test): the connection limit is kept by a filter, because there is no other
 * hook; headers are limited to 4 KiB and HTTP/1.0 is answered with 505 by the library itself, without a problem document;
 * listening sets SO_REUSEPORT, so threads and processes share a port, and nobody notices a second service that does, too.
 */
import { createRequire } from 'node:module'
import { setTimeout as sleep } from 'node:timers/promises'
import { ScreeningError } from '../../domain/errors.ts'
import { createBodyMemory } from './body-collector.ts'
import { createIterationClock } from './iteration-clock.ts'
import { ensurePortFree } from './port-check.ts'
import { addHeader, createRequestHead, type RequestHead } from './request-head.ts'
import type { UwsApp, UwsBinding, UwsRequest, UwsResponse, UwsWebSocketBehavior } from './uws-binding.ts'
import { createAnswerBuffer, UwsExchange, type UwsExchangeContext } from './uws-exchange.ts'
import { UwsSocket } from './uws-socket.ts'
import type { ListenVerdicts, VerdictHandler, VerdictServer, VerdictServerOptions } from './verdict-server.ts'

/** Unread answers of one WebSocket: about 5,000 binary or 600 JSON ones. Beyond it the peer is a slow reader. */
const BACKLOG_BYTES_MAX = 256 * 1024
/** Requests in flight get that long to finish when the server closes. */
const CLOSE_GRACE_MS = 2_000
/**
 * A connection that is kept alive may have a request on its way when the server closes. Its next one is answered and ends
 * it; who sends nothing for so long is not in the middle of anything. 500 calls a second on 16 connections: one in 30 ms.
 */
const QUIET_MS = 200

export type UwsReport =
  | { readonly isAvailable: true; readonly version: string }
  | { readonly isAvailable: false; readonly problem: string }

type LoadedUws = { readonly binding: UwsBinding; readonly version: string }

const require = createRequire(import.meta.url)
/** Newest first: the newer one has no binary for older Node and glibc. */
const LOADERS: readonly { readonly name: string; readonly load: () => UwsBinding }[] = [
  { name: 'uws-modern', load: () => require('uws-modern') },
  { name: 'uws-legacy', load: () => require('uws-legacy') },
]
let loaded: LoadedUws | { readonly problem: string } | undefined

function loadUws(): LoadedUws | { readonly problem: string } {
  if (loaded !== undefined) return loaded
  const problems: string[] = []
  for (const { name, load } of LOADERS) {
    try {
      loaded = { binding: load(), version: binaryVersion(name) }
      return loaded
    } catch (error) {
      problems.push(`${name}: ${String(error).split('\n')[0]}`)
    }
  }
  loaded = { problem: problems.join('; ') }
  return loaded
}

/** The wrapper package may find the binary of the other one: what counts is the version of the binary. */
function binaryVersion(name: string): string {
  const binary = `@uwsjs/${process.platform}-${process.arch}-${process.versions.node.split('.')[0]}`
  const { version }: { version: string } = createRequire(require.resolve(name))(`${binary}/package.json`)
  return version
}

/** Whether uWebSockets.js runs here, and which build, or why not. */
export function uwsReport(): UwsReport {
  const uws = loadUws()
  return 'problem' in uws ? { isAvailable: false, problem: uws.problem } : { isAvailable: true, version: uws.version }
}

/** Listens with uWebSockets.js. Several threads and processes may listen on one port; the kernel spreads connections. */
export const listenOnUws: ListenVerdicts = async (options, handler, now = Date.now) => {
  const uws = loadUws()
  if ('problem' in uws) {
    throw new ScreeningError('CONFIG_INVALID', `uWebSockets.js does not load here: ${uws.problem}`, {
      hint: 'Use the node adapter, or a Node.js and glibc that the binaries support.',
    })
  }
  const server = new UwsVerdictServer(uws.binding, options, handler, now)
  await server.listen()
  return server
}

class UwsVerdictServer implements VerdictServer {
  readonly adapter = 'uws'
  readonly #binding: UwsBinding
  readonly #options: VerdictServerOptions
  readonly #context: UwsExchangeContext
  readonly #sockets = new Set<UwsSocket>()
  readonly #app: UwsApp
  #connectionCount = 0
  #listenToken: unknown
  #port = 0

  constructor(binding: UwsBinding, options: VerdictServerOptions, handler: VerdictHandler, now: () => number) {
    this.#binding = binding
    this.#options = options
    this.#context = {
      handler,
      receivedMs: createIterationClock(now),
      inFlight: 0,
      isDraining: false,
      answers: createAnswerBuffer(),
      bodies: createBodyMemory(options.bodiesBytesMax),
    }
    // Method and path are known by the route: two calls into the library less for nearly every request.
    const collectPostHead = (request: UwsRequest) => collectHead(request, 'POST', options.verdictPath, '')
    const collectGetHead = (request: UwsRequest) =>
      collectHead(request, 'GET', options.verdictPath, request.getQuery() ?? '')
    this.#app = binding
      .App()
      .filter((response, count) => this.#countConnection(response, count))
      .ws(options.webSocketPath, this.#webSocketBehavior())
      .post(options.verdictPath, (response, request) => {
        new UwsExchange(response, this.#context).begin(request, collectPostHead)
      })
      .get(options.verdictPath, (response, request) => {
        new UwsExchange(response, this.#context).begin(request, collectGetHead)
      })
      .any('/*', (response, request) => {
        new UwsExchange(response, this.#context).begin(request, collectAnyHead)
      })
  }

  get port(): number {
    return this.#port
  }

  async listen(): Promise<void> {
    const { host, port } = this.#options
    this.#app.listen(host, port, (token) => {
      this.#listenToken = token
    })
    if (!this.#listenToken) {
      // uWebSockets.js does not say why; a listen of our own does.
      await ensurePortFree(host, port)
      throw new ScreeningError('PORT_IN_USE', `Port ${port} on ${host} cannot be shared.`, { host, port })
    }
    this.#port = this.#binding.us_socket_local_port(this.#listenToken)
  }

  async close(): Promise<void> {
    if (this.#context.isDraining) return
    this.#context.isDraining = true
    this.#binding.us_listen_socket_close(this.#listenToken)
    for (const socket of [...this.#sockets]) socket.close(1001, 'The server stops')
    const endMs = performance.now() + CLOSE_GRACE_MS
    const quietMs = performance.now() + QUIET_MS
    const isAwaited = (nowMs: number) => this.#context.inFlight > 0 || (this.#connectionCount > 0 && nowMs < quietMs)
    for (let nowMs = 0; isAwaited(nowMs) && nowMs < endMs; nowMs = performance.now()) await sleep(5)
    // One more turn, so that the last answers and close frames leave before the sockets do.
    await sleep(5)
    this.#app.close()
  }

  #countConnection(response: UwsResponse, count: number): void {
    this.#connectionCount += count
    if (count <= 0 || this.#connectionCount <= this.#options.connectionsMax) return
    this.#context.handler.connectionRefused()
    response.close()
  }

  #webSocketBehavior(): UwsWebSocketBehavior {
    const { handler, receivedMs } = this.#context
    return {
      maxPayloadLength: this.#options.webSocketMessageBytesMax,
      maxBackpressure: BACKLOG_BYTES_MAX,
      closeOnBackpressureLimit: false,
      idleTimeout: this.#options.idleTimeoutSeconds,
      sendPingsAutomatically: true,
      upgrade: (response, request, context) => this.#upgrade(response, request, context),
      open: (webSocket) => {
        const socket = webSocket.getUserData().connection
        socket.opened(webSocket)
        this.#sockets.add(socket)
        this.#guarded(socket, () => handler.socketOpened(socket))
      },
      message: (webSocket, data, isBinary) => {
        const socket = webSocket.getUserData().connection
        if (!socket.isAnswered) return
        this.#guarded(socket, () => handler.socketMessage(socket, Buffer.from(data), isBinary, receivedMs()))
      },
      drain: (webSocket) => {
        const socket = webSocket.getUserData().connection
        this.#guarded(socket, () => socket.drained())
      },
      close: (webSocket) => {
        const socket = webSocket.getUserData().connection
        // The filter hears of every connection that opens, but not of one that closes as a WebSocket.
        this.#connectionCount--
        socket.closed()
        this.#sockets.delete(socket)
        this.#guarded(socket, () => handler.socketClosed(socket))
      },
    }
  }

  #upgrade(response: UwsResponse, request: UwsRequest, context: unknown): void {
    new UwsExchange(response, this.#context).beginUpgrade(request, collectAnyHead, (subprotocol) => {
      const key = request.getHeader('sec-websocket-key')
      response.upgrade({ connection: new UwsSocket(subprotocol) }, key, subprotocol, '', context)
    })
  }

  #guarded(socket: UwsSocket, work: () => void): void {
    try {
      work()
    } catch (error) {
      this.#context.handler.faulted(error)
      socket.close(1011, 'The screening failed')
    }
  }
}

/** The head being collected: one visitor for all requests, because collecting is synchronous. */
let collecting: RequestHead = createRequestHead('', '', '')
const visitHeader = (name: string, value: string): void => addHeader(collecting, name, value)

function collectAnyHead(request: UwsRequest): RequestHead {
  return collectHead(request, request.getCaseSensitiveMethod(), request.getUrl(), request.getQuery() ?? '')
}

function collectHead(request: UwsRequest, method: string, path: string, query: string): RequestHead {
  collecting = createRequestHead(method, path, query)
  request.forEach(visitHeader)
  return collecting
}
