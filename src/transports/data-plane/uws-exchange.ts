import { STATUS_CODES } from 'node:http'
import { createAnswerMemory } from './answer-memory.ts'
import { BodyCollector, type BodyMemory, bodyTooLarge, DISCARDED_BYTES_MAX } from './body-collector.ts'
import { announcesBody, createRequestHead, framingProblem, type RequestHead } from './request-head.ts'
import { judgeUpgrade } from './upgrade.ts'
import type { UwsRequest, UwsResponse } from './uws-binding.ts'
import type { VerdictHandler, VerdictResponse } from './verdict-server.ts'

/** What the exchanges of one server share. */
export type UwsExchangeContext = {
  readonly handler: VerdictHandler
  readonly receivedMs: () => number
  /** Requests begun and not answered. */
  inFlight: number
  /** The server is closing: every answer ends its connection. */
  isDraining: boolean
  readonly answers: AnswerBuffer
  readonly bodies: BodyMemory
}

const ANSWER_BYTES = 16 * 1024

/**
 * Where a text is written on its way to the socket. uWebSockets.js would measure a string, copy it to the heap and copy
 * it again; bytes it takes as they are.
 */
export type AnswerBuffer = {
  /** The text in UTF-8, valid until the next call. */
  write(text: string): Uint8Array
}

export function createAnswerBuffer(): AnswerBuffer {
  const memory = createAnswerMemory(ANSWER_BYTES)
  return {
    write(text) {
      if (text.length * UTF8_BYTES_MAX > ANSWER_BYTES) return Buffer.from(text)
      return memory.first(memory.bytes.write(text))
    },
  }
}

/** Of one UTF-16 code unit. */
const UTF8_BYTES_MAX = 3

/** Reads a request while its route callback runs; afterwards it is gone. */
export type CollectHead = (request: UwsRequest) => RequestHead

const NO_HEAD = createRequestHead('', '', '')

/**
 * One request and its answer on uWebSockets.js. An exception before onAborted is registered, or in any of its callbacks,
 * would abort the whole process: an exchange registers first, and every callback catches and answers.
 */
export class UwsExchange {
  readonly #response: UwsResponse
  #head: RequestHead = NO_HEAD
  readonly #context: UwsExchangeContext
  #collector: BodyCollector | undefined
  /** Why this client may not come in. */
  #refusal: VerdictResponse | undefined
  #isLast = false
  #isOver = false

  constructor(response: UwsResponse, context: UwsExchangeContext) {
    this.#response = response
    this.#context = context
  }

  /** Reads the head and the body, asks the handler and answers. Call it once, inside the route callback. */
  begin(request: UwsRequest, collectHead: CollectHead): void {
    this.#register()
    try {
      this.#head = collectHead(request)
      this.#read()
    } catch (error) {
      this.#faulted(error)
    }
  }

  /** A WebSocket handshake: refuses it, or lets `accept` upgrade the response. Instead of `begin`. */
  beginUpgrade(request: UwsRequest, collectHead: CollectHead, accept: (subprotocol: string) => void): void {
    this.#register()
    try {
      this.#head = collectHead(request)
      const judged = judgeUpgrade(this.#head, (name) => request.getHeader(name), this.#context.handler)
      if (typeof judged === 'string') {
        accept(judged)
        this.#over()
      } else {
        this.#answerLast(judged)
      }
    } catch (error) {
      this.#faulted(error)
    }
  }

  #register(): void {
    this.#context.inFlight++
    this.#response.onAborted(() => this.#over())
  }

  #faulted(error: unknown): void {
    const answer = this.#context.handler.faulted(error)
    if (this.#isOver) return
    try {
      this.#answer(answer)
    } catch (second) {
      this.#abandon(second)
    }
  }

