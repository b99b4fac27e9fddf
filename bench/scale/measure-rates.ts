import { rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import type { RunningService } from '../../test/support/run-service.ts'
import { generate, generateTimed, percentileMs } from '../generator/generator.ts'
import { type CallMix, EVENTS, postTraffic, socketBinaryTraffic } from '../generator/traffic.ts'
import { writeTrafficFile } from '../generator/traffic-file.ts'
import { interleave } from '../lib/interleave.ts'
import { pin } from '../lib/pin.ts'
import { cpuMicroseconds } from '../lib/process-cpu.ts'
import type { Say } from '../lib/run-bench.ts'
import { everyPid } from '../lib/standard-world.ts'
import { startNode } from './listed-worlds.ts'
import { type NodeMemory, nodeMemory } from './node-memory.ts'

/** A node to be measured beside the others: its data directory, and the traffic it gets. */
export type World = { readonly name: string; readonly directory: string; readonly mix: CallMix }

export type WorldRates = {
  /** Verdicts a second, binary WebSocket, 256 calls a frame, as many as get answered; round by round. */
  readonly rates: readonly number[]
  /** The same by the processor time of the verdict process: what a whole core of its own would give. */
  readonly coreRates: readonly number[]
  /** HTTP POST at `postsPerSecond`, from the intended time. */
  readonly p99Ms: readonly number[]
  /** After all that. */
  readonly memory: NodeMemory
}

export type RateOptions = {
  readonly configuration: string

  readonly rounds: number
  readonly seconds: number
  readonly p99Rounds: number
  readonly p99Seconds: number
  readonly postsPerSecond: number
}

const CALLS_A_FRAME = 256
const CONNECTIONS = 16
const POST_CONNECTIONS = 64
const BINARY = { path: '/v1/calls', protocol: 'zaslon.bin.v1' }

/** All worlds side by side, on one core, measured in turn. */
export async function measureRates(
  worlds: readonly World[],
  options: RateOptions,
  say: Say,
): Promise<Record<string, WorldRates>> {
  const services = new Map<string, RunningService>()
  const files: string[] = []
  const trafficOf = (name: string, form: 'binary' | 'post') => path.join(os.tmpdir(), `${name}.${form}`)
  try {
    say(`${worlds.length} nodes start side by side`)
    const started = await Promise.all(worlds.map(({ directory }) => startNode(directory, options.configuration)))
    for (const [index, service] of started.entries()) services.set(worlds[index]?.name ?? '', service)
    for (const service of started) pin(everyPid(service))
    for (const { name, mix } of worlds) {
      writeTrafficFile(trafficOf(name, 'binary'), socketBinaryTraffic(mix, CALLS_A_FRAME), EVENTS)
      writeTrafficFile(trafficOf(name, 'post'), postTraffic(mix), EVENTS)
      files.push(trafficOf(name, 'binary'), trafficOf(name, 'post'))
    }
    const names = worlds.map(({ name }) => name)
    const portOf = (name: string) => services.get(name)?.verdictPort ?? 0
    const rounds = await interleave(names, options.rounds, async (name, round) => {
      say(`${name}: rate, round ${round}`)
      const [pid = 0] = services.get(name)?.pids('verdict') ?? []
      const beforeUs = cpuMicroseconds(pid)
      const got = await generate({
        port: portOf(name),
        traffic: trafficOf(name, 'binary'),
        connections: CONNECTIONS,
        // Most memory is touched in the round that does not count.
        seconds: round < 0 ? 3 * options.seconds : options.seconds,
        socket: BINARY,
      })
      if (got.errors + got.unanswered > 0) throw new Error(`${name}: calls failed or got no answer.`)
      const { answeredCalls, overloaded, seconds } = got
      const verdicts = answeredCalls - overloaded
      return { rate: verdicts / seconds, coreRate: (verdicts * 1e6) / (cpuMicroseconds(pid) - beforeUs) }
    })
    const p99Ms = await interleave(names, options.p99Rounds, async (name, round) => {
      say(`${name}: p99, round ${round}`)
      const { times } = await generateTimed({
        port: portOf(name),
        traffic: trafficOf(name, 'post'),
        connections: POST_CONNECTIONS,
        seconds: options.p99Seconds,
        warmupSeconds: 0.2,
        rate: options.postsPerSecond,
      })
      return percentileMs(times, 99)
    })
    const resultOf = (name: string, service: RunningService): WorldRates => ({
      rates: (rounds[name] ?? []).map(({ rate }) => rate),
      coreRates: (rounds[name] ?? []).map(({ coreRate }) => coreRate),
      p99Ms: p99Ms[name] ?? [],
      memory: nodeMemory(service),
    })
    return Object.fromEntries([...services].map(([name, service]) => [name, resultOf(name, service)]))
  } finally {
    await Promise.all([...services.values()].map((service) => service.stop()))
    for (const file of files) rmSync(file, { force: true })
  }
}
