import { spawn } from 'node:child_process'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import autocannon from 'autocannon'
import { freePort, runService } from '../../test/support/run-service.ts'
import { generatedNumber } from '../lib/generate-numbers.ts'
import { recordResult } from '../lib/record-result.ts'
import { median, round } from '../lib/stats.ts'

/**
 * A cross-check with a generator everybody knows: the same verdict request against one thread and against the bare
 * handler, in turn. autocannon is itself JavaScript and saturates first, so the ratio is kinder than wrk's (http-ratio).
 */
export async function benchAutocannon(options: { seconds: number; rounds: number }): Promise<void> {
  const service = await runService({ processes: 1, threads: 1 })
  const barePort = await freePort()
  const bare = spawn(process.execPath, [path.join(import.meta.dirname, 'bare-uws.js'), String(barePort)], {
    stdio: 'inherit',
  })
  try {
    await sleep(500)
    const verdict: autocannon.Result[] = []
    const constant: autocannon.Result[] = []
    for (let round = 0; round < options.rounds; round++) {
      verdict.push(await fire(service.verdictPort, options.seconds))
      constant.push(await fire(barePort, options.seconds))
    }
    const figures = (results: autocannon.Result[]) => ({
      requestsPerSecond: results.map((result) => Math.round(result.requests.average)),
      p99Ms: results.map((result) => result.latency.p99),
      errors: results.reduce((sum, result) => sum + result.errors + result.non2xx, 0),
    })
    const ratio =
      median(verdict.map((result) => result.requests.average)) /
      median(constant.map((result) => result.requests.average))
    recordResult(options.seconds >= 5 ? 'autocannon' : 'autocannon-quick', {
      ...options,
      verdict: figures(verdict),
      bare: figures(constant),
      ratio: round(ratio),
    })
  } finally {
    bare.kill('SIGKILL')
    await service.stop()
  }
}

let calls = 0

async function fire(port: number, seconds: number): Promise<autocannon.Result> {
  return autocannon({
    url: `http://127.0.0.1:${port}/v1/verdict`,
    connections: 32,
    pipelining: 1,
    duration: seconds,
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    setupClient: (client) => client.setBody(body()),
    requests: [{ setupRequest: (request) => ({ ...request, body: body() }) }],
  })
}

function body(): string {
  const caller = generatedNumber(calls++ % 10_000, 500_000_000)
  return JSON.stringify({
    callId: `call-${calls}`,
    caller,
    callee: '+79161234567',
    ingress: { trunk: 'msk-1', kind: 'national' },
  })
}
