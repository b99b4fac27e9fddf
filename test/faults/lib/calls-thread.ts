import { connect, type Socket } from 'node:net'
import { parentPort, workerData } from 'node:worker_threads'
import { WebSocket } from 'ws'
import { type Call, createCallLedger } from './call-ledger.ts'
import { type CallerGroup, type CallsOptions, LATE_AFTER_MS, type ToCalls, UNSENT_AFTER_MS } from './calls.ts'

/**
 * The asking thread: calls leave at their intended times whatever the answers do. Like a switch it keeps its connections, opens
 * a new one for one that ended or did not answer in time, and does not ask twice.
 */
const options = workerData as CallsOptions

type Connection = { socket: Socket; call: Call | undefined; received: string; isOpen: boolean }

const NAP_MS = 0.5
const RECONNECT_MS = 20
/** One call in so many goes over the WebSocket connection. */
const SOCKET_ONE_IN = 10
/** All groups by their shares, mixed by a step that is prime to 100. */
const SHARES = 100
const MIXING_STEP = 37

const nap = new Int32Array(new SharedArrayBuffer(4))
const ledger = createCallLedger()
const waiting: Call[] = []
const free: Connection[] = []
const all = new Set<Connection>()
const rotation = options.groups.flatMap((group) => Array.from({ length: group.share }, () => group))
const turns = new Map<CallerGroup, number>()
const onSocket = new Map<string, Call>()
let webSocket: WebSocket | undefined
let sent = 0
let stopped = false

function nextCall(index: number, dueMs: number): Call {
  const group = rotation[(index * MIXING_STEP) % SHARES] ?? rotation[0]
  if (group === undefined) throw new RangeError('There is no group of callers.')
  const turn = turns.get(group) ?? 0
  turns.set(group, turn + 1)
  const caller = group.callers[turn % group.callers.length] ?? ''
  return {
    id: `${options.run}-${index}`,
    group,
    caller,
    dueMs,
    begunMs: performance.now(),
    sentMs: 0,
    localPort: 0,
    isOver: false,
  }
}

function bodyOf(call: Call): object {
  const ingress = { trunk: 'faults', kind: 'national' }
  const deadlineAt = Math.round(performance.timeOrigin + call.begunMs + LATE_AFTER_MS)
  const { callee } = call.group
  return { callId: call.id, caller: call.caller, callee, ingress, ...(options.sendsDeadline ? { deadlineAt } : {}) }
}

function sendOn(connection: Connection, call: Call): void {
  const body = JSON.stringify(bodyOf(call))
  call.sentMs = performance.now()
  call.localPort = connection.socket.localPort ?? 0
  connection.call = call
  connection.received = ''
  const head = `POST /v1/verdict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: ${body.length}`
  connection.socket.write(`${head}\r\n\r\n${body}`)
}

function onData(connection: Connection, chunk: string): void {
  connection.received += chunk
  const headEnd = connection.received.indexOf('\r\n\r\n')
  if (headEnd < 0) return
  const length = Number(/content-length: (\d+)/i.exec(connection.received)?.[1] ?? 0)
  if (Buffer.byteLength(connection.received) < headEnd + 4 + length) return
  const { call } = connection
  connection.call = undefined
  if (call !== undefined) {
    if (connection.received.startsWith('HTTP/1.1 200')) judge(call, connection.received.slice(headEnd + 4))
    else ledger.fail(call, 'refused')
  }
  // Its end is on the way: nothing more is sent on it.
  if (!/\r\nconnection: close\r\n/i.test(connection.received.slice(0, headEnd + 2))) release(connection)
}

function judge(call: Call, text: string): void {
  const { decision, reasons } = JSON.parse(text) as { decision: string; reasons: { code: string }[] }
  ledger.answer(
    call,
    decision,
    reasons.map(({ code }) => code),
    performance.now(),
  )
}