  /** A part of an answer may be out: no other can follow it. */
  #abandon(error: unknown): void {
    this.#context.handler.faulted(error)
    this.#response.close()
  }

  #read(): void {
    const { handler } = this.#context
    const problem = framingProblem(this.#head)
    if (problem !== undefined) {
      this.#answerLast(handler.refusal(problem))
      return
    }
    // Before the body: nobody's megabytes are kept for nothing.
    this.#refusal = handler.refuse(this.#head)
    if (!announcesBody(this.#head)) {
      this.#handle(undefined)
      return
    }
    const bytesMax = this.#refusal === undefined ? handler.bodyBytesMax(this.#head.path) : 0
    if (Number(this.#head.contentLength) > bytesMax + DISCARDED_BYTES_MAX) {
      this.#answerLast(this.#refusal ?? handler.refusal(bodyTooLarge(bytesMax)))
    } else {
      this.#response.onData((chunk, isLast) => this.#chunk(chunk, isLast, bytesMax))
    }
  }

  #chunk(chunk: ArrayBuffer, isLast: boolean, bytesMax: number): void {
    if (this.#isOver || this.#isLast) return
    try {
      this.#collect(chunk, isLast, bytesMax)
    } catch (error) {
      this.#faulted(error)
    }
  }

  #collect(chunk: ArrayBuffer, isLast: boolean, bytesMax: number): void {
    // Nearly every request: the whole body in the packet of the head, used where it lies.
    if (isLast && this.#collector === undefined && chunk.byteLength <= bytesMax) {
      this.#handle(Buffer.from(chunk))
      return
    }
    this.#collector ??= new BodyCollector(bytesMax, this.#context.bodies)
    this.#collector.add(new Uint8Array(chunk))
    if (this.#collector.isHopeless)
      this.#answerLast(this.#refusal ?? this.#context.handler.refusal(bodyTooLarge(bytesMax)))
    else if (isLast) this.#complete(this.#collector, bytesMax)
  }

  #complete(collector: BodyCollector, bytesMax: number): void {
    const problem = collector.problem
    // No such path takes a body, or not from this client: the handler says what is wrong.
    if (bytesMax === 0) this.#handle(undefined)
    else if (problem !== undefined) this.#answer(this.#context.handler.refusal(problem))
    else this.#handle(collector.body())
    collector.release()
  }

  #handle(body: Uint8Array | undefined): void {
    this.#head.body = body
    this.#head.receivedMs = this.#context.receivedMs()
    const answer = this.#refusal ?? this.#context.handler.handle(this.#head)
    if (this.#isEndDoubtful()) this.#answerLast(answer)
    else this.#answer(answer)
  }

  /**
   * Where this request ends, uWebSockets.js and another reader may disagree: it takes the trailers of a chunked body for the
   * next request, and sees no header behind one with an empty name, a Content-Length least of all. So nothing that follows
   * is served: the answer is the last of its connection. Switches send a Content-Length.
   */
  #isEndDoubtful(): boolean {
    const { transferEncodingCount, contentLengthCount, method } = this.#head
    return transferEncodingCount > 0 || (contentLengthCount === 0 && method === 'POST')
  }

  /**
   * Answers and closes. Not before the bytes that are already here have been parsed: uWebSockets.js goes on to the next
   * request in its buffer after an answer that closes, but cuts the connection when one arrives with this one pending.
   * So what hides behind a request of doubtful length is never served.
   */
  #answerLast(current: VerdictResponse): void {
    this.#isLast = true
    const answer = keptResponse(current)
    setImmediate(() => {
      if (this.#isOver) return
      try {
        this.#response.cork(() => this.#write(answer, true))
      } catch (error) {
        this.#abandon(error)
      }
    })
  }

  /** uWebSockets.js has corked the socket in every callback this is called from. */
  #answer(answer: VerdictResponse): void {
    this.#write(answer, this.#context.isDraining)
  }

  #write(answer: VerdictResponse, isClosing: boolean): void {
    const response = this.#response
    if (answer.status !== 200) response.writeStatus(statusLine(answer.status))
    response.writeHeader('content-type', answer.contentType)
    if (answer.headers !== undefined) {
      for (const [name, value] of answer.headers) response.writeHeader(name, value)
    }
    if (isClosing) {
      // Of an answer to HEAD the head alone: only `end` closes.
      response.end(this.#head.method === 'HEAD' ? '' : answer.body, true)
    } else if (this.#head.method === 'HEAD') {
      // With any argument endWithoutBody waits for a body of that length, and the connection hangs.
      response.writeHeader('content-length', String(Buffer.byteLength(answer.body)))
      response.endWithoutBody()
    } else if (!this.#isTaken(answer.body)) {
      return
    }
    this.#over()
  }

  /**
   * Sends as much of the body as the peer takes; the rest waits here, and a next request on the connection closes it.
   * `end` would buffer answers without limit for a peer that sends and never reads.
   */
  #isTaken(body: string | Uint8Array): boolean {
    const taken = typeof body === 'string' ? this.#context.answers.write(body) : body
    const [, isComplete] = this.#response.tryEnd(taken, taken.byteLength)
    if (isComplete) return true
    const bytes = Buffer.from(taken)
    this.#response.onWritable((offset) => this.#isDrained(bytes, offset))
    return false
  }

  #isDrained(bytes: Uint8Array, offset: number): boolean {
    try {
      const [, isDone] = this.#response.tryEnd(bytes.subarray(offset), bytes.byteLength)
      if (isDone) this.#over()
      return isDone
    } catch (error) {
      this.#abandon(error)
      return true
    }
  }

  #over(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#collector?.release()
    this.#context.inFlight--
  }
}

/** The same answer with a body that stays as it is. */
function keptResponse(answer: VerdictResponse): VerdictResponse {
  return typeof answer.body === 'string' ? answer : { ...answer, body: Uint8Array.from(answer.body) }
}

const statusLines = new Map<number, string>()

function statusLine(status: number): string {
  let line = statusLines.get(status)
  if (line === undefined) {
    line = `${status} ${STATUS_CODES[status] ?? ''}`
    statusLines.set(status, line)
  }
  return line
}
