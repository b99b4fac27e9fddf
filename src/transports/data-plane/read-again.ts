import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'

/**
 * Gives a request that asked for an upgrade back to its server as the same request without: a server ignores an upgrade
 * it does not speak (RFC 9110 section 7.8). Once somebody listens for upgrades, Node 20 hands over every one of them,
 * with its body unread; so the head goes back in front of what followed it, and the connection is one more time a new
 * one: body, framing, clock and all that comes after are those of any request.
 *
 * Every answer before it on this connection must have been sent. The header values were read strictly: no line ends.
 */
export function readAgain(server: Server, request: IncomingMessage, stream: Duplex, firstBytes: Buffer): void {
  const lines = [`${request.method} ${request.url} HTTP/${request.httpVersion}`]
  const raw = request.rawHeaders
  for (let i = 0; i + 1 < raw.length; i += 2) {
    if (raw[i]?.toLowerCase() !== 'upgrade') lines.push(`${raw[i]}: ${raw[i + 1]}`)
  }
  stream.unshift(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), firstBytes]))
  server.emit('connection', stream)
}
