/** The same question by generators everybody knows: are the ratios those that our own one finds? */
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { POOLS } from '../generator/traffic.ts'
import { generatedNumber } from '../lib/generate-numbers.ts'
import { interleave } from '../lib/interleave.ts'
import { MissingToolError } from '../lib/missing-tool-error.ts'
import { GENERATOR_CORE, pinned } from '../lib/pin.ts'
import { cpuNanoseconds } from '../lib/process-cpu.ts'
import { median } from '../lib/stats.ts'
import { CONNECTIONS, runWrk } from '../lib/wrk.ts'
import type { ResultTable } from '../suite/part.ts'
import { plain } from '../suite/print-result.ts'
import { ratioText } from './comparison.ts'
import type { Contender } from './contender.ts'
import type { Contenders } from './contenders.ts'

const TOOLS = ['wrk', 'autocannon'] as const
type Tool = (typeof TOOLS)[number]
const SERVERS = ['ours', 'bare'] as const
type SideId = `${Tool}:${(typeof SERVERS)[number]}`
type Sent = { readonly perSecond: number; readonly requests: number }
type Round = { readonly perSecond: number; readonly cpuMicroseconds: number }

export type CrossCheck = { readonly table: ResultTable; readonly raw: Record<string, unknown> }

export async function crossCheck(
  contenders: Contenders,
  { quick, listed }: { readonly quick: boolean; readonly listed: number },
): Promise<CrossCheck> {
  const script = path.join(os.tmpdir(), 'post.lua')
  writeFileSync(script, wrkScript(listed))
  const seconds = quick ? 1 : 3
  const missing = new Map<Tool, string>()
  const measure = async (id: SideId): Promise<Round | undefined> => {
    const [tool, server] = id.split(':') as [Tool, (typeof SERVERS)[number]]
    if (missing.has(tool)) return undefined
    try {
      return await measured(contenders[server], (port) =>
        tool === 'wrk' ? byWrk(port, script, seconds) : byAutocannon(port, seconds),
      )
    } catch (error) {
      if (!(error instanceof MissingToolError)) throw error
      missing.set(tool, error.message)
      return undefined
    }
  }
  if (quick) missing.set('autocannon', 'autocannon is left out of a quick run.')
  const ids = TOOLS.flatMap((tool) => SERVERS.map((server) => `${tool}:${server}` as const))
  const rounds = await interleave(ids, quick ? 1 : 3, measure, { isWarm: quick })
  return { table: tableOf(rounds, missing), raw: { seconds, rounds } }
}

async function measured({ port, pids }: Contender, send: (port: number) => Promise<Sent>): Promise<Round> {
  const before = cpuNanoseconds(pids)
  const { perSecond, requests } = await send(port)
  return { perSecond, cpuMicroseconds: (cpuNanoseconds(pids) - before) / 1_000 / requests }
}

function tableOf(rounds: Record<SideId, (Round | undefined)[]>, missing: ReadonlyMap<Tool, string>): ResultTable {
  const medianOf = (id: SideId, field: keyof Round) => median(rounds[id].map((round) => round?.[field] ?? Number.NaN))
  const rows = TOOLS.map((tool) => {
    const why = missing.get(tool)
    if (why !== undefined) return [tool, 'not run', '', '', '', '', '']
    const side = (server: (typeof SERVERS)[number]) => [
      plain(medianOf(`${tool}:${server}`, 'perSecond')),
      `${medianOf(`${tool}:${server}`, 'cpuMicroseconds').toFixed(2)} µs`,
    ]
    const ratio = (field: keyof Round) => medianOf(`${tool}:ours`, field) / medianOf(`${tool}:bare`, field)
    return [
      tool,
      ...side('ours'),
      ...side('bare'),
      ratioText(ratio('perSecond')),
      ratioText(1 / ratio('cpuMicroseconds')),
    ]
  })
  return {
    title: 'Cross-check: HTTP POST by other generators',
    head: ['generator', 'Zaslon', '', 'bare uWebSockets.js', '', 'ratio', 'per core'],
    rows,
    note:
      'No ends, so both do less than above. autocannon is itself slower than either server: its ratio of rates says nothing. ' +
      [...missing.values()].join(' '),
  }
}

/** wrk and autocannon wait 2 s and 10 s for an answer. */
const ANSWERS_MS = 20_000

async function byWrk(port: number, script: string, seconds: number): Promise<Sent> {
  const url = `http://127.0.0.1:${port}/v1/verdict`
  const args = ['-t1', `-c${CONNECTIONS}`, `-d${seconds}s`, '-s', script, url]
  const output = await runWrk(args, seconds * 1_000 + ANSWERS_MS, pinned(GENERATOR_CORE))
  if (/Non-2xx|Socket errors/.test(output)) throw new Error(`wrk saw errors:\n${output}`)
  return {
    perSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(output)?.[1]),
    requests: Number(/(\d+) requests in/.exec(output)?.[1]),
  }
}

async function byAutocannon(port: number, seconds: number): Promise<Sent> {
  const program = path.join(import.meta.dirname, 'autocannon.js')
  const [command = '', ...args] = [...pinned(GENERATOR_CORE), process.execPath, program, String(port), String(seconds)]
  const { stdout } = await promisify(execFile)(command, args, { timeout: seconds * 1_000 + ANSWERS_MS })
  return JSON.parse(stdout) as Sent
}

const CALLERS = 20_000

/** Whole requests but for twelve digits of the call id: all that Lua has to do is to put three texts together. */
function wrkScript(listed: number): string {
  const tails = Array.from({ length: CALLERS }, (_, index) => {
    const isListed = index % 200 === 0
    const caller = isListed ? generatedNumber(index % listed) : generatedNumber(index, POOLS.unknown.first)
    const callee = generatedNumber(index, POOLS.callees.first)
    return `@192.0.2.1","caller":"${caller}","callee":"${callee}","ingress":{"trunk":"msk-1","kind":"national"}}`
  })
  const start = '{"callId":"a84b4c76e66710-'
  const length = start.length + 12 + (tails[0]?.length ?? 0)
  return `
local head = 'POST /v1/verdict HTTP/1.1\\r\\nHost: 127.0.0.1\\r\\nContent-Type: application/json\\r\\nContent-Length: ${length}\\r\\n\\r\\n${start}'
local tails = {${tails.map((tail) => `'${tail}'`).join(',')}}
local n = 100000000000 + (os.time() % 100000) * 1000000
local i = 0
request = function()
  n = n + 1
  i = i % ${CALLERS} + 1
  return head .. n .. tails[i]
end
`
}
