/** What the part `latency` measures: the service and the bare uWebSockets.js app, both on one core, with their traffic. */
import { spawn } from 'node:child_process'
import os from 'node:os'
import path from 'node:path'
import { freePort, type RunningService } from '../../test/support/run-service.ts'
import type { GeneratorOptions } from '../generator/generator.ts'
import { EVENTS, postTraffic, socketBinaryTraffic } from '../generator/traffic.ts'
import { writeTrafficFile } from '../generator/traffic-file.ts'
import { comeFirst } from '../lib/come-first.ts'
import { fillTables } from '../lib/fill-tables.ts'
import { pinned } from '../lib/pin.ts'
import type { Say } from '../lib/run-bench.ts'
import { everyPid, startWorld } from '../lib/standard-world.ts'
import { waitUntil } from '../lib/wait-until.ts'

export type Sizes = {
  readonly isQuick: boolean
  readonly listed: number
  /** Of a comparison that is a measure, and of rows that are none. */
  readonly rounds: number
  readonly rowRounds: number
  /** Of one round. */
  readonly seconds: number
}

export type LatencyWorld = {
  readonly service: RunningService
  readonly verdictPid: number
  readonly sides: { readonly [side in SideName]: Target }
  /** Calls that say until when an answer is of use: 50 ms after they were meant to be sent. */
  readonly deadline: Target
  /** Binary frames of 16 calls, the same without and with deadlines. */
  readonly socket: Target
  readonly socketDeadline: Target
  stop(): Promise<void>
}

export type SideName = 'zaslon' | 'bare'
type Target = Pick<GeneratorOptions, 'port' | 'traffic' | 'connections' | 'socket' | 'comesFirst'>

export const CALLS_A_FRAME = 16
export const DEADLINE_MS = 50
export const CONNECTIONS = 32
/** Answers of a bare app that has just started are those of code that is not compiled yet. */
export const WARM_UP_SECONDS = 0.3
const START_MS = 10_000
const SOCKET = { path: '/v1/calls', protocol: 'zaslon.bin.v1' }

export async function startLatencyWorld({ listed, isQuick }: Sizes, say: Say): Promise<LatencyWorld> {
  const file = (name: string, requests: Parameters<typeof writeTrafficFile>[1]) => {
    const traffic = path.join(os.tmpdir(), `${name}.traffic`)
    writeTrafficFile(traffic, requests, EVENTS)
    return traffic
  }
  const service = await startWorld({ listed, isQuick }, say)
  await fillTables(service, listed, isQuick ? 'quick' : 'full', say)
  const [verdictPid = 0] = service.pids('verdict')
  const bare = await startBare()
  if (!comeFirst([...everyPid(service), bare.pid]))
    say('no right to a higher priority: neighbours of the machine are in the figures')
  const to = { port: service.verdictPort, connections: CONNECTIONS, comesFirst: true }
  const post = file('post', postTraffic({ listed }))
  const late = { listed, deadlineMs: DEADLINE_MS }
  return {
    service,
    verdictPid,
    sides: { zaslon: { ...to, traffic: post }, bare: { ...to, port: bare.port, traffic: post } },
    deadline: { ...to, traffic: file('post-deadline', postTraffic(late)) },
    socket: { ...to, socket: SOCKET, traffic: file('frames', socketBinaryTraffic({ listed }, CALLS_A_FRAME)) },
    socketDeadline: {
      ...to,
      socket: SOCKET,
      traffic: file('frames-deadline', socketBinaryTraffic(late, CALLS_A_FRAME)),
    },
    async stop() {
      bare.kill()
      await service.stop()
    },
  }
}

async function startBare(): Promise<{ port: number; pid: number; kill: () => void }> {
  const port = await freePort()
  const script = path.join(import.meta.dirname, '..', 'load', 'bare-uws.js')
  const [program = '', ...args] = [...pinned(), process.execPath, script, String(port)]
  const bare = spawn(program, args, { stdio: 'ignore' })
  const isThere = () =>
    fetch(`http://127.0.0.1:${port}/v1/verdict`, { method: 'POST', body: '{}' }).then(
      (response) => response.ok,
      () => false,
    )
  await waitUntil('the bare app listens', isThere, { limitMs: START_MS })
  return { port, pid: bare.pid ?? 0, kill: () => void bare.kill('SIGKILL') }
}
