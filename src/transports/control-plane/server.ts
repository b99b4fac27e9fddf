import { randomUUID } from 'node:crypto'
import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import fastifySwagger from '@fastify/swagger'
import fastifySwaggerUi from '@fastify/swagger-ui'
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest, LogController } from 'fastify'
import { type ErrorCode, ScreeningError } from '../../domain/errors.ts'
import { createAccessGate } from './access.ts'
import { type AllowedMethods, collectAllowedMethods } from './allowed-methods.ts'
import { convertQuery } from './convert-query.ts'
import {
  CONTROL_PLANE_LIMITS,
  type ControlPlaneDependencies,
  type ControlPlaneLimits,
  type ControlPlaneOptions,
  type RouteContext,
} from './dependencies.ts'
import { installKeyedWrites } from './keyed-writes.ts'
import { openApiOptions } from './open-api.ts'
import { installJsonParser } from './parse-json-body.ts'
import { PROBLEM_CONTENT_TYPE, problemOf, toScreeningError } from './problem.ts'
import { createRateLimit } from './rate-limit.ts'
import { installRoutes } from './routes/index.ts'
import { Problem } from './schemas.ts'

/** Headers of one request in all; Node's own default, named because the refusal names it. */
const HEADERS_BYTES_MAX = 16_384
/** A verdict id, an import id, a list name or a number in a path. */
const PATH_PART_CHARS_MAX = 256

/**
 * The control plane: REST for analysts, agents, bots, the console and Prometheus. The caller listens and closes.
 *
 * Order of a request: who asks (access.ts) → how often (rate-limit.ts) → body and query as the route's schema wants them,
 * unknown fields refused → the answer to a repeated write (keyed-writes.ts) → the route → every failure, of ours or of
 * the framework, as a problem document (problem.ts).
 */
export async function createControlPlane(
  options: ControlPlaneOptions,
  dependencies: ControlPlaneDependencies,
): Promise<FastifyInstance> {
  const limits: ControlPlaneLimits = { ...CONTROL_PLANE_LIMITS, ...options.limits }
  const { services, metrics, now, log } = dependencies
  const app = fastify({
    loggerInstance: log,
    // Its own lines name paths, and paths hold numbers: onResponse below logs route patterns instead.
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'requestId' }),
    genReqId: () => randomUUID(),
    http: { maxHeaderSize: HEADERS_BYTES_MAX, headersTimeout: limits.headersTimeoutMs },
    bodyLimit: limits.bodyBytesMax,
    connectionTimeout: limits.idleTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    handlerTimeout: limits.handlerTimeoutMs,
    keepAliveTimeout: 10_000,
    routerOptions: { maxParamLength: PATH_PART_CHARS_MAX, ignoreTrailingSlash: true },
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, useDefaults: true, allErrors: true } },
    frameworkErrors: (error, request, reply) => void sendProblem(error, request, reply),
    clientErrorHandler: answerBrokenRequest,
  })
  app.server.maxConnections = limits.connectionsMax
  // Answers are what the routes made; schemas describe them, and a test holds them to it.
  app.setSerializerCompiler(() => (data) => JSON.stringify(data))
  app.addSchema(Problem)
  app.decorateRequest('actor', '')
  installJsonParser(app)
  const allowed = collectAllowedMethods(app)
  installAccess(
    app,
    options,
    createRateLimit({ perSecond: limits.writesPerSecond, burst: limits.writesBurst }, { now }),
  )
  installKeyedWrites(app, services.idempotency)
  app.addHook('preValidation', async (request) => {
    const query = request.query
    if (typeof query === 'object' && query !== null) {
      convertQuery(query as Record<string, unknown>, request.routeOptions.schema?.querystring)
    }
  })
  app.addHook('onResponse', async (request, reply) => noteAnswer(request, reply, metrics.http))
  app.setErrorHandler(sendProblem)
  app.setNotFoundHandler((request) => refuseUnknown(request, allowed))
  await app.register(fastifySwagger, openApiOptions(options))
  await app.register(fastifySwaggerUi, { routePrefix: '/docs', staticCSP: true, uiConfig: { docExpansion: 'list' } })
  const context: RouteContext = { app, services, options, limits, now }
  await installRoutes(context, dependencies)
  return app
}

