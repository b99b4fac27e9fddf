/**
 * What the verdict port costs beside the bare library: the real handler and adapter over a screener that decides nothing,
 * against bench/load/bare-uws.ts (JSON.parse, a constant answer). The two in turn, wrk on the other core.
 *
 *   npx tsc && node dist/bench/micro/verdict-http.js [--quick]
 *
 * Both as requests a second and as processor time a request, which a busy machine disturbs less.
 *
 * The whole verdict, with the engine and a large list, is `npm run bench -- load`.
 */
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { listenVerdicts } from '../../src/transports/data-plane/choose-adapter.ts'
import { freePort } from '../../test/support/run-service.ts'
import { cpuMicroseconds } from '../lib/process-cpu.ts'
import { machine } from '../lib/record-result.ts'
import { median, round } from '../lib/stats.ts'
import { bareHandler, constantScreener } from './bare-handler.ts'

const SECONDS = 3
const ROUNDS = process.argv.includes('--quick') ? 3 : 9
const BODY =
  '{"callId":"a84b4c76e66710@pc33.example.org","caller":"+79161234567","callee":"+79031112233","ingress":{"trunk":"north-1","kind":"national"},"stir":{"attest":"A"}}'

async function serve(port: number): Promise<void> {
  const handler = bareHandler(constantScreener, Date.now)
  const paths = { verdictPath: '/v1/verdict', webSocketPath: '/v1/calls' }
  const options = { ...paths, connectionsMax: 1_000, webSocketMessageBytesMax: 65_536 }
  await listenVerdicts('uws')({ host: '127.0.0.1', port, idleTimeoutSeconds: 60, ...options }, handler)
}

type Round = { perSecond: number; cpuMicroseconds: number }

function wrk(pid: number, port: number, script: string, seconds: number): Round {
  const url = `http://127.0.0.1:${port}/v1/verdict`
  const before = cpuMicroseconds(pid)
  const output = execFileSync('wrk', ['-t1', '-c32', `-d${seconds}`, '-s', script, url], { encoding: 'utf8' })
  if (/Non-2xx/.test(output)) throw new Error(`The server refuses the requests:\n${output}`)
  const requests = Number(/(\d+) requests in/.exec(output)?.[1])
  return {
    perSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(output)?.[1]),
    cpuMicroseconds: (cpuMicroseconds(pid) - before) / requests,
  }
}

async function compare(): Promise<void> {
  const directory = mkdtempSync(path.join(tmpdir(), 'zaslon-bench-'))
  const script = path.join(directory, 'post.lua')
  writeFileSync(
    script,
    `wrk.method = "POST"\nwrk.body = [[${BODY}]]\nwrk.headers["Content-Type"] = "application/json"\n`,
  )
  const bare = path.join(import.meta.dirname, '../load/bare-uws.js')
  const ports = { handler: await freePort(), bare: await freePort() }
  const children = {
    handler: spawn(process.execPath, [import.meta.filename, 'serve', String(ports.handler)], { stdio: 'inherit' }),
    bare: spawn(process.execPath, [bare, String(ports.bare)], { stdio: 'inherit' }),
  }
  const run = (side: 'handler' | 'bare', seconds: number) => wrk(children[side].pid ?? 0, ports[side], script, seconds)
  try {
    await sleep(1_000)
    run('handler', 2)
    run('bare', 2)
    const rounds = Array.from({ length: ROUNDS }, () => ({
      handler: run('handler', SECONDS),
      bare: run('bare', SECONDS),
    }))
    const medianOf = (side: 'handler' | 'bare', field: keyof Round) => median(rounds.map((each) => each[side][field]))
    const result = {
      ...machine(),
      rounds: ROUNDS,
      seconds: SECONDS,
      perSecond: { handler: round(medianOf('handler', 'perSecond')), bare: round(medianOf('bare', 'perSecond')) },
      throughputRatio: round(medianOf('handler', 'perSecond') / medianOf('bare', 'perSecond')),
      cpuMicroseconds: {
        handler: round(medianOf('handler', 'cpuMicroseconds')),
        bare: round(medianOf('bare', 'cpuMicroseconds')),
      },
      cpuRatio: round(medianOf('bare', 'cpuMicroseconds') / medianOf('handler', 'cpuMicroseconds')),
    }
    process.stdout.write(`${JSON.stringify(result, undefined, 2)}\n`)
  } finally {
    for (const child of Object.values(children)) child.kill('SIGKILL')
    rmSync(directory, { recursive: true, force: true })
  }
}

if (process.argv[2] === 'serve') await serve(Number(process.argv[3]))
else await compare()
