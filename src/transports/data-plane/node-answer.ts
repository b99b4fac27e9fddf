import { type ServerResponse, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import type { VerdictHandler, VerdictResponse } from './verdict-server.ts'

/** The head of an answer; `isClosing`: it is the last one of its connection. */
export function headersOf(answer: VerdictResponse, isClosing: boolean): Record<string, string> {
  const headers: Record<string, string> = {
    'content-type': answer.contentType,
    'content-length': String(Buffer.byteLength(answer.body)),
  }
  for (const [name, value] of answer.headers ?? []) headers[name] = value
  if (isClosing) headers.connection = 'close'
  return headers
}

/** The body as it may wait to be written: node:http keeps bytes until the socket has taken them. */
export function keptBody({ body }: VerdictResponse): string | Buffer {
  return typeof body === 'string' ? body : Buffer.from(body)
}

/** Sockets that had their last answer: what llhttp says about the bytes after it is of no interest. */
const refused = new WeakSet<Duplex>()

/** Answers, closes, and reads nothing more from this connection. */
export function refuse(response: ServerResponse, answer: VerdictResponse): void {
  if (response.socket !== null) refused.add(response.socket)
  response.writeHead(answer.status, headersOf(answer, true)).end(keptBody(answer), () => response.socket?.destroySoon())
}

/** What llhttp could not read: it says what kind, and the connection is of no more use. */
export function refuseUnreadable(error: NodeJS.ErrnoException, stream: Duplex, handler: VerdictHandler): void {
  if (refused.has(stream)) return
  if (error.code === 'ECONNRESET' || !stream.writable) {
    stream.destroy()
    return
  }
  const answer = handler.refusal({
    code: 'HEADER_INVALID',
    detail: 'The request is not well-formed HTTP/1.1.',
    hint: 'Look at the request line, the header lines and the announced length.',
  })
  // The request before it may be complete and unanswered: its turn comes first.
  setImmediate(() => writeRaw(stream, error.code === 'HPE_HEADER_OVERFLOW' ? { ...answer, status: 431 } : answer))
}

/** An answer on a socket that node:http has let go of: its last. */
export function writeRaw(stream: Duplex, answer: VerdictResponse): void {
  const lines = Object.entries(headersOf(answer, true)).map(([name, value]) => `${name}: ${value}\r\n`)
  const statusLine = `HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status] ?? ''}\r\n`
  stream.write(`${statusLine}${lines.join('')}\r\n`)
  stream.end(keptBody(answer), () => stream.destroy())
}
