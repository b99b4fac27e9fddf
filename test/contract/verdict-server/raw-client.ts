import net from 'node:net'

export type RawAnswer = { status: number; headers: Map<string, string>; body: string }

/** How a raw exchange went: every whole answer, and whether the server closed the connection. */
export type RawOutcome = { answers: RawAnswer[]; text: string; isClosed: boolean }

/** What a peer may wait for before it calls the server stuck. Only reached by a failing test, or to see "nothing more". */
const PATIENCE_MS = 5_000
const SETTLE_MS = 25

export type RawOptions = {
  /** Answers to wait for; then a moment more, to see what else comes. Default 1. */
  readonly answers?: number
  /** Wait until the server has sent this. */
  readonly until?: string
  /** Wait until the server closes. */
  readonly untilClosed?: boolean
}

/** Sends pieces as separate packets and collects what comes back. */
export async function raw(
  port: number,
  pieces: string | Buffer | readonly (string | Buffer)[],
  options: RawOptions = {},
): Promise<RawOutcome> {
  const socket = net.connect({ port, host: '127.0.0.1', noDelay: true })
  let text = ''
  let isClosed = false
  let wake = () => {}
  socket.on('data', (data) => {
    text += data.toString('latin1')
    wake()
  })
  socket.on('error', () => {})
  socket.on('close', () => {
    isClosed = true
    wake()
  })
  const list = typeof pieces === 'string' || Buffer.isBuffer(pieces) ? [pieces] : pieces
  for (const [index, piece] of list.entries()) {
    if (index > 0) await pause(3)
    socket.write(typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece)
  }
  const endMs = Date.now() + PATIENCE_MS
  const wanted = options.answers ?? 1
  const isWaiting = () =>
    options.untilClosed === true ||
    (options.until === undefined ? parseAnswers(text).length < wanted : !text.includes(options.until))
  while (!isClosed && Date.now() < endMs && isWaiting()) {
    await new Promise<void>((resolve) => {
      wake = resolve
      setTimeout(resolve, 200)
    })
  }
  if (!isClosed) await pause(SETTLE_MS)
  socket.destroy()
  return { answers: parseAnswers(text), text, isClosed }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/** Whole HTTP answers in a stream of them; one without Content-Length runs to the end. */
export function parseAnswers(text: string): RawAnswer[] {
  const answers: RawAnswer[] = []
  let rest = text
  while (true) {
    const end = rest.indexOf('\r\n\r\n')
    if (end < 0) return answers
    const [statusLine = '', ...lines] = rest.slice(0, end).split('\r\n')
    const headers = new Map(lines.map((line) => [line.split(':')[0]!.toLowerCase(), line.replace(/^[^:]*: */, '')]))
    const status = Number(statusLine.split(' ')[1])
    const bodyBytes = status === 100 ? 0 : Number(headers.get('content-length') ?? rest.length - end - 4)
    if (rest.length < end + 4 + bodyBytes) return answers
    if (status !== 100) answers.push({ status, headers, body: utf8(rest.slice(end + 4, end + 4 + bodyBytes)) })
    rest = rest.slice(end + 4 + bodyBytes)
  }
}

/** A POST with a right Content-Length, as text for the wire. */
export function post(path: string, body: string, headers: readonly string[] = []): string {
  const lines = [`POST ${path} HTTP/1.1`, 'Host: 127.0.0.1', `Content-Length: ${Buffer.byteLength(body)}`, ...headers]
  return `${lines.join('\r\n')}\r\n\r\n${Buffer.from(body).toString('latin1')}`
}

export function get(pathAndQuery: string, headers: readonly string[] = []): string {
  return `${[`GET ${pathAndQuery} HTTP/1.1`, 'Host: 127.0.0.1', ...headers].join('\r\n')}\r\n\r\n`
}

/** Bytes kept as Latin-1 text, read as what they are. */
function utf8(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString()
}
