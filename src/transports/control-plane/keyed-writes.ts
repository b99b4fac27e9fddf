import { createHash } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { ScreeningError } from '../../domain/errors.ts'
import {
  IDEMPOTENCY_KEY_CHARS_MAX,
  type IdempotentWrites,
  type KeptAnswer,
  type KeyedWrite,
} from '../../services/idempotent-writes.ts'

/** Headers of the first answer that a replayed one repeats. */
const KEPT_HEADERS = ['content-type', 'location', 'etag'] as const

/** Requests with an Idempotency-Key that are under way, and the key of each request that has one. */
const underWay = new WeakMap<FastifyRequest, KeyedWrite>()

/**
 * The key a client sent, or undefined. The draft writes it as a quoted string, most clients without quotes: both mean
 * the same key. Throws HEADER_INVALID.
 */
export function idempotencyKeyOf(request: FastifyRequest): string | undefined {
  const header = request.headers['idempotency-key']
  if (header === undefined) return undefined
  const quoted = typeof header === 'string' ? /^"(.*)"$/.exec(header)?.[1] : undefined
  const key = quoted ?? header
  if (typeof key === 'string' && key.length <= IDEMPOTENCY_KEY_CHARS_MAX && /^[\x21-\x7e]+$/.test(key)) return key
  throw new ScreeningError(
    'HEADER_INVALID',
    `Idempotency-Key must be 1 to ${IDEMPOTENCY_KEY_CHARS_MAX} visible ASCII characters.`,
  )
}

/** Replays answers to repeated writes and keeps those of first ones, for every route marked as a write. */
export function installKeyedWrites(app: FastifyInstance, idempotency: IdempotentWrites): void {
  app.addHook('preHandler', async (request, reply) => {
    const { isWrite, isStreamedBody } = request.routeOptions.config
    if (isWrite !== true || isStreamedBody === true) return
    const kept = beginKeyedWrite(request, idempotency, JSON.stringify(request.body) ?? '')
    if (kept !== undefined) return replay(reply, kept)
  })
  app.addHook('onSend', async (request, reply, payload) => {
    const write = underWay.get(request)
    if (write === undefined) return payload
    underWay.delete(request)
    if (reply.statusCode >= 300 || typeof payload !== 'string') {
      idempotency.forget(write)
      return payload
    }
    try {
      await idempotency.keep(write, { status: reply.statusCode, headers: keptHeaders(reply), body: payload })
    } catch (error) {
      // The write itself is done and durable: the client must hear so, even if a retry cannot be answered from memory.
      request.log.warn({ err: error }, 'an answer could not be kept for its Idempotency-Key')
    }
    return payload
  })
  app.addHook('onResponse', async (request) => {
    const write = underWay.get(request)
    if (write !== undefined) idempotency.forget(write)
    underWay.delete(request)
  })
}

/**
 * Notes that a write with a key begins; `content` is its body or a hash of it. Returns the first answer when there is
 * one, which the caller sends by `replay`. Throws HEADER_INVALID, IDEMPOTENCY_CONFLICT, IDEMPOTENCY_IN_FLIGHT.
 */
export function beginKeyedWrite(
  request: FastifyRequest,
  idempotency: IdempotentWrites,
  content: string,
): KeptAnswer | undefined {
  const key = idempotencyKeyOf(request)
  if (key === undefined) return undefined
  const fingerprint = createHash('sha256').update(`${request.method} ${request.url}\n${content}`).digest('hex')
  const write = { actor: request.actor, key, fingerprint }
  const kept = idempotency.begin(write)
  if (kept === undefined) underWay.set(request, write)
  return kept
}

export function replay(reply: FastifyReply, kept: KeptAnswer): FastifyReply {
  // Bytes are sent as they are; a string would be serialised again.
  return reply
    .code(kept.status)
    .headers(kept.headers)
    .header('idempotency-replayed', 'true')
    .send(Buffer.from(kept.body))
}

function keptHeaders(reply: FastifyReply): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const name of KEPT_HEADERS) {
    const value = reply.getHeader(name)
    if (typeof value === 'string') headers[name] = value
  }
  return headers
}
