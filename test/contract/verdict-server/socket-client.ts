import net from 'node:net'
import { WebSocket } from 'ws'
import { get, pause } from './raw-client.ts'

/** A WebSocket client that keeps what comes until it is asked for. */
export type Client = {
  readonly webSocket: WebSocket
  /** The close code. */
  readonly closed: Promise<number>
  nextText(): Promise<string>
  nextBytes(): Promise<Uint8Array>
  stopReading(): void
  resumeReading(): void
}

export async function openClient(url: string, subprotocol: string | string[]): Promise<Client> {
  const webSocket = new WebSocket(url, subprotocol, { perMessageDeflate: false })
  const waiting: ((message: Buffer) => void)[] = []
  const kept: Buffer[] = []
  webSocket.on('message', (data: Buffer) => {
    const resolve = waiting.shift()
    if (resolve === undefined) kept.push(data)
    else resolve(data)
  })
  const closed = new Promise<number>((resolve) => webSocket.once('close', resolve))
  await new Promise((resolve, reject) => {
    webSocket.once('open', resolve)
    webSocket.once('error', reject)
  })
  webSocket.on('error', () => {})
  const next = () => {
    const message = kept.shift()
    return message === undefined ? new Promise<Buffer>((resolve) => waiting.push(resolve)) : Promise.resolve(message)
  }
  return {
    webSocket,
    closed,
    nextText: async () => (await next()).toString(),
    nextBytes: next,
    stopReading: () => webSocket.pause(),
    resumeReading: () => webSocket.resume(),
  }
}

/** One frame as it lies on the wire (RFC 6455 section 5.2). */
export function rawFrame(firstByte: number, payload: Buffer, isMasked: boolean): Buffer {
  const bit = isMasked ? 0x80 : 0
  const length =
    payload.length < 126
      ? Buffer.from([bit | payload.length])
      : payload.length < 65_536
        ? Buffer.from([bit | 126, payload.length >> 8, payload.length & 255])
        : Buffer.from([bit | 127, 0, 0, 0, 0, ...[24, 16, 8, 0].map((shift) => (payload.length >> shift) & 255)])
  // A mask of zeros leaves the payload as it is.
  return Buffer.concat([Buffer.from([firstByte]), length, isMasked ? Buffer.alloc(4) : Buffer.alloc(0), payload])
}

/** Upgrades by hand, sends bytes, and says whether the server ended the connection and how many data frames came. */
export async function rawUpgrade(
  port: number,
  subprotocol: string,
  bytes: Buffer,
  patienceMs = 5_000,
): Promise<{ isClosed: boolean; verdicts: number }> {
  const socket = net.connect(port, '127.0.0.1')
  let isClosed = false
  let received = Buffer.alloc(0)
  socket.on('error', () => {})
  socket.on('close', () => {
    isClosed = true
  })
  socket.on('data', (data) => {
    received = Buffer.concat([received, data])
  })
  const upgrade = get('/v1/calls', [
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Protocol: ${subprotocol}`,
  ])
  socket.write(upgrade)
  while (!received.includes('\r\n\r\n')) await pause(2)
  received = Buffer.alloc(0)
  socket.write(bytes)
  for (let waited = 0; !isClosed && waited < patienceMs; waited += 5) {
    await pause(5)
    // A close frame: the server has said goodbye and waits for ours.
    if ((received[0] ?? 0) === 0x88) socket.end()
  }
  socket.destroy()
  const verdicts = received.length > 0 && received[0] !== 0x88 && received[0] !== 0x8a ? 1 : 0
  return { isClosed, verdicts }
}

export type BinaryCall = { caller: number; correlation: number; hash?: [number, number]; trunk?: number }

/** A call record of zaslon.bin.v1, written here from docs/wire.md, not from the code under test. */
export function binaryCall({ caller, correlation, hash = [0, 0], trunk = 0 }: BinaryCall): Buffer {
  const record = Buffer.alloc(64)
  record.writeUInt8(1, 0)
  record.writeUInt8(1, 1)
  record.writeUInt32LE(correlation, 4)
  record.writeDoubleLE(caller, 8)
  record.writeDoubleLE(79031112233, 16)
  record.writeUInt32LE(hash[0], 32)
  record.writeUInt32LE(hash[1], 36)
  record.writeUInt16LE(trunk, 40)
  return record
}

export function binaryTrunk(number: number, name: string): Buffer {
  const record = Buffer.alloc(64)
  record.writeUInt8(1, 0)
  record.writeUInt8(3, 1)
  record.writeUInt8(Buffer.byteLength(name), 2)
  record.writeUInt16LE(number, 8)
  record.write(name, 12)
  return record
}
