import { connect, type Socket } from 'node:net'
import { parentPort, workerData } from 'node:worker_threads'
import { generatedNumber } from './generate-numbers.ts'
import type { OpenLoopOptions, OpenLoopTaken } from './open-loop.ts'

/** The thread of open-loop.ts: raw sockets with one request in flight each. A request that finds none free waits. */
const options = workerData as OpenLoopOptions

type Connection = { socket: Socket; index: number; dueMs: number; sentMs: number; busy: boolean; received: string }
type Due = { readonly index: number; readonly dueMs: number; readonly text: string }

/** Timers of Node count in milliseconds; this nap leaves every request at most about 0.3 ms late on an idle machine. */
const NAP_MS = 0.2
/** A killed server takes its connections along: the generator goes on with new ones. */
const RECONNECT_MS = 20

const nap = new Int32Array(new SharedArrayBuffer(4))
const waiting: Due[] = []
const free: Connection[] = []
const nothing = (): OpenLoopTaken => ({
  latencies: [],
  lateness: [],
  answerTimes: [],
  failures: 0,
  acceptedMs: new Map(),
  queued: 0,
})
let taken = nothing()
let sent = 0

function send(connection: Connection, due: Due): void {
  connection.index = due.index
  connection.dueMs = due.dueMs
  connection.sentMs = performance.now()
  connection.busy = true
  connection.received = ''
  connection.socket.write(due.text)
}

function onData(connection: Connection, chunk: string): void {
  connection.received += chunk
  const headEnd = connection.received.indexOf('\r\n\r\n')
  if (headEnd < 0) return
  const length = Number(/content-length: (\d+)/i.exec(connection.received)?.[1] ?? 0)
  if (Buffer.byteLength(connection.received) < headEnd + 4 + length) return
  const nowMs = performance.now()
  if (connection.received.startsWith('HTTP/1.1 202')) {
    taken.acceptedMs.set(connection.index, performance.timeOrigin + nowMs)
    if (connection.received.includes('"queued"')) taken.queued++
  } else if (!connection.received.startsWith('HTTP/1.1 200')) taken.failures++
  taken.latencies.push(nowMs - connection.dueMs)
  taken.answerTimes.push(nowMs - connection.sentMs)
  connection.busy = false
  const next = waiting.shift()
  if (next) send(connection, next)
  else free.push(connection)
}

async function open(): Promise<Connection> {
  const socket = connect(options.port, '127.0.0.1').setNoDelay(true).setEncoding('utf8')
  const connection: Connection = { socket, index: 0, dueMs: 0, sentMs: 0, busy: false, received: '' }
  socket.on('data', (chunk) => onData(connection, String(chunk)))
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('error', reject)
  })
  socket.on('error', () => taken.failures++)
  socket.on('close', () => {
    if (connection.busy) taken.failures++
    setTimeout(() => void open().then(returnFree, () => taken.failures++), RECONNECT_MS)
  })
  return connection
}

function returnFree(connection: Connection): void {
  const next = waiting.shift()
  if (next) send(connection, next)
  else free.push(connection)
}

/** A verdict request as a switch would send it; every one of another caller. */
function verdictRequest(index: number): string {
  const caller = generatedNumber(index, options.callerSeed)
  const ingress = { trunk: 't1', kind: 'national' }
  const body = JSON.stringify({ callId: `${options.run}-${index}`, caller, callee: '+79161234567', ingress })
  const head = `POST /v1/verdict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: ${body.length}`
  return `${head}\r\n\r\n${body}`
}

/** A report as a hotline would send it; every one of another reporter. */
function reportRequest(index: number): string {
  const number = generatedNumber(index, options.callerSeed)
  const reporter = `${options.run}-${index}`
  const body = JSON.stringify({ number, channel: 'hotline', scenario: 'bank', reporter })
  const head = `POST /v1/reports HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: ${body.length}`
  return `${head}\r\n\r\n${body}`
}
const requestsMax = options.requests ?? Number.POSITIVE_INFINITY
const requestText = options.kind === 'report' ? reportRequest : verdictRequest

function sendDue(startMs: number): void {
  const due = Math.floor(((performance.now() - startMs) / 1000) * options.requestsPerSecond) + 1
  for (; sent < Math.min(due, requestsMax); sent++) {
    const dueMs = startMs + (sent / options.requestsPerSecond) * 1000
    const item = { index: sent, dueMs, text: requestText(sent) }
    taken.lateness.push(performance.now() - item.dueMs)
    const connection = free.pop()
    if (connection && !connection.socket.destroyed) send(connection, item)
    else waiting.push(item)
  }
}

for (let i = 0; i < options.connections; i++) free.push(await open())
const startMs = performance.now()
function turn(): void {
  // Pairs with no store: a nap, nobody wakes it.
  Atomics.wait(nap, 0, 0, NAP_MS)
  sendDue(startMs)
  setImmediate(turn)
}
turn()

parentPort?.on('message', () => {
  parentPort?.postMessage(taken)
  taken = nothing()
})
parentPort?.postMessage(performance.timeOrigin + startMs)