function installAccess(app: FastifyInstance, options: ControlPlaneOptions, rateLimit: (actor: string) => void): void {
  const gate = createAccessGate(options)
  app.addHook('onRequest', async (request, reply) => {
    reply.headers({
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
    })
    // Node keeps the first: a proxy before us may have looked at the other one (RFC 9112 section 3.2).
    if (request.raw.rawHeaders.filter((name, i) => i % 2 === 0 && name.toLowerCase() === 'host').length > 1) {
      throw new ScreeningError('HEADER_INVALID', 'Host stands more than once.', { hint: 'Send it once.' })
    }
    const { access, isWrite } = request.routeOptions.config
    const isDocumentation = request.is404 || request.routeOptions.url?.startsWith('/docs') === true
    request.actor = gate.admit(
      { headers: request.headers, remoteAddress: request.socket.remoteAddress ?? '' },
      // A route without a word about access is for administrators: forgetting must not open anything.
      access ?? (isDocumentation ? 'public' : []),
    )
    if (isWrite === true) rateLimit(request.actor)
  })
}

function refuseUnknown(request: FastifyRequest, allowed: AllowedMethods): never {
  const path = request.url.split('?', 1)[0] ?? ''
  const methods = allowed.of(path)
  if (methods.length === 0) throw new ScreeningError('NOT_FOUND', 'There is nothing at this path.')
  throw new ScreeningError('METHOD_NOT_ALLOWED', `${request.method} is not possible here.`, {
    allow: methods.join(', '),
  })
}

function sendProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const failure = toScreeningError(error)
  const problem = problemOf(failure, request.id)
  const facts = { code: problem.code, route: request.routeOptions?.url ?? 'unknown' }
  // What passes by itself comes in thousands while Redis is away: one line each, and no stack.
  if (problem.status === 503) request.log.warn({ ...facts, detail: failure.message }, 'request not served now')
  else if (problem.status >= 500) request.log.error({ ...facts, err: failure }, 'request failed')
  else request.log.debug(facts, 'request refused')
  const { allow, retryAfterSeconds } = failure.details
  if (typeof allow === 'string') reply.header('allow', allow)
  if (retryAfterSeconds !== undefined) reply.header('retry-after', String(retryAfterSeconds))
  if (problem.status === 401) reply.header('www-authenticate', 'Bearer realm="zaslon"')
  // What is left of an unread body must not be taken for the next request.
  if (problem.status === 413 || problem.status === 408) reply.header('connection', 'close')
  return reply
    .code(problem.status)
    .type(PROBLEM_CONTENT_TYPE)
    .send(Buffer.from(JSON.stringify(problem)))
}

function noteAnswer(
  request: FastifyRequest,
  reply: FastifyReply,
  http: ControlPlaneDependencies['metrics']['http'],
): void {
  const route = request.is404 ? 'unknown' : (request.routeOptions.url ?? 'unknown')
  const durationMs = reply.elapsedTime
  http.answered({ method: request.method, route, status: reply.statusCode, durationSeconds: durationMs / 1_000 })
  const facts = {
    method: request.method,
    route,
    status: reply.statusCode,
    durationMs: Math.round(durationMs * 10) / 10,
    actor: request.actor,
  }
  if (request.routeOptions.config?.isWrite === true) request.log.info(facts, 'write answered')
  else request.log.debug(facts, 'request answered')
}

/** Bytes that are not HTTP never reach a route: the answer is written to the socket by hand. */
function answerBrokenRequest(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const [code, detail] = brokenRequest(error.code)
  const problem = problemOf(new ScreeningError(code, detail))
  const body = JSON.stringify(problem)
  socket.end(
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ''}\r\ncontent-type: ${PROBLEM_CONTENT_TYPE}\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  )
}

function brokenRequest(code: string | undefined): [ErrorCode, string] {
  if (code === 'HPE_HEADER_OVERFLOW') return ['HEADERS_TOO_LARGE', 'The headers are too large.']
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return ['REQUEST_TIMEOUT', 'The request did not arrive in time.']
  return ['HEADER_INVALID', 'The request is not valid HTTP/1.1.']
}
