/**
 * The verdict port on plain fastify, in the place of src/transports/data-plane/node.ts (bench/load/with-fastify.ts): the same
 * handler, so the same decision, log and metrics. None of our own adapters' care with framing, limits and aborts, and bodies
 * as bytes, which spares fastify a parser of its own: both make it faster.
 */
import { type FastifyReply, type FastifyRequest, fastify } from 'fastify'
import { createRequestHead } from '../../src/transports/data-plane/request-head.ts'
import type { ListenVerdicts } from '../../src/transports/data-plane/verdict-server.ts'

/** Stands in for listenOnNode, whose name it has to have. */
export const listenOnNode: ListenVerdicts = async (options, handler, now = Date.now) => {
  const app = fastify()
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))

  function answer(request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const [path = '', query = ''] = request.url.split('?', 2)
    const head = createRequestHead(request.method, path, query)
    head.host = request.headers.host ?? ''
    head.contentType = request.headers['content-type'] ?? ''
    head.body = request.body as Buffer | undefined
    head.receivedMs = now()
    const response = handler.handle(head)
    return reply.code(response.status).header('content-type', response.contentType).send(response.body)
  }

  app.get('/health/ready', answer)
  app.get('/v1/verdict', answer)
  app.post('/v1/verdict', answer)
  app.post('/v1/verdicts', answer)
  app.post('/v1/call-ends', answer)
  await app.listen({ host: options.host, port: options.port })
  return { adapter: 'node', port: options.port, close: () => app.close() }
}
