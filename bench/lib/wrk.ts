import { execFile } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { generatedNumber } from './generate-numbers.ts'
import { MissingToolError } from './missing-tool-error.ts'
import { cpuMicroseconds } from './process-cpu.ts'

export const CONNECTIONS = 32
/** wrk waits 2 s for an answer; the rest is to start and to end. */
const ANSWERS_MS = 20_000

export type Side = { readonly pid: number; readonly port: number }
export type Round = { readonly perSecond: number; readonly cpuMicroseconds: number }

/** Requests a second and processor time a request of one process, after a short rest. */
export async function wrk({ pid, port }: Side, script: string, seconds: number): Promise<Round> {
  await sleep(300)
  const before = cpuMicroseconds(pid)
  const args = ['-t1', `-c${CONNECTIONS}`, `-d${seconds}s`, '-s', script, `http://127.0.0.1:${port}/v1/verdict`]
  const output = await runWrk(args, seconds * 1_000 + ANSWERS_MS)
  if (/Non-2xx|Socket errors/.test(output)) throw new Error(`wrk saw errors:\n${output}`)
  const requests = Number(/(\d+) requests in/.exec(output)?.[1])
  return {
    perSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(output)?.[1]),
    cpuMicroseconds: (cpuMicroseconds(pid) - before) / requests,
  }
}

/** What wrk prints. Services go on printing meanwhile: this process must go on reading it, or they wait. */
export async function runWrk(
  args: readonly string[],
  limitMs: number,
  prefix: readonly string[] = [],
): Promise<string> {
  const [command = '', ...words] = [...prefix, 'wrk', ...args]
  try {
    return (await promisify(execFile)(command, words, { timeout: limitMs })).stdout
  } catch (cause) {
    // A program put before it says so itself, with 127.
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
    if (code !== 'ENOENT' && code !== 127) throw cause
    throw new MissingToolError('The load generator wrk is missing: apt-get install wrk', { cause })
  }
}

/** Of `rows` listed numbers that share; a pool of callers made beforehand, so that Lua's own work stays small. */
export function wrkScript(rows: number, listedShare: number): string {
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
