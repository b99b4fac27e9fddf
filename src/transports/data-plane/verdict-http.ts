/**
 * The HTTP side of the data plane: one request in, one answer out, synchronously (docs/wire.md).
 *
 * A verdict request is answered whatever it says about the caller. What is refused (malformed JSON, not an object, a
 * body over the limit) gets a problem document and has no effect.
 */
import { type AccessOptions, createAccessCheck } from './access.ts'
import {
  type CallScreening,
  type CallScreeningDependencies,
  type CallScreeningOptions,
  createCallScreening,
} from './call-screening.ts'
import { decodeBody, isJsonObject, MALFORMED, parseJson } from './json-text.ts'
import { parseQuery } from './parse-query.ts'
import { type Problem, problemResponse } from './problem.ts'
import type { SocketCreditsOptions } from './socket-credits.ts'
import { BATCH_BYTES_MAX, callEndsRoute, verdictsRoute } from './verdict-batch.ts'
import type { VerdictHandler, VerdictRequest, VerdictResponse } from './verdict-server.ts'
import { createSocketProtocols } from './verdict-sockets.ts'

export type DataPlaneOptions = CallScreeningOptions &
  AccessOptions &
  SocketCreditsOptions & { readonly webSocketPath: string }

export type DataPlaneDependencies = CallScreeningDependencies & {
  /** For /health/ready. */
  readonly processHealth: () => ProcessHealth
}

export type ProcessHealth = {
  /** Epoch milliseconds when this process last knew itself up to date with the record. */
  readonly freshMs: number
  /** Its supervisor is gone: it ends soon. */
  readonly isUnsupervised: boolean
}

export type Route = (request: VerdictRequest) => VerdictResponse

type Endpoint = {
  readonly GET?: Route
  readonly POST?: Route
  readonly bodyBytesMax: number
  /** Answers HEAD like GET and needs no key: for load balancers. */
  readonly isHealth?: boolean
}

export const VERDICT_PATH = '/v1/verdict'

/** Body limit of one call event: a full one is about 600 bytes. */
export const VERDICT_BYTES_MAX = 16 * 1024

const JSON_TYPE = 'application/json'
const TEXT_TYPE = 'text/plain; charset=utf-8'
const NO_STORE = [['cache-control', 'no-store']] as const

/** Everything the verdict port means, for any adapter (uws.ts, node.ts). One per verdict thread. */
export function createVerdictHandler(options: DataPlaneOptions, dependencies: DataPlaneDependencies): VerdictHandler {
  const screening = createCallScreening(options, dependencies)
  const { events } = dependencies
  const checkAccess = createAccessCheck(options)
  const verdicts = verdictsRoute(screening)
  const callEnds = callEndsRoute(screening)
  const endpoints: ReadonlyMap<string, Endpoint> = new Map<string, Endpoint>([
    [VERDICT_PATH, { POST: postVerdict(screening), GET: getVerdict(screening), bodyBytesMax: VERDICT_BYTES_MAX }],
    ['/v1/verdicts', { POST: verdicts, bodyBytesMax: BATCH_BYTES_MAX }],
    ['/v1/call-ends', { POST: callEnds, bodyBytesMax: BATCH_BYTES_MAX }],
    [options.webSocketPath, { GET: upgradeWanted, bodyBytesMax: 0 }],
    ['/health/live', { GET: live, bodyBytesMax: 0, isHealth: true }],
    ['/health/ready', { GET: ready(screening, dependencies.processHealth), bodyBytesMax: 0, isHealth: true }],
  ])

  function route(request: VerdictRequest): VerdictResponse {
    const endpoint = endpoints.get(request.path)
    if (endpoint === undefined) return problemResponse(NO_SUCH_PATH)
    const method = request.method === 'HEAD' && endpoint.isHealth === true ? 'GET' : request.method
    const answer = method === 'POST' ? endpoint.POST : method === 'GET' ? endpoint.GET : undefined
    if (answer === undefined) return problemResponse(NO_SUCH_METHOD, [['allow', allowed(endpoint)]])
    return answer(request)
  }

  /** The path is looked at when the client may not come in: a verdict asks for one look at the client, no more. */
  function refuse(request: VerdictRequest): VerdictResponse | undefined {
    const why = checkAccess(request)
    if (why === undefined || endpoints.get(request.path)?.isHealth === true) return undefined
    events.refused()
    return why
  }

  function refusal(problem: Problem): VerdictResponse {
    events.refused()
    return problemResponse(problem)
  }

  return {
    bodyBytesMax: (path) => endpoints.get(path)?.bodyBytesMax ?? 0,
    handle(request) {
      const response = route(request)
      if (response.status >= 400 && response.status < 500) events.refused()
      return response
    },
    refuse,
    refusal,
    connectionRefused: () => events.connectionRefused(),
    faulted(error) {
      events.fault(error)
      return problemResponse(FAULT)
    },
    ...createSocketProtocols(options, screening),
  }
}

