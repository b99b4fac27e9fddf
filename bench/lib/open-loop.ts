import { connect, type Socket } from 'node:net'

/**
 * An open-loop HTTP generator: requests leave at their intended times whatever the answers do, and latency counts from the
 * intended time, so a stall of the server is seen by every request it delays (no coordinated omission). Raw sockets with
 * one request in flight each: a request that finds none free waits, and its wait counts.
 */
export type OpenLoopOptions = {
  readonly port: number
  readonly requestsPerSecond: number
  readonly connections: number
  /** The whole HTTP request, by running number. */
  readonly request: (index: number) => string
}

export type OpenLoop = {
  /** Since the last call, in milliseconds: latencies, and of these how late the generator itself was to send. */
  take(): { latencies: number[]; lateness: number[] }
  readonly failures: number
  stop(): Promise<void>
}

type Connection = { socket: Socket; dueMs: number; busy: boolean; received: string }

export async function startOpenLoop(options: OpenLoopOptions): Promise<OpenLoop> {
  const startMs = performance.now()
  const waiting: { dueMs: number; text: string }[] = []
  const free: Connection[] = []
  let latencies: number[] = []
  let lateness: number[] = []
  let failures = 0
  let sent = 0
  let stopped = false

  function send(connection: Connection, due: { dueMs: number; text: string }): void {
    connection.dueMs = due.dueMs
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
    if (!connection.received.startsWith('HTTP/1.1 200')) failures++
    latencies.push(performance.now() - connection.dueMs)
    connection.busy = false
    const next = waiting.shift()
    if (next) send(connection, next)
    else free.push(connection)
  }

  async function open(): Promise<Connection> {
    const socket = connect(options.port, '127.0.0.1')
    socket.setNoDelay(true)
    socket.setEncoding('utf8')
    const connection: Connection = { socket, dueMs: 0, busy: false, received: '' }
    socket.on('data', (chunk) => onData(connection, String(chunk)))
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve)
      socket.once('error', reject)
    })
    socket.on('error', () => failures++)
    socket.on('close', () => {
      if (stopped) return
      if (connection.busy) failures++
      // A killed server takes its connections along: the generator goes on with new ones.
      setTimeout(
        () =>
          void open().then(
            (again) => free.push(again),
            () => failures++,
          ),
        20,
      )
    })
    return connection
  }

  for (let i = 0; i < options.connections; i++) free.push(await open())

  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - startMs) / 1000) * options.requestsPerSecond)
    for (; sent < due; sent++) {
      const item = { dueMs: startMs + (sent / options.requestsPerSecond) * 1000, text: options.request(sent) }
      lateness.push(performance.now() - item.dueMs)
      const connection = free.pop()
      if (connection && !connection.socket.destroyed) send(connection, item)
      else waiting.push(item)
    }
  }, 1)

  return {
    take() {
      const taken = { latencies, lateness }
      latencies = []
      lateness = []
      return taken
    },
    get failures() {
      return failures
    },
    async stop() {
      stopped = true
      clearInterval(timer)
      for (const connection of free) connection.socket.destroy()
    },
  }
}

/** A verdict request for a caller, as a switch would send it. */
export function verdictRequest(caller: string, callId: string): string {
  const body = JSON.stringify({ callId, caller, callee: '+79161234567', ingress: { trunk: 't1', kind: 'national' } })
  return `POST /v1/verdict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
}
