/**
 * autocannon in a process of its own, so that it can be pinned: POST verdicts of callers nobody knows, each call with an id of
 * its own. Prints {"perSecond":…,"requests":…}.
 *
 *   node dist/bench/load/autocannon.js PORT SECONDS
 */
import autocannon from 'autocannon'
import { generatedNumber } from '../lib/generate-numbers.ts'

const [port, seconds] = process.argv.slice(2).map(Number)
const run = Date.now()
let calls = 0

const result = await autocannon({
  url: `http://127.0.0.1:${port}/v1/verdict`,
  connections: 32,
  duration: seconds ?? 1,
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  requests: [
    {
      method: 'POST',
      setupRequest(request) {
        calls++
        const [caller, callee] = [generatedNumber(calls, 500_000_000), generatedNumber(calls, 600_000_000)]
        const ingress = { trunk: 'msk-1', kind: 'national' }
        return { ...request, body: JSON.stringify({ callId: `${run}-${calls}@192.0.2.1`, caller, callee, ingress }) }
      },
    },
  ],
})
if (result.errors + result.non2xx > 0) throw new Error(`autocannon saw ${result.errors + result.non2xx} errors.`)
const { total } = result.requests
process.stdout.write(JSON.stringify({ perSecond: total / result.duration, requests: total }))
