import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { generate } from '../generator/generator.ts'
import { EVENTS } from '../generator/traffic.ts'
import { type TrafficRequest, writeTrafficFile } from '../generator/traffic-file.ts'

import { cpuNanoseconds } from '../lib/process-cpu.ts'
import type { Contender } from './contender.ts'

/** One way to ask for verdicts: traffic, and how it is sent. */
export type Form = {
  readonly name: string
  readonly traffic: () => TrafficRequest[]
  /** In one request. */
  readonly calls: number
  readonly connections: number
  /** Requests on their way on each connection. */
  readonly depth: number
  readonly socket?: { readonly path: string; readonly protocol: string }
}

export type Round = {
  /** Verdicts; calls answered with `overloaded` are none. */
  readonly perSecond: number
  /** Processor time of the server for each of them, the ends of their calls included. */
  readonly cpuMicroseconds: number
  /** Of its core, how much the server had: near 1, or it was not the server that limited the rate. */
  readonly serverShare: number
  readonly generatorShare: number
  readonly overloaded: number
  readonly flagged: number
  readonly blocked: number
}

/** So that what a round leaves undone (decision log, garbage) is not the next one's. */
const REST_MS = 100

/** For how long, or for how many requests when they are answered before. */
export type Extent = { readonly seconds: number; readonly answers?: number }

const WARMUP = {
  full: { calls: 40_000, requests: 400, secondsMax: 4 },
  quick: { calls: 15_000, requests: 150, secondsMax: 1.5 },
} as const

/** Enough that no server is measured while its code is still being compiled. */
export function warmup(form: Form, isQuick: boolean): Extent {
  const { calls, requests, secondsMax } = isQuick ? WARMUP.quick : WARMUP.full
  return { seconds: secondsMax, answers: Math.max(requests, calls / form.calls) }
}

function sending({ connections, depth, socket }: Form) {
  return { connections, depth, ...(socket === undefined ? {} : { socket }) }
}

export async function measureRound(contender: Contender, form: Form, extent: Extent): Promise<Round> {
  await sleep(REST_MS)
  const before = cpuNanoseconds(contender.pids)
  const got = await generate({ port: contender.port, traffic: trafficFile(form), ...sending(form), ...extent })
  const cpuNs = cpuNanoseconds(contender.pids) - before
  const failed = got.errors + got.unanswered
  if (failed > 0) throw new Error(`${contender.name}, ${form.name}: ${failed} requests failed or got no answer.`)
  if (got.hashed !== got.answeredCalls) {
    throw new Error(
      `${contender.name}, ${form.name}: ${got.hashed} decisions in the answers to ${got.answeredCalls} calls.`,
    )
  }
  const verdicts = got.answeredCalls - got.overloaded
  if (verdicts <= 0) throw new Error(`${contender.name}, ${form.name}: no call got a verdict.`)
  return {
    perSecond: verdicts / got.seconds,
    cpuMicroseconds: cpuNs / 1_000 / (got.servedCalls * (verdicts / got.answeredCalls)),
    serverShare: cpuNs / 1e9 / got.seconds,
    generatorShare: got.cpuSeconds / got.seconds,
    overloaded: got.overloaded / got.answeredCalls,
    flagged: got.flagged / verdicts,
    blocked: got.blocked / verdicts,
  }
}

const files = new Map<Form, string>()

/** Written when a form is first asked with. */
export function trafficFile(form: Form): string {
  const known = files.get(form)
  if (known !== undefined) return known
  const file = path.join(os.tmpdir(), `traffic-${files.size}.bin`)
  writeTrafficFile(file, form.traffic(), EVENTS)
  files.set(form, file)
  return file
}

/** Whole frames of every form that is compared. */
const STREAM_CALLS = 8_000
const STREAM_SECONDS_MAX = 60

export type Stream = { readonly contender: Contender; readonly form: Form }

/**
 * Sends the same calls, one after the other, to contenders that decide, and throws unless all gave the same verdicts. Before
 * anything else is sent: what callers did before counts in verdicts. Returns a sentence about it.
 */
export async function checkSameAnswers(streams: readonly Stream[]): Promise<string> {
  let first: { name: string; hash: string } | undefined
  for (const { contender, form } of streams) {
    const name = `${contender.name} (${form.name})`
    const answers = STREAM_CALLS / form.calls
    const inTurn = { ...sending(form), connections: 1, depth: 1, seconds: STREAM_SECONDS_MAX, answers }
    const got = await generate({ port: contender.port, traffic: trafficFile(form), ...inTurn })
    const { hash, hashed, blocked, overloaded } = got
    if (hashed !== STREAM_CALLS || overloaded > 0) {
      throw new Error(
        `${name} gave ${hashed - overloaded} verdicts on ${STREAM_CALLS} calls (${overloaded} were late): leave the machine alone meanwhile.`,
      )
    }
    if (blocked === 0 || blocked === hashed) throw new Error(`${name} gave the same verdict on every call.`)
    first ??= { name, hash }
    if (hash !== first.hash)
      throw new Error(`${name} decides otherwise than ${first.name}: ${hash}, not ${first.hash}.`)
  }
  return `The same verdicts of all on ${STREAM_CALLS} calls before in each of their forms, half of them of listed callers (FNV-1a ${first?.hash}).`
}