function release(connection: Connection): void {
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    if (next.isOver) continue
    if (performance.now() - next.begunMs > UNSENT_AFTER_MS) {
      ledger.fail(next, 'unsent')
      continue
    }
    sendOn(connection, next)
    return
  }
  free.push(connection)
}

function open(): void {
  if (stopped) return
  const socket = connect(options.port, options.host).setNoDelay(true).setEncoding('utf8')
  const connection: Connection = { socket, call: undefined, received: '', isOpen: false }
  all.add(connection)
  socket.on('data', (chunk) => onData(connection, String(chunk)))
  socket.on('error', () => {})
  socket.once('connect', () => {
    connection.isOpen = true
    release(connection)
  })
  socket.once('close', () => {
    all.delete(connection)
    if (stopped) return
    if (connection.isOpen) ledger.current.connectionsLost++
    if (connection.call !== undefined) ledger.fail(connection.call, 'cut')
    const at = free.indexOf(connection)
    if (at >= 0) free.splice(at, 1)
    setTimeout(open, RECONNECT_MS)
  })
}

function openWebSocket(): void {
  if (stopped) return
  const socket = new WebSocket(`ws://${options.host}:${options.port}/v1/calls`, ['zaslon.json.v1'])
  socket.on('error', () => {})
  socket.on('open', () => {
    webSocket = socket
  })
  socket.on('message', (data) => {
    const text = String(data)
    const call = onSocket.get((JSON.parse(text) as { callId?: string }).callId ?? '')
    if (call === undefined) return
    onSocket.delete(call.id)
    judge(call, text)
  })
  socket.on('close', (code) => {
    if (stopped) return
    if (webSocket === socket) {
      webSocket = undefined
      ledger.current.socketCloses.push(code)
      for (const call of onSocket.values()) {
        if (!call.isOver) ledger.current.socketCut++
        ledger.fail(call, 'cut')
      }
      onSocket.clear()
    }
    setTimeout(openWebSocket, RECONNECT_MS)
  })
}

function ask(call: Call, index: number): void {
  ledger.begin(call)
  if (index % SOCKET_ONE_IN === 0 && webSocket?.readyState === WebSocket.OPEN) {
    call.sentMs = performance.now()
    onSocket.set(call.id, call)
    webSocket.send(JSON.stringify({ type: 'call', ...bodyOf(call) }))
    return
  }
  const connection = free.pop()
  if (connection === undefined) waiting.push(call)
  else sendOn(connection, call)
}

/** A connection whose answer did not come in time is given up, as a switch does. */
function giveUp(call: Call): void {
  ledger.fail(call, call.sentMs > 0 ? 'silent' : 'unsent')
  if (onSocket.delete(call.id)) webSocket?.terminate()
  for (const connection of all) if (connection.call === call) connection.socket.destroy()
}

let startMs = 0
function turn(): void {
  if (stopped) return
  // Pairs with no store: a nap, nobody wakes it.
  Atomics.wait(nap, 0, 0, NAP_MS)
  const nowMs = performance.now()
  ledger.onTurn(nowMs)
  const due = Math.floor(((nowMs - startMs) / 1_000) * options.callsPerSecond) + 1
  for (; sent < due; sent++) ask(nextCall(sent, startMs + (sent / options.callsPerSecond) * 1_000), sent)
  for (const call of ledger.overdue(nowMs)) giveUp(call)
  setImmediate(turn)
}

for (let i = 0; i < options.connections; i++) open()
openWebSocket()
/** Connections are there when the first call is due. */
const CONNECT_MS = 200
setTimeout(() => {
  startMs = performance.now()
  turn()
}, CONNECT_MS)

parentPort?.on('message', (message: ToCalls) => {
  if (message.type === 'take') parentPort?.postMessage(ledger.take())
  else if (message.type === 'known')
    ledger.onKnown(message.caller, message.allowed, message.previous, performance.now())
  else {
    stopped = true
    webSocket?.terminate()
    for (const { socket } of all) socket.destroy()
    parentPort?.close()
  }
})
parentPort?.postMessage('started')
