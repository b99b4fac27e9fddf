/**
 * The limit: uWebSockets.js that parses what the service parses, and answers a constant about as long as a verdict. It
 * decides nothing, keeps nothing and checks nobody.
 *
 *   node dist/bench/load/bare-uws.js PORT
 */
import { createRequire } from 'node:module'
import {
  ANSWER_RECORD_BYTES,
  REQUEST_RECORD_BYTES,
  REQUEST_TYPE,
} from '../../src/transports/data-plane/binary-records.ts'

type Response = {
  onAborted(handler: () => void): Response
  onData(handler: (chunk: ArrayBuffer, isLast: boolean) => void): Response
  cork(handler: () => void): Response
  writeHeader(name: string, value: string): Response
  end(body: string): Response
  upgrade(data: object, key: string, protocol: string, extensions: string, context: unknown): void
}
type Request = { getQuery(name: string): string | undefined; getHeader(name: string): string }
type Socket = { send(data: string | Uint8Array, isBinary: boolean, compress: boolean): number }
type App = {
  get(pattern: string, handler: (response: Response, request: Request) => void): App
  post(pattern: string, handler: (response: Response) => void): App
  ws(
    pattern: string,
    behavior: {
      readonly maxPayloadLength: number
      readonly maxBackpressure: number
      readonly upgrade: (response: Response, request: Request, context: unknown) => void
      readonly message: (socket: Socket, data: ArrayBuffer, isBinary: boolean) => void
    },
  ): App
  listen(host: string, port: number, done: (token: unknown) => void): void
}

const VERDICT = {
  verdictId: '0'.repeat(32),
  callId: 'a84b4c76e66710@pc33.example.org-1000000',
  decision: 'allow',
  score: 0,
  reasons: [{ code: 'no-evidence', basis: 'analytics', points: 0 }],
  sip: { action: 'forward', headers: { 'X-Zaslon-Verdict': '0'.repeat(32) } },
  policy: 'default@1',
}
const ANSWER = JSON.stringify(VERDICT)
const SOCKET_ANSWER = JSON.stringify({ type: 'verdict', ...VERDICT })
const PAYLOAD_BYTES_MAX = 128 * 1024
const records = new Uint8Array((PAYLOAD_BYTES_MAX / REQUEST_RECORD_BYTES) * ANSWER_RECORD_BYTES)
const batches = new Map<number, string>()

loadNewest()
  .App()
  .post('/v1/verdict', (response) =>
    readBody(response, (text) => {
      JSON.parse(text)
      return ANSWER
    }),
  )
  .get('/v1/verdict', (response, request) => {
    for (const name of ['caller', 'callee', 'kind', 'callId']) request.getQuery(name)
    response.writeHeader('content-type', 'application/json').end(ANSWER)
  })
  .post('/v1/verdicts', (response) => readBody(response, (text) => batchOf(JSON.parse(text).length)))
  .post('/v1/call-ends', (response) =>
    readBody(response, (text) => `{"accepted":${(JSON.parse(text) as unknown[]).length}}`),
  )
  .ws('/v1/calls', {
    maxPayloadLength: PAYLOAD_BYTES_MAX,
    maxBackpressure: 16 * PAYLOAD_BYTES_MAX,
    upgrade(response, request, context) {
      const header = (name: string) => request.getHeader(`sec-websocket-${name}`)
      response.upgrade({}, header('key'), header('protocol'), '', context)
    },
    message(socket, data, isBinary) {
      if (isBinary) {
        const isCalls = new DataView(data).getUint8(1) === REQUEST_TYPE.call
        const length = (data.byteLength / REQUEST_RECORD_BYTES) * ANSWER_RECORD_BYTES
        if (isCalls) socket.send(records.subarray(0, length), true, false)
      } else if (JSON.parse(textOf(data)).type === 'call') {
        socket.send(SOCKET_ANSWER, false, false)
      }
    },
  })
  .listen('127.0.0.1', Number(process.argv[2]), (token) => {
    if (!token) throw new Error('The port is taken.')
  })

function readBody(response: Response, answer: (text: string) => string): void {
  let before: Buffer | undefined
  response.onAborted(() => {})
  response.onData((chunk, isLast) => {
    if (!isLast) {
      // The chunk is gone when this returns.
      before = Buffer.concat([before ?? Buffer.alloc(0), Buffer.from(chunk)])
      return
    }
    const text = before === undefined ? textOf(chunk) : Buffer.concat([before, Buffer.from(chunk)]).toString('utf8')
    const body = answer(text)
    response.cork(() => response.writeHeader('content-type', 'application/json').end(body))
  })
}

function textOf(data: ArrayBuffer): string {
  return Buffer.from(data).toString('utf8')
}

function batchOf(count: number): string {
  let body = batches.get(count)
  if (body === undefined) {
    body = `[${Array.from({ length: count }, () => ANSWER).join(',')}]`
    batches.set(count, body)
  }
  return body
}

function loadNewest(): { App(): App } {
  const load = createRequire(import.meta.url)
  for (const name of ['uws-modern', 'uws-legacy']) {
    try {
      return load(name) as { App(): App }
    } catch {
      // No binary for this Node or glibc: the next one.
    }
  }
  throw new Error('No uWebSockets.js binary loads here.')
}
