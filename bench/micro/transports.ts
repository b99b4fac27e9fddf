/**
 * What the transports cost beside the decision: the real handler over a screener that decides nothing, asked by itself,
 * without sockets. An event is a call with call id, trunk and attestation, every one another.
 *
 *   npm run build && node dist/bench/micro/transports.js [--quick]
 *
 * Nanoseconds an event: least and median of the rounds, the ways in turn. With sockets and a bare server beside it: bench/micro/verdict-http.ts.
 */
import { inlineFurther } from '../../src/processes/inline-further.ts'
import { addHeader, createRequestHead } from '../../src/transports/data-plane/request-head.ts'
import { VERDICT_PATH } from '../../src/transports/data-plane/verdict-http.ts'
import type { VerdictSocket } from '../../src/transports/data-plane/verdict-server.ts'
import { machine } from '../lib/record-result.ts'
import { summarize } from '../lib/stats.ts'
import { bareHandler, constantScreener, fail } from './bare-handler.ts'

inlineFurther()
const ROUNDS = process.argv.includes('--quick') ? 15 : 41
const EVENTS = 1_024
const REPEATS = 20

const handler = bareHandler(constantScreener, Date.now)

let sink = 0
function socketOf(subprotocol: string): VerdictSocket {
  const socket: VerdictSocket = {
    subprotocol,
    send(data) {
      sink += data.length
      return true
    },
    close: (_code, reason) => fail(reason),
  }
  handler.socketOpened(socket)
  return socket
}

const event = (i: number, type: string) =>
  `{${type}"callId":"a84b4c76e66710@pc33.example.org-${i}","caller":"+7916${2_000_000 + i}","callee":"+79031112233",` +
  '"ingress":{"trunk":"north-1","kind":"national"},"stir":{"attest":"A"}}'
const events = Array.from({ length: EVENTS }, (_, i) => Buffer.from(event(i, '')))
/** With an escape in it, so that JSON.parse reads them. */
const escaped = Array.from({ length: EVENTS }, (_, i) => Buffer.from(event(i, '').replace('+79031', '+7\\u003931')))
const BATCH = 64
const batchesOf = (bodies: readonly Buffer[]) =>
  Array.from({ length: EVENTS / BATCH }, (_, i) =>
    Buffer.from(`[${bodies.slice(BATCH * i, BATCH * (i + 1)).join(',')}]`),
  )
const [batches, escapedBatches] = [batchesOf(events), batchesOf(escaped)]
const frames = Array.from({ length: EVENTS }, (_, i) => Buffer.from(event(i, '"type":"call",')))
/** A hundred to a body. */
const ENDS = 100
const endText = (i: number) =>
  `{"callId":"a84b4c76e66710@pc33.example.org-${i}","caller":"+7916${2_000_000 + i}","callee":"+79031112233",` +
  `"answered":true,"ringMs":5000,"talkMs":${1_000 + i}}`
const bodyOfEnds = (i: number) => `[${Array.from({ length: ENDS }, (_, end) => endText(ENDS * i + end)).join(',')}]`
const endBodies = Array.from({ length: Math.floor(EVENTS / ENDS) }, (_, i) => Buffer.from(bodyOfEnds(i)))
const escapedEnds = endBodies.map((body) => Buffer.from(body.toString().replaceAll('+79031', '+7\\u003931')))
const records = Array.from({ length: EVENTS }, (_, i) => {
  const record = Buffer.alloc(64)
  record.set([1, 1])
  record.writeDoubleLE(79_162_000_000 + i, 8)
  record.writeDoubleLE(79_031_112_233, 16)
  record.writeUInt32LE(i + 1, 32)
  record.writeUInt32LE(0x9e3779b9, 36)
  return record
})

function post(bodies: readonly Buffer[], path = VERDICT_PATH): void {
  for (const body of bodies) {
    const head = createRequestHead('POST', path, '')
    addHeader(head, 'host', '127.0.0.1:8090')
    addHeader(head, 'content-type', 'application/json')
    addHeader(head, 'content-length', String(body.length))
    if (handler.refuse(head) !== undefined) fail('refused')
    head.body = body
    head.receivedMs = Date.now()
    sink += handler.handle(head).body.length
  }
}

function messages(socket: VerdictSocket, datas: readonly Buffer[], isBinary: boolean): void {
  for (const data of datas) handler.socketMessage(socket, data, isBinary, Date.now())
}

function get(queries: readonly string[]): void {
  for (const query of queries) {
    const head = createRequestHead('GET', VERDICT_PATH, query)
    addHeader(head, 'host', '127.0.0.1:8090')
    if (handler.refuse(head) !== undefined) fail('refused')
    head.receivedMs = Date.now()
    sink += handler.handle(head).body.length
  }
}

const queries = Array.from(
  { length: EVENTS },
  (_, i) =>
    `caller=%2B7916${2_000_000 + i}&callee=%2B79031112233&trunk=north-1&kind=national&callId=a84b4c76e66710@pc33.example.org-${i}`,
)
/** With a name that nobody knows, so that parseQuery reads them. */
const otherQueries = queries.map((query) => `${query}&other=`)

const jsonSocket = socketOf('zaslon.json.v1')
const binarySocket = socketOf('zaslon.bin.v1')
const framesOf = (size: number) =>
  Array.from({ length: EVENTS / size }, (_, i) => Buffer.concat(records.slice(i * size, (i + 1) * size)))
const [singles, frames256] = [framesOf(1), framesOf(256)]
const WAYS: Record<string, () => void> = {
  'POST /v1/verdict': () => post(events),
  'POST /v1/verdict, by JSON.parse': () => post(escaped),
  'GET /v1/verdict': () => get(queries),
  'GET /v1/verdict, by parseQuery': () => get(otherQueries),
  'POST /v1/verdicts, 64 a body': () => post(batches, '/v1/verdicts'),
  'POST /v1/verdicts, 64 a body, by JSON.parse': () => post(escapedBatches, '/v1/verdicts'),
  'POST /v1/call-ends, 100 a body': () => post(endBodies, '/v1/call-ends'),
  'POST /v1/call-ends, 100 a body, by JSON.parse': () => post(escapedEnds, '/v1/call-ends'),
  'JSON frame': () => messages(jsonSocket, frames, false),
  'binary, 1 a frame': () => messages(binarySocket, singles, true),
  'binary, 256 a frame': () => messages(binarySocket, frames256, true),
}
const times: Record<string, number[]> = {}
for (let round = 0; round < ROUNDS + 5; round++) {
  for (const [name, work] of Object.entries(WAYS)) {
    const startMs = performance.now()
    for (let i = 0; i < REPEATS; i++) work()
    const nanoseconds = ((performance.now() - startMs) * 1e6) / (EVENTS * REPEATS)
    // The first rounds are for the compiler.
    if (round >= 5) times[name] = [...(times[name] ?? []), nanoseconds]
  }
}
const result: Record<string, object> = {}
for (const [name, values] of Object.entries(times)) {
  const { min, median } = summarize(values)
  result[name] = { min: Math.round(min), median: Math.round(median) }
}
process.stdout.write(
  `${JSON.stringify({ ...machine(), rounds: ROUNDS, nanosecondsAnEvent: result, sink: sink > 0 })}\n`,
)
