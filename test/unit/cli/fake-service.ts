import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { runCli } from '../../../src/cli/run-cli.ts'

/** A request as the fake service saw it. */
export type SeenRequest = {
  method: string
  path: string
  query: string
  headers: IncomingMessage['headers']
  body: string
}

/** What the fake service says: a body (JSON unless it is text), with a status other than 200 first. */
export type FakeAnswer = { status?: number; type?: string; body: unknown }
export type FakeRoutes = Readonly<Record<string, FakeAnswer | ((request: SeenRequest, times: number) => FakeAnswer)>>

export type FakeService = { url: string; seen: SeenRequest[]; close(): Promise<void> }

/** A node:http server that answers `METHOD /path` from a table: both planes at once. */
export async function startFakeService(routes: FakeRoutes): Promise<FakeService> {
  const seen: SeenRequest[] = []
  const times = new Map<string, number>()
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const [path = '', query = ''] = (request.url ?? '').split('?')
    const method = request.method ?? ''
    const record = { method, path, query, headers: request.headers, body: Buffer.concat(chunks).toString() }
    seen.push(record)
    const key = `${method} ${path}`
    const count = (times.get(key) ?? 0) + 1
    times.set(key, count)
    const route = routes[key] ?? { status: 404, body: { code: 'NOT_FOUND', detail: `No route ${key}.` } }
    const { status = 200, type, body } = typeof route === 'function' ? route(record, count) : route
    const isText = typeof body === 'string'
    response.writeHead(status, { 'content-type': type ?? (isText ? 'text/csv' : 'application/json') })
    response.end(isText ? body : JSON.stringify(body))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

export type CliRun = { code: number; out: string; err: string }
/** `isAsked`: standard input is a terminal. */
export type CliSettings = {
  isTTY?: boolean
  isAsked?: boolean
  noColor?: boolean
  stdin?: string
  signal?: AbortSignal
  nowMs?: number
}

/** Runs `zaslon` in this process against `url`, with captured streams. */
export async function zaslon(
  words: readonly string[],
  url = 'http://127.0.0.1:1',
  settings: CliSettings = {},
): Promise<CliRun> {
  const out: string[] = []
  const err: string[] = []
  const isTTY = settings.isTTY === true
  const code = await runCli(words, {
    stdout: { write: (text) => out.push(text), isTTY },
    stderr: { write: (text) => err.push(text), isTTY },
    stdin: Object.assign(inputOf(settings.stdin ?? ''), { isTTY: settings.isAsked === true }),
    config: () => ({ adminUrl: url, verdictUrl: url, noColor: settings.noColor === true }),
    now: () => settings.nowMs ?? Date.UTC(2026, 2, 1),
    interruption: () => settings.signal ?? new AbortController().signal,
  })
  return { code, out: out.join(''), err: err.join('') }
}

async function* inputOf(text: string): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode(text)
}
