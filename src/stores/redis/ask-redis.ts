import net from 'node:net'
import tls from 'node:tls'
import type { TlsFiles } from './redis-settings.ts'

/**
 * A few questions to one address over a socket of their own, before there is a client: what comes back tells a Redis from
 * an HTTP server, and plain text from TLS, which a client library hides behind "connection is closed".
 */
export type Asked =
  | { readonly kind: 'answered'; readonly replies: readonly string[] }
  | { readonly kind: 'failed'; readonly code: string; readonly reason: string }
  /** Connected, and then closed or silent, or something else than Redis's protocol came back. */
  | { readonly kind: 'closed' | 'silent' | 'foreign' }

export type AskOptions = {
  readonly host: string
  readonly port: number
  readonly tls?: TlsFiles
  readonly commands: readonly (readonly string[])[]
  readonly timeoutMs: number
}

/** INFO takes some KiB; whoever sends without an end is no Redis. */
const ANSWER_BYTES_MAX = 1_048_576

/** Replies are texts: errors keep their `-`, everything else comes without framing. Never rejects. */
export function askRedis(options: AskOptions): Promise<Asked> {
  return new Promise((resolve) => {
    const { host, port } = options
    let received = Buffer.alloc(0)
    let isConnected = false
    const isName = net.isIP(host) === 0
    const socket = options.tls
      ? tls.connect({ host, port, ...(isName ? { servername: host } : {}), ...options.tls })
      : net.connect({ host, port })
    const settle = (asked: Asked) => {
      clearTimeout(timer)
      socket.destroy()
      resolve(asked)
    }
    const timer = setTimeout(() => {
      if (isConnected) settle({ kind: 'silent' })
      else settle({ kind: 'failed', code: 'ETIMEDOUT', reason: `no answer within ${options.timeoutMs} ms` })
    }, options.timeoutMs)
    socket.once(options.tls ? 'secureConnect' : 'connect', () => {
      isConnected = true
      socket.write(options.commands.map(encode).join(''))
    })
    socket.on('data', (chunk: Buffer) => {
      if (received.length + chunk.length > ANSWER_BYTES_MAX) return settle({ kind: 'foreign' })
      received = Buffer.concat([received, chunk])
      const replies = decode(received)
      if (replies === undefined) settle({ kind: 'foreign' })
      else if (replies.length >= options.commands.length) settle({ kind: 'answered', replies })
    })
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNRESET' && isConnected) settle({ kind: 'closed' })
      else settle({ kind: 'failed', code: error.code ?? '', reason: error.message })
    })
    socket.once('close', () => settle({ kind: 'closed' }))
  })
}

function encode(command: readonly string[]): string {
  return `*${command.length}\r\n${command.map((part) => `$${Buffer.byteLength(part)}\r\n${part}\r\n`).join('')}`
}

/** The complete replies so far; undefined when this is not RESP 2 (simple, error, integer, bulk, flat arrays). */
function decode(bytes: Buffer): string[] | undefined {
  const replies: string[] = []
  for (let at = 0; at < bytes.length; ) {
    const read = decodeOne(bytes, at)
    if (read === 'foreign') return undefined
    if (read === 'partial') break
    replies.push(read.text)
    at = read.end
  }
  return replies
}

const ARRAY = '*'.charCodeAt(0)

function decodeOne(bytes: Buffer, at: number): { text: string; end: number } | 'foreign' | 'partial' {
  const type = String.fromCharCode(bytes[at] ?? 0)
  if (!'+-:$*'.includes(type)) return 'foreign'
  const lineEnd = bytes.indexOf('\r\n', at)
  if (lineEnd < 0) return 'partial'
  const line = bytes.toString('utf8', at + 1, lineEnd)
  if (type === '-') return { text: `-${line}`, end: lineEnd + 2 }
  if (type === '+' || type === ':') return { text: line, end: lineEnd + 2 }
  const count = Number(line)
  if (!Number.isInteger(count)) return 'foreign'
  if (type === '$') {
    if (count < 0) return { text: '', end: lineEnd + 2 }
    const end = lineEnd + 2 + count
    return bytes.length < end + 2 ? 'partial' : { text: bytes.toString('utf8', lineEnd + 2, end), end: end + 2 }
  }
  let next = lineEnd + 2
  const texts: string[] = []
  for (let item = 0; item < count; item++) {
    if (next >= bytes.length) return 'partial'
    if (bytes[next] === ARRAY) return 'foreign'
    const read = decodeOne(bytes, next)
    if (typeof read === 'string') return read
    texts.push(read.text)
    next = read.end
  }
  return { text: texts.join('\n'), end: next }
}
