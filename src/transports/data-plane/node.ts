/**
 * The verdict port on node:http and ws: runs wherever Node runs, and is the oracle the other adapter is held against.
 *
 * One process, one thread: on Node 20 two threads or processes cannot share a port (EADDRINUSE), so a verdict process on
 * this adapter has one verdict thread. It keeps what uWebSockets.js cannot do otherwise: HTTP/1.0 gets 505, headers
 * end at 4 KiB.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import { listenError } from '../listen-error.ts'
import {
  BodyCollector,
  type BodyMemory,
  bodyTooLarge,
  createBodyMemory,
  DISCARDED_BYTES_MAX,
} from './body-collector.ts'
import { createIterationClock } from './iteration-clock.ts'
import { headersOf, keptBody, refuse, refuseUnreadable, writeRaw } from './node-answer.ts'
import { NodeSocket } from './node-socket.ts'
import type { Problem } from './problem.ts'
import { readAgain } from './read-again.ts'
import { addHeader, announcesBody, createRequestHead, framingProblem, type RequestHead } from './request-head.ts'
import { judgeUpgrade } from './upgrade.ts'
import { UpgradeTurns } from './upgrade-turns.ts'
import type {
  ListenVerdicts,
  VerdictHandler,
  VerdictResponse,
  VerdictServer,
  VerdictServerOptions,
} from './verdict-server.ts'

const HEADER_BYTES_MAX = 4 * 1024
/** As uWebSockets.js: a request must come in within that. */
const REQUEST_TIMEOUT_MS = 10_000
const CLOSE_GRACE_MS = 2_000

/** Listens with node:http. Rejects with PORT_IN_USE when anybody holds the port. */
export const listenOnNode: ListenVerdicts = async (options, handler, now = Date.now) => {
  const server = new NodeVerdictServer(options, handler, now)
  await server.listen()
  return server
}

class NodeVerdictServer implements VerdictServer {
  readonly adapter = 'node'
  readonly #options: VerdictServerOptions
  readonly #handler: VerdictHandler
  readonly #receivedMs: () => number
  readonly #server: Server
  readonly #webSockets: WebSocketServer
  readonly #sockets = new Set<NodeSocket>()
  readonly #turns = new UpgradeTurns()
  readonly #bodies: BodyMemory
  readonly #pinging: NodeJS.Timeout
  #isDraining = false
  #port = 0

