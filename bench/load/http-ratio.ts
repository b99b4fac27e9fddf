import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort, runService } from '../../test/support/run-service.ts'
import { generatedNumber, writeNumbersFile } from '../lib/generate-numbers.ts'
import { recordResult } from '../lib/record-result.ts'
import { call, importFile } from '../lib/service-client.ts'
import { median, round } from '../lib/stats.ts'

/**
 * The whole verdict over HTTP on one thread against a bare uWebSockets.js handler that parses the same body and answers a
 * constant of the same size, with a large list active. wrk on the other core, the two sides in turn, several rounds. Every
 * request is another caller and another call id; half the callers are listed.
 */
const SECONDS = 5
const CONNECTIONS = 32

export async function benchHttpRatio(options: { rows: number; rounds: number }): Promise<void> {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'zaslon-bench-'))
  const service = await runService({ processes: 1, threads: 1, dataDirectory: path.join(directory, 'data') })
  const barePort = await freePort()
  const bare = spawn(process.execPath, [path.join(import.meta.dirname, 'bare-uws.js'), String(barePort)], {
    stdio: 'inherit',
  })
  try {
    const file = path.join(directory, 'numbers.csv')
    writeNumbersFile(file, options.rows)
    await call(service, 'PUT', '/v1/lists/large', { kind: 'deny' })
    await importFile(service, 'large', file, 'mode=replace')
    const shares: Record<string, number> = { 'half listed': 0.5, 'none listed': 0 }
    const results: Record<string, unknown> = {}
    for (const [name, share] of Object.entries(shares)) {
      const script = path.join(directory, 'post.lua')
      writeFileSync(script, wrkScript(options.rows, share))
      const verdict: number[] = []
      const constant: number[] = []
      await wrk(service.verdictPort, script, 2)
      await wrk(barePort, script, 2)
      for (let i = 0; i < options.rounds; i++) {
        verdict.push(await wrk(service.verdictPort, script, SECONDS))
        constant.push(await wrk(barePort, script, SECONDS))
      }
      results[name] = {
        verdictsPerSecond: verdict.map(Math.round),
        bareRequestsPerSecond: constant.map(Math.round),
        ratio: round(median(verdict) / median(constant)),
        ratios: verdict.map((value, i) => round(value / (constant[i] ?? Number.NaN))),
      }
    }
    recordResult('http-ratio', { ...options, seconds: SECONDS, connections: CONNECTIONS, ...results })
  } finally {
    bare.kill('SIGKILL')
    await service.stop()
    rmSync(directory, { recursive: true, force: true })
  }
}

/** Requests a second. */
async function wrk(port: number, script: string, seconds: number): Promise<number> {
  await sleep(300)
  const args = ['-t1', `-c${CONNECTIONS}`, `-d${seconds}s`, '-s', script, `http://127.0.0.1:${port}/v1/verdict`]
  const output = runWrk(args)
  if (/Non-2xx|Socket errors/.test(output)) throw new Error(`wrk saw errors:\n${output}`)
  return Number(/Requests\/sec:\s+([\d.]+)/.exec(output)?.[1] ?? Number.NaN)
}

function runWrk(args: readonly string[]): string {
  try {
    return execFileSync('wrk', args, { encoding: 'utf8' })
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'ENOENT')) throw cause
    throw new Error('The load generator wrk is missing: apt-get install wrk', { cause })
  }
}

/** A pool of callers made beforehand, so that Lua's own work stays small. */
function wrkScript(rows: number, listedShare: number): string {
  const callers = Array.from({ length: 10_000 }, (_, i) =>
    i < 10_000 * listedShare ? generatedNumber(Math.floor((i / 10_000) * rows)) : generatedNumber(i, 500_000_000),
  )
  return `
local callers = {${callers.map((caller) => `"${caller}"`).join(',')}}
local n = 0
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
request = function()
  n = n + 1
  local caller = callers[(n * 7919) % #callers + 1]
  return wrk.format(nil, nil, nil, '{"callId":"a84b4c76e66710@pc33.example.org-' .. n .. '","caller":"' .. caller ..
    '","callee":"+79161234567","ingress":{"trunk":"msk-1","kind":"national"}}')
end
`
}
