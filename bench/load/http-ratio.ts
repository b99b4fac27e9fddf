import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort, runService } from '../../test/support/run-service.ts'
import { generatedNumber, writeNumbersFile } from '../lib/generate-numbers.ts'
import { cpuMicroseconds } from '../lib/process-cpu.ts'
import { recordResult } from '../lib/record-result.ts'
import { call, importFile } from '../lib/service-client.ts'
import { median, round } from '../lib/stats.ts'

/**
 * The whole verdict over HTTP on one thread against a bare uWebSockets.js handler that parses the same body and answers a
 * constant of the same size, with a large list active. wrk on the other core, the two sides in turn, several rounds. Every
 * request is another caller and another call id; nobody, one in a hundred (as in life) or every second caller is listed.
 *
 * Beside requests a second, processor time a request: all threads of the process, log writing included. It is what is left
 * when wrk, which makes every request in Lua, is the slower of the two, and a busy machine disturbs it less.
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
    const [verdictPid = 0] = service.pids('verdict')
    const sides = {
      verdict: { pid: verdictPid, port: service.verdictPort },
      bare: { pid: bare.pid ?? 0, port: barePort },
    }
    const shares: Record<string, number> = { 'none listed': 0, 'one in 100 listed': 0.01, 'half listed': 0.5 }
    const results: Record<string, unknown> = {}
    for (const [name, share] of Object.entries(shares)) {
      const script = path.join(directory, 'post.lua')
      writeFileSync(script, wrkScript(options.rows, share))
      results[name] = await compare(sides, script, options.rounds)
    }
    recordResult(options.rows >= 1e7 ? 'http-ratio' : 'http-ratio-quick', {
      ...options,
      seconds: SECONDS,
      connections: CONNECTIONS,
      ...results,
    })
  } finally {
    bare.kill('SIGKILL')
    await service.stop()
    rmSync(directory, { recursive: true, force: true })
  }
}

type Side = { readonly pid: number; readonly port: number }
type Round = { readonly perSecond: number; readonly cpuMicroseconds: number }

async function compare(sides: { verdict: Side; bare: Side }, script: string, rounds: number): Promise<object> {
  const verdict: Round[] = []
  const constant: Round[] = []
  await wrk(sides.verdict, script, 2)
  await wrk(sides.bare, script, 2)
  for (let i = 0; i < rounds; i++) {
    verdict.push(await wrk(sides.verdict, script, SECONDS))
    constant.push(await wrk(sides.bare, script, SECONDS))
  }
  const rates = (side: Round[]) => side.map(({ perSecond }) => Math.round(perSecond))
  const cpu = (side: Round[]) => side.map(({ cpuMicroseconds }) => round(cpuMicroseconds))
  return {
    verdictsPerSecond: rates(verdict),
    bareRequestsPerSecond: rates(constant),
    ratio: round(median(rates(verdict)) / median(rates(constant))),
    ratios: rates(verdict).map((value, i) => round(value / (rates(constant)[i] ?? Number.NaN))),
    verdictCpuMicroseconds: cpu(verdict),
    bareCpuMicroseconds: cpu(constant),
    cpuRatio: round(median(cpu(constant)) / median(cpu(verdict))),
  }
}

async function wrk({ pid, port }: Side, script: string, seconds: number): Promise<Round> {
  await sleep(300)
  const before = cpuMicroseconds(pid)
  const args = ['-t1', `-c${CONNECTIONS}`, `-d${seconds}s`, '-s', script, `http://127.0.0.1:${port}/v1/verdict`]
  const output = runWrk(args)
  if (/Non-2xx|Socket errors/.test(output)) throw new Error(`wrk saw errors:\n${output}`)
  const requests = Number(/(\d+) requests in/.exec(output)?.[1])
  return {
    perSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(output)?.[1]),
    cpuMicroseconds: (cpuMicroseconds(pid) - before) / requests,
  }
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
local run = os.time()
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
request = function()
  n = n + 1
  local caller = callers[(n * 7919) % #callers + 1]
  return wrk.format(nil, nil, nil, '{"callId":"a84b4c76e66710@pc33.example.org-' .. run .. '-' .. n .. '","caller":"' .. caller ..
    '","callee":"+79161234567","ingress":{"trunk":"msk-1","kind":"national"}}')
end
`
}