  constructor(options: VerdictServerOptions, handler: VerdictHandler, now: () => number) {
    this.#receivedMs = createIterationClock(now)
    this.#options = options
    this.#handler = handler
    this.#bodies = createBodyMemory(options.bodiesBytesMax)
    this.#server = createServer({
      maxHeaderSize: HEADER_BYTES_MAX,
      requestTimeout: REQUEST_TIMEOUT_MS,
      headersTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: options.idleTimeoutSeconds * 1_000,
      insecureHTTPParser: false,
      noDelay: true,
    })
    this.#server.maxConnections = options.connectionsMax
    this.#server.on('drop', () => handler.connectionRefused())
    this.#server.on('request', (request, response) => this.#request(request, response))
    this.#server.on('checkContinue', (request, response) => {
      response.writeContinue()
      this.#request(request, response)
    })
    this.#server.on('upgrade', (request, stream, head) => this.#inTurn(request, stream, head))
    this.#server.on('connect', (_request, stream) => stream.destroy())
    this.#server.on('clientError', (error: NodeJS.ErrnoException, stream) => refuseUnreadable(error, stream, handler))
    this.#webSockets = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      maxPayload: options.webSocketMessageBytesMax,
      perMessageDeflate: false,
      handleProtocols: (offered) => handler.chooseSubprotocol([...offered]) ?? false,
    })
    this.#pinging = setInterval(() => {
      for (const socket of this.#sockets) socket.pingOrTerminate()
    }, options.idleTimeoutSeconds * 500)
    this.#pinging.unref()
  }

  get port(): number {
    return this.#port
  }

  async listen(): Promise<void> {
    const { host, port } = this.#options
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (error) => reject(listenError(error, { host, port, name: 'VERDICT' })))
      this.#server.listen({ host, port, exclusive: true, backlog: 511 }, resolve)
    })
    this.#port = (this.#server.address() as AddressInfo).port
  }

  async close(): Promise<void> {
    if (this.#isDraining) return
    this.#isDraining = true
    clearInterval(this.#pinging)
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    for (const socket of this.#sockets) socket.close(1001, 'The server stops')
    this.#server.closeIdleConnections()
    const cutting = setTimeout(() => {
      this.#server.closeAllConnections()
      for (const socket of this.#sockets) socket.terminate()
      this.#turns.close()
    }, CLOSE_GRACE_MS)
    await closed
    clearTimeout(cutting)
  }

  #request(request: IncomingMessage, response: ServerResponse): void {
    this.#turns.note(request.socket, response)
    try {
      this.#read(request, response)
    } catch (error) {
      this.#faulted(response, error)
    }
  }

  #read(request: IncomingMessage, response: ServerResponse): void {
    if (request.httpVersion !== '1.1') {
      response.writeHead(505, { connection: 'close' }).end()
      return
    }
    const head = collectHead(request)
    const problem = framingProblem(head) ?? (head.path.startsWith('/') ? undefined : NOT_A_PATH)
    if (problem !== undefined) {
      refuse(response, this.#handler.refusal(problem))
      return
    }
    // Before the body: nobody's megabytes are kept for nothing.
    const refusal = this.#handler.refuse(head)
    const bytesMax = refusal === undefined ? this.#handler.bodyBytesMax(head.path) : 0
    if (!announcesBody(head)) {
      request.resume()
      this.#handle(head, response, refusal)
    } else if (Number(head.contentLength) > bytesMax + DISCARDED_BYTES_MAX) {
      refuse(response, refusal ?? this.#handler.refusal(bodyTooLarge(bytesMax)))
    } else {
      this.#readBody(request, response, head, bytesMax, refusal)
    }
  }

  #readBody(
    request: IncomingMessage,
    response: ServerResponse,
    head: RequestHead,
    bytesMax: number,
    refusal: VerdictResponse | undefined,
  ): void {
    const collector = new BodyCollector(bytesMax, this.#bodies)
    request.on('data', (chunk: Buffer) => {
      collector.add(chunk)
      if (!collector.isHopeless) return
      request.removeAllListeners('data')
      refuse(response, refusal ?? this.#handler.refusal(bodyTooLarge(bytesMax)))
    })
    request.on('error', () => response.destroy())
    request.on('end', () => {
      if (response.writableEnded) return
      // No such path takes a body, or not from this client: the handler says what is wrong.
      const problem = bytesMax > 0 ? collector.problem : undefined
      if (problem !== undefined) {
        this.#write(response, this.#handler.refusal(problem))
      } else {
        head.body = bytesMax > 0 ? collector.body() : undefined
        this.#handle(head, response, refusal)
      }
    })
    response.on('close', () => collector.release())
  }

  #handle(head: RequestHead, response: ServerResponse, refusal: VerdictResponse | undefined): void {
    head.receivedMs = this.#receivedMs()
    try {
      this.#write(response, refusal ?? this.#handler.handle(head))
    } catch (error) {
      this.#faulted(response, error)
    }
  }

  #faulted(response: ServerResponse, error: unknown): void {
    const answer = this.#handler.faulted(error)
    if (response.headersSent) response.destroy()
    else this.#write(response, answer)
  }

  /** Of an answer to HEAD node:http sends the head alone. */
  #write(response: ServerResponse, answer: VerdictResponse): void {
    response.writeHead(answer.status, headersOf(answer, this.#isDraining)).end(keptBody(answer))
  }

  #inTurn(request: IncomingMessage, stream: Duplex, firstBytes: Buffer): void {
    this.#turns.take(stream, () => {
      if (this.#isForWebSockets(request)) this.#upgrade(request, stream, firstBytes)
      else readAgain(this.#server, request, stream, firstBytes)
    })
  }

  #isForWebSockets(request: IncomingMessage): boolean {
    const path = (request.url ?? '').split('?', 1)[0]
    return (
      request.method === 'GET' &&
      path === this.#options.webSocketPath &&
      request.headers.upgrade?.toLowerCase() === 'websocket'
    )
  }

  #upgrade(request: IncomingMessage, stream: Duplex, firstBytes: Buffer): void {
    stream.on('error', () => stream.destroy())
    try {
      const judged = judgeUpgrade(collectHead(request), (name) => String(request.headers[name] ?? ''), this.#handler)
      if (typeof judged === 'string') {
        this.#webSockets.handleUpgrade(request, stream, firstBytes, (webSocket) => this.#opened(webSocket))
      } else {
        writeRaw(stream, judged)
      }
    } catch (error) {
      writeRaw(stream, this.#handler.faulted(error))
    }
  }

  #opened(webSocket: WebSocket): void {
    const socket = new NodeSocket(webSocket)
    this.#sockets.add(socket)
    this.#guarded(socket, () => this.#handler.socketOpened(socket))
    webSocket.on('message', (data: Buffer, isBinary: boolean) => {
      socket.noteTraffic()
      if (!socket.isAnswered) return
      this.#guarded(socket, () => this.#handler.socketMessage(socket, data, isBinary, this.#receivedMs()))
    })
    webSocket.on('error', () => webSocket.terminate())
    webSocket.on('close', () => {
      this.#sockets.delete(socket)
      this.#guarded(socket, () => this.#handler.socketClosed(socket))
    })
  }

  #guarded(socket: NodeSocket, work: () => void): void {
    try {
      work()
    } catch (error) {
      this.#handler.faulted(error)
      socket.close(1011, 'The screening failed')
    }
  }
}

function collectHead(request: IncomingMessage): RequestHead {
  const url = request.url ?? '/'
  const mark = url.indexOf('?')
  const head = createRequestHead(
    request.method ?? '',
    mark < 0 ? url : url.slice(0, mark),
    mark < 0 ? '' : url.slice(mark + 1),
  )
  const raw = request.rawHeaders
  for (let i = 0; i + 1 < raw.length; i += 2) addHeader(head, (raw[i] ?? '').toLowerCase(), raw[i + 1] ?? '')
  return head
}

/** The absolute form is for proxies; a server should take it (RFC 9112 section 3.2.2), but uWebSockets.js cannot. */
const NOT_A_PATH: Problem = {
  code: 'HEADER_INVALID',
  detail: 'The request target is not a path.',
  hint: 'Send the path alone, as GET /v1/verdict, and the host in the Host header.',
}
