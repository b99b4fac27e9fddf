import { createRequire } from 'node:module'

/** The opponent: uWebSockets.js, JSON.parse of the body, a constant answer about as long as a verdict. */
type Response = {
  onAborted(handler: () => void): Response
  onData(handler: (chunk: ArrayBuffer, isLast: boolean) => void): Response
  cork(handler: () => void): Response
  writeHeader(name: string, value: string): Response
  end(body: string): Response
}
type Bare = {
  App(): {
    post(
      pattern: string,
      handler: (response: Response) => void,
    ): { listen(host: string, port: number, done: (socket: unknown) => void): void }
  }
}

const load = createRequire(import.meta.url)
const uws = loadNewest()
const body = JSON.stringify({
  verdictId: '0'.repeat(32),
  callId: 'a84b4c76e66710@pc33.example.org-1000000',
  decision: 'allow',
  score: 0,
  reasons: [{ code: 'no-evidence', basis: 'analytics', points: 0 }],
  sip: { action: 'forward', headers: { 'X-Zaslon-Verdict': '0'.repeat(32) } },
  policy: 'default@1',
})

uws
  .App()
  .post('/*', (response) => {
    response.onAborted(() => {})
    response.onData((chunk, isLast) => {
      if (!isLast) return
      JSON.parse(Buffer.from(chunk).toString('utf8'))
      response.cork(() => response.writeHeader('content-type', 'application/json').end(body))
    })
  })
  .listen('127.0.0.1', Number(process.argv[2]), (socket) => {
    if (!socket) throw new Error('The port is taken.')
  })

function loadNewest(): Bare {
  for (const name of ['uws-modern', 'uws-legacy']) {
    try {
      return load(name) as Bare
    } catch {
      // No binary for this Node or glibc: the next one.
    }
  }
  throw new Error('No uWebSockets.js binary loads here.')
}