/** POST /v1/verdict: one call event as JSON. The content type is not asked for: switches send all sorts. */
function postVerdict(screening: CallScreening): Route {
  return (request) => {
    const isText = wantsText(request.accept)
    const bytes = request.body ?? NO_BYTES
    const answer = isText ? undefined : screening.answerBytes(bytes, request.receivedMs)
    if (answer !== undefined) return { status: 200, contentType: JSON_TYPE, body: answer }
    const text = decodeBody(bytes)
    const event = text === undefined ? MALFORMED : parseJson(text)
    if (event === MALFORMED) return problemResponse(NOT_JSON)
    if (!isJsonObject(event)) return problemResponse(NOT_AN_EVENT)
    if (!isText) {
      return { status: 200, contentType: JSON_TYPE, body: screening.answerEvent(event, request.receivedMs) }
    }
    screening.reader.readEvent(event, screening.call, request.receivedMs)
    screening.screener.screen(screening.call, screening.decision)
    return { status: 200, contentType: TEXT_TYPE, body: screening.renderer.text(screening.decision) }
  }
}

/** GET /v1/verdict?caller=&callee=&trunk=&kind=&callId=: for switches that can only fetch. */
function getVerdict({ screener, reader, renderer, call, decision, answerQuery }: CallScreening): Route {
  return (request) => {
    const isText = wantsText(request.accept)
    const contentType = isText ? TEXT_TYPE : JSON_TYPE
    const answer = answerQuery(request.query, request.receivedMs, isText)
    if (answer !== undefined) return { status: 200, contentType, body: answer, headers: NO_STORE }
    const query = parseQuery(request.query)
    if (query === undefined) return problemResponse(QUERY_AMBIGUOUS)
    const callId = reader.readQuery(query, call, request.receivedMs)
    screener.screen(call, decision)
    const body = isText ? renderer.text(decision) : renderer.json(decision, callId)
    return { status: 200, contentType, body, headers: NO_STORE }
  }
}

/** JSON unless text/plain is asked for and JSON is not; media types in any case (RFC 9110 section 8.3.1). */
function wantsText(accept: string): boolean {
  // What nearly every switch sends, at the price of a comparison.
  if (accept === '' || accept === '*/*' || accept === JSON_TYPE) return false
  const types = accept.toLowerCase()
  return types.includes('text/plain') && !types.includes('json')
}

function live(): VerdictResponse {
  return { status: 200, contentType: JSON_TYPE, body: '{"status":"live"}', headers: NO_STORE }
}

/** 503 until the first state is installed; then 200 on the last good one, with its age when that is known. */
function ready({ screener, now }: CallScreening, processHealth: () => ProcessHealth): Route {
  return () => {
    if (screener.generation === 0) return problemResponse(NOT_READY)
    const { freshMs, isUnsupervised } = processHealth()
    const body = JSON.stringify({
      status: 'ready',
      policy: screener.policyLabel,
      generation: screener.generation,
      ...(freshMs === 0 ? {} : { stateAgeMs: Math.max(0, Math.round(now() - freshMs)) }),
      ...(isUnsupervised ? { unsupervised: true } : {}),
    })
    return { status: 200, contentType: JSON_TYPE, body, headers: NO_STORE }
  }
}

function upgradeWanted(): VerdictResponse {
  return problemResponse(NOT_UPGRADED)
}

function allowed(endpoint: Endpoint): string {
  const methods = endpoint.GET === undefined ? [] : endpoint.isHealth === true ? ['GET', 'HEAD'] : ['GET']
  if (endpoint.POST !== undefined) methods.push('POST')
  return methods.join(', ')
}

const NO_BYTES = new Uint8Array(0)

const NO_SUCH_PATH: Problem = {
  code: 'NOT_FOUND',
  detail: 'There is nothing at this path.',
  hint: 'The verdict port serves /v1/verdict, /v1/verdicts, /v1/call-ends, /v1/calls and /health; lists and reports are on the control port.',
}
const NO_SUCH_METHOD: Problem = {
  code: 'METHOD_NOT_ALLOWED',
  detail: 'This path does not answer to this method.',
  hint: 'The Allow header names the methods it answers to.',
}
const NOT_JSON: Problem = {
  code: 'JSON_MALFORMED',
  detail: 'The body is not JSON in UTF-8.',
  hint: 'Send one call event, for example {"callId":"abc","caller":"+79160000000","callee":"+79030000000"}.',
}
const NOT_AN_EVENT: Problem = {
  code: 'BODY_INVALID',
  detail: 'The body is JSON, but not an object.',
  hint: 'Send one call event as a JSON object here; arrays go to /v1/verdicts.',
}
const QUERY_AMBIGUOUS: Problem = {
  code: 'QUERY_INVALID',
  detail: 'A query parameter stands twice, or there are more than 64.',
  hint: 'Send each of caller, callee, trunk, kind and callId once; write & inside a value as %26.',
}
const NOT_UPGRADED: Problem = {
  code: 'HEADER_INVALID',
  detail: 'This path speaks WebSocket only.',
  hint: 'Open it as a WebSocket with the subprotocol zaslon.json.v1 or zaslon.bin.v1.',
}
const NOT_READY: Problem = {
  code: 'UNAVAILABLE',
  detail: 'No state is loaded yet: verdicts are allow, with the reason not-ready.',
  hint: 'Wait for the start to finish; a control process that never comes up is in the log.',
}
const FAULT: Problem = {
  code: 'INTERNAL',
  detail: 'The screening of this request failed.',
  hint: 'Let the call through; the log of the verdict process has the cause.',
}
