import { CliFailure, interruptedFailure, type Problem } from './cli-failure.ts'
import { EXIT } from './exit-codes.ts'

/** Which of the two ports: verdicts, or everything else. */
export type Plane = 'control' | 'verdict'

type ServiceRequest = {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>
  /** Sent as JSON. */
  readonly json?: unknown
  /** Sent as it is, with `contentType`. */
  readonly body?: string | ReadableStream<Uint8Array>
  readonly contentType?: string
  readonly accept?: string
  /** 0: wait as long as it takes (uploads, exports). */
  readonly timeoutMs?: number
}

export type ServiceClientOptions = {
  readonly adminUrl: string
  readonly verdictUrl: string
  readonly apiKey?: string | undefined
  readonly timeoutMs: number
}

export type ServiceClient = {
  readonly options: ServiceClientOptions
  /** The parsed body of a 2xx answer. Throws CliFailure: `unreachable`, `refused` (4xx) or `failed`. */
  call(plane: Plane, path: string, request?: ServiceRequest): Promise<unknown>
  /** The same, with the answer's body still to be read. */
  open(plane: Plane, path: string, request?: ServiceRequest): Promise<Response>
}

/** HTTP to a node. `signal` aborts whatever is under way (Ctrl-C). */
export function createServiceClient(
  options: ServiceClientOptions,
  dependencies: { readonly signal: AbortSignal },
): ServiceClient {
  async function open(plane: Plane, path: string, request: ServiceRequest = {}): Promise<Response> {
    const base = plane === 'verdict' ? options.verdictUrl : options.adminUrl
    const url = buildUrl(base, path, request.query)
    const timeoutMs = request.timeoutMs ?? options.timeoutMs
    const signals = [dependencies.signal, ...(timeoutMs > 0 ? [AbortSignal.timeout(timeoutMs)] : [])]
    let answer: Response
    try {
      answer = await fetch(url, { ...toInit(request, options.apiKey), signal: AbortSignal.any(signals) })
    } catch (cause) {
      throw dependencies.signal.aborted ? interruptedFailure() : unreachable(base, plane, timeoutMs, cause)
    }
    if (!answer.ok) throw await refused(answer, base)
    return answer
  }
  return {
    options,
    open,
    async call(plane, path, request) {
      const answer = await open(plane, path, request)
      const text = await answer.text()
      if (text === '') return undefined
      try {
        return JSON.parse(text) as unknown
      } catch (cause) {
        const hint = 'Check the address: something else may be listening there.'
        throw new CliFailure(EXIT.failed, `${answer.url} did not answer with JSON.`, { hint }, { cause })
      }
    },
  }
}

function buildUrl(base: string, path: string, query: ServiceRequest['query']): URL {
  let url: URL
  try {
    url = new URL(`${base}${path}`)
  } catch {
    throw new CliFailure(EXIT.usage, `"${base}" is not a URL.`, { hint: 'Write it as http://127.0.0.1:8080.' })
  }
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined) url.searchParams.set(name, String(value))
  }
  return url
}

function toInit(request: ServiceRequest, apiKey: string | undefined): RequestInit & { duplex?: 'half' } {
  const headers: Record<string, string> = { accept: request.accept ?? 'application/json' }
  if (apiKey) headers.authorization = `Bearer ${apiKey}`
  const body = request.json === undefined ? request.body : JSON.stringify(request.json)
  if (body !== undefined) headers['content-type'] = request.contentType ?? 'application/json'
  return {
    method: request.method ?? 'GET',
    headers,
    redirect: 'error',
    ...(body === undefined ? {} : { body }),
    ...(typeof body === 'object' ? { duplex: 'half' } : {}),
  }
}

function unreachable(base: string, plane: Plane, timeoutMs: number, cause: unknown): CliFailure {
  const reason = reasonOf(cause)
  if (reason === 'TimeoutError') {
    const message = `${base} did not answer within ${timeoutMs / 1000} s.`
    return new CliFailure(EXIT.unreachable, message, { code: 'TIMEOUT' }, { cause })
  }
  const option = plane === 'verdict' ? '--verdict-url or ZASLON_VERDICT_PORT' : '--url or ZASLON_ADMIN_PORT'
  const hint = `Start it with "zaslon serve", or name another address with ${option}.`
  return new CliFailure(
    EXIT.unreachable,
    `${base} cannot be reached (${reason}).`,
    { code: 'UNREACHABLE', hint },
    { cause },
  )
}

/** What is at the bottom of a failed fetch: ECONNREFUSED, ENOTFOUND, UND_ERR_SOCKET, TimeoutError, `bad port`. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown'
  // A name with several addresses fails once for each: the first says enough.
  const inner: unknown = error instanceof AggregateError ? error.errors[0] : error.cause
  if (inner instanceof Error) return reasonOf(inner)
  if ('code' in error && typeof error.code === 'string') return error.code
  return error.name === 'Error' || error.name === 'TypeError' ? error.message : error.name
}

async function refused(answer: Response, base: string): Promise<CliFailure> {
  const exitCode = answer.status < 500 ? EXIT.refused : EXIT.failed
  const problem = toProblem(await answer.text().catch(() => ''))
  if (!problem) {
    const message = `${base} answered ${answer.status} ${answer.statusText}.`.replace(/ \.$/, '.')
    return new CliFailure(exitCode, message, { status: answer.status })
  }
  const message = problem.detail ?? problem.title ?? `${base} answered ${answer.status}.`
  return new CliFailure(exitCode, message, { status: answer.status, ...problem })
}

function toProblem(text: string): Problem | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Problem) : undefined
  } catch {
    return undefined
  }
}
