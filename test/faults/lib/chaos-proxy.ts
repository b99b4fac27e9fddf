import { connect, createServer, type Server, type Socket } from 'node:net'

/**
 * A TCP proxy that makes a network bad on purpose, for what the kernel here cannot do (no netem). Every setting may change
 * while it runs and holds for living connections too. Bytes are never lost or reordered: TCP does not let them be.
 */
export type Path = {
  latencyMs: number
  /** Added to the latency, 0 to this much; later bytes never overtake earlier ones. */
  jitterMs: number
  /** 0: no limit. */
  bytesPerSecond: number
  /** Passed on in pieces of at most so many bytes; 0: as they come. */
  sliceBytes: number
  /** Nothing passes, not even an end, and nobody is told; what waits passes on when it is false again. */
  isBlackHole: boolean
}
export type Direction = 'up' | 'down'

export type ChaosProxy = {
  readonly port: number
  /** `up`: from the client to the target. */
  set(direction: Direction | 'both', change: Partial<Path>): void
  /** Back to a good network; what was refused is taken again. */
  heal(): Promise<void>
  /** Every living connection ends with a reset on both sides. */
  reset(): void
  /** New connections are refused by the kernel; living ones stay. */
  refuse(): Promise<void>
  readonly connections: number
  /** Connections taken since the start. */
  readonly accepted: number
  close(): Promise<void>
}

export type ChaosProxyOptions = {
  readonly target: { readonly host: string; readonly port: number }
  /** 0 or missing: one that is free. */
  readonly port?: number
  /** 0..1, for the jitter. */
  readonly random?: () => number
}

/** A sender is held back when so much waits in a direction, as a full window would. */
const WAITING_BYTES_MAX = 1_048_576
const GOOD: Path = { latencyMs: 0, jitterMs: 0, bytesPerSecond: 0, sliceBytes: 0, isBlackHole: false }

export async function startChaosProxy(options: ChaosProxyOptions): Promise<ChaosProxy> {
  const { target, random = Math.random } = options
  const paths: Record<Direction, Path> = { up: { ...GOOD }, down: { ...GOOD } }
  const pairs = new Set<Pair>()
  let accepted = 0

  const server = createServer({ allowHalfOpen: true }, (client) => {
    accepted++
    const pair = openPair(client, connect({ ...target, allowHalfOpen: true }), paths, random)
    pairs.add(pair)
    client.once('close', () => pairs.delete(pair))
  })
  const port = await listen(server, options.port ?? 0)
  const wake = () => {
    for (const pair of pairs) pair.wake()
  }
  return {
    port,
    set(direction, change) {
      for (const name of direction === 'both' ? (['up', 'down'] as const) : [direction])
        Object.assign(paths[name], change)
      wake()
    },
    async heal() {
      for (const path of Object.values(paths)) Object.assign(path, GOOD)
      if (!server.listening) await listen(server, port)
      wake()
    },
    reset() {
      for (const pair of pairs) pair.reset()
    },
    // close() would also wait for the connections, which are to stay.
    refuse: () =>
      new Promise((resolve) => {
        server.close()
        setImmediate(resolve)
      }),
    get connections() {
      return pairs.size
    },
    get accepted() {
      return accepted
    },
    async close() {
      server.close()
      for (const pair of pairs) pair.reset()
    },
  }
}

type Pair = { wake(): void; reset(): void }

function openPair(client: Socket, target: Socket, paths: Record<Direction, Path>, random: () => number): Pair {
  const up = openLane(client, target, paths.up, random)
  const down = openLane(target, client, paths.down, random)
  return {
    wake() {
      up.wake()
      down.wake()
    },
    reset() {
      client.resetAndDestroy()
      target.resetAndDestroy()
    },
  }
}

type Piece = { readonly bytes: Buffer | 'end' | 'reset'; readonly arrivedMs: number; dueMs: number }

function openLane(from: Socket, to: Socket, path: Path, random: () => number) {
  const waiting: Piece[] = []
  let waitingBytes = 0
  let freeMs = 0
  let timer: NodeJS.Timeout | undefined

  function add(bytes: Piece['bytes']): void {
    const nowMs = performance.now()
    waiting.push({ bytes, arrivedMs: nowMs, dueMs: nowMs + path.latencyMs + random() * path.jitterMs })
    if (typeof bytes !== 'string') waitingBytes += bytes.length
    if (waitingBytes > WAITING_BYTES_MAX) from.pause()
    pass()
  }

  /** Passes on what is due; the rest has a timer, or waits for the hole to close. */
  function pass(): void {
    clearTimeout(timer)
    while (!path.isBlackHole) {
      const piece = waiting.shift()
      if (piece === undefined) break
      const waitMs = Math.max(piece.dueMs, freeMs) - performance.now()
      if (waitMs > 0) {
        waiting.unshift(piece)
        timer = setTimeout(pass, waitMs)
        break
      }
      send(piece)
    }
    if (waitingBytes <= WAITING_BYTES_MAX && from.isPaused()) from.resume()
  }

  function send(piece: Piece): void {
    if (to.destroyed) return
    if (piece.bytes === 'end') to.end()
    else if (piece.bytes === 'reset') to.resetAndDestroy()
    else {
      const size = path.sliceBytes > 0 ? path.sliceBytes : piece.bytes.length
      const head = piece.bytes.subarray(0, size)
      if (head.length < piece.bytes.length) waiting.unshift({ ...piece, bytes: piece.bytes.subarray(size) })
      to.write(head)
      waitingBytes -= head.length
      if (path.bytesPerSecond > 0) freeMs = performance.now() + (head.length / path.bytesPerSecond) * 1_000
      else if (path.sliceBytes > 0) freeMs = performance.now() + SLICE_PAUSE_MS
    }
  }

  from.setNoDelay(true)
  from.on('data', add)
  from.on('end', () => add('end'))
  from.on('error', () => add('reset'))
  // The other side may go on being half open for as long as the hole is there.
  to.on('close', () => from.destroyed || path.isBlackHole || from.destroy())
  return { wake: pass }
}

/** Slices must leave in packets of their own. */
const SLICE_PAUSE_MS = 1

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject)
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : port)
    })
  })
}
