import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { freePort, runService } from '../../test/support/run-service.ts'
import { writeNumbersFile } from '../lib/generate-numbers.ts'
import { recordResult } from '../lib/record-result.ts'
import { call, importFile } from '../lib/service-client.ts'
import { median, round } from '../lib/stats.ts'
import { CONNECTIONS, type Round, type Side, wrk, wrkScript } from '../lib/wrk.ts'

/**
 * The whole verdict over HTTP on one thread against a bare uWebSockets.js handler that parses the same body and answers a
 * constant of the same size, with a large list active. wrk on the other core, the two sides in turn, several rounds. Every
 * request is another caller and another call id; nobody, one in a hundred (as in life) or every second caller is listed.
 *
 * Beside requests a second, processor time a request: all threads of the process, log writing included. It is what is left
 * when wrk, which makes every request in Lua, is the slower of the two, and a busy machine disturbs it less.
 */
const SECONDS = 5

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
