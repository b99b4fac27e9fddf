/** The load generator (generator.c): compiled when it is first needed, run once for each round. */
import { execFile } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { build, type Histogram } from 'hdr-histogram-js'
import { compiledC } from '../lib/compile-c.ts'
import { GENERATOR_CORE, pinned } from '../lib/pin.ts'

export type GeneratorOptions = {
  readonly port: number
  /** Made by writeTrafficFile. */
  readonly traffic: string
  readonly connections: number
  readonly seconds: number
  readonly warmupSeconds?: number
  /** Requests on their way on each connection; more than 1 is a pipeline. */
  readonly depth?: number
  /** Requests a second, each at its time; missing: as many as get answered. */
  readonly rate?: number
  /** A request that could not be sent for so long is given up, as a switch does. */
  readonly patienceMs?: number
  /** Another rate for so many seconds, from so many seconds after the warm-up on. */
  readonly burst?: { readonly rate: number; readonly fromSeconds: number; readonly seconds: number }
  /**
   * Sleeps between requests in place of spinning: for when others need its core. Every waking costs: at 62 µs a call it
   * kept to 12,000 single calls a second, not to 21,000.
   */
  readonly sleeps?: boolean
  /** Before others that want its core (nice -15): it is the watch, not what is timed. */
  readonly comesFirst?: boolean
  /** It ends when this resolves, if not before. */
  readonly until?: Promise<unknown>
  /** It ends after so many answers: for a stream that is compared. */
  readonly answers?: number
  /** On its own core when missing; false for a server that needs all of them. */
  readonly isPinned?: boolean
  /** Speaks WebSocket after an upgrade to this path and subprotocol. */
  readonly socket?: { readonly path: string; readonly protocol: string }
}

/** Counts of the time after the warm-up. */
export type Generated = {
  /** How long it lasted. */
  readonly seconds: number
  readonly sent: number
  readonly answered: number
  readonly answeredCalls: number
  /** With those of the warm-up and after the end: what the server has worked for. */
  readonly servedCalls: number
  /** Answers that are no 2xx. */
  readonly errors: number
  /** Calls whose answer has the reason `overloaded`: they got no verdict. */
  readonly overloaded: number
  readonly givenUp: number
  /** Sent, or due and no connection was free, and no answer within two seconds after the end. */
  readonly unanswered: number
  readonly flagged: number
  readonly blocked: number
  /** How much later than intended the generator sent, waiting for a connection included. */
  readonly meanLateMs: number
  readonly maxLateMs: number
  readonly lostSamples: number
  /** Of the decisions in their order (FNV-1a, 64 bits), and of how many. */
  readonly hash: string
  readonly hashed: number
  /** That the generator worked: without reading its files, and without spinning for want of work. */
  readonly cpuSeconds: number
  /** When the measured time began, epoch milliseconds. */
  readonly beganMs: number
}

export type Timed = Generated & {
  /**
   * Tenths of a microsecond from the intended time to the answer (percentileMs), of "overloaded" as of any other; what failed
   * or had no answer has the longest that fits, 26.8 s.
   */
  readonly times: Histogram
}

/** One answer after the other, in their order. */
export type Answered = Generated & {
  /** When each was meant to be sent, tenths of a millisecond after `beganMs`. */
  readonly moments: Uint32Array
  /** The same one by one; from `OVERLOADED` on the answer was "overloaded", and the sample is that much greater. */
  readonly samples: Uint32Array
}

/** So that no call id comes twice in one bench, over all its runs. */
let cycle = 1

/** Who may not do that gets a warning from nice, which is not read here, and the usual priority. */
const FIRST = ['nice', '-n', '-15']

/** So that a bench without a C compiler ends before it has started anything. Throws MissingToolError. */
export function compileGenerator(): string {
  return compiledC('bench/generator/generator.c')
}

/** Runs it on its own core. Throws when the server closes a connection or cannot be reached: no figure without answers. */
export async function generate(options: GeneratorOptions): Promise<Generated> {
  return run(options, [])
}

/** As generate, with the times of all answers. */
export async function generateTimed(options: GeneratorOptions): Promise<Timed> {
  const file = path.join(os.tmpdir(), `samples-${cycle}.bin`)
  try {
    const generated = await run(options, ['--samples', file])
    return { ...generated, times: readTimes(file) }
  } finally {
    rmSync(file, { force: true })
  }
}

/** As generateTimed, with the moment of each answer: for what happens while it runs. */
export async function generateAnswered(options: GeneratorOptions): Promise<Answered> {
  const files = ['samples', 'moments'].map((name) => path.join(os.tmpdir(), `${name}-${cycle}.bin`))
  const [samples = '', moments = ''] = files
  try {
    const generated = await run(options, ['--samples', samples, '--moments', moments])
    return { ...generated, samples: readWords(samples), moments: readWords(moments) }
  } finally {
    for (const file of files) rmSync(file, { force: true })
  }
}

async function run(options: GeneratorOptions, more: readonly string[]): Promise<Generated> {
  const named = {
    port: options.port,
    traffic: options.traffic,
    connections: options.connections,
    seconds: options.seconds,
    warmup: options.warmupSeconds ?? 0,
    depth: options.depth ?? 1,
    rate: options.rate ?? 0,
    'patience-ms': options.patienceMs ?? 0,
    answers: options.answers ?? 0,
    'burst-rate': options.burst?.rate ?? 0,
    'burst-from': options.burst?.fromSeconds ?? 0,
    'burst-seconds': options.burst?.seconds ?? 0,
    sleep: Number(options.sleeps ?? false),
    cycle,
  }
  const args = Object.entries(named).flatMap(([name, value]) => [`--${name}`, String(value)])
  if (options.socket !== undefined) args.push('--upgrade', upgradeFile(options.socket))
  const first = options.comesFirst === true ? FIRST : []
  const core = options.isPinned === false ? [] : pinned(GENERATOR_CORE)
  const [program = '', ...before] = [...first, ...core, compileGenerator()]
  const running = promisify(execFile)(program, [...before, ...args, ...more])
  void options.until?.finally(() => running.child.kill('SIGINT')).catch(() => {})
  const { stdout } = await running
  const { nextCycle, ...generated } = JSON.parse(stdout) as Generated & { nextCycle: number }
  cycle = nextCycle
  if (generated.lostSamples > 0) throw new Error(`${generated.lostSamples} answers more than the generator can time.`)
  return generated
}

/** RFC 6455 section 4.1, with the key of its example: nobody checks it here. */
function upgradeFile({ path: target, protocol }: NonNullable<GeneratorOptions['socket']>): string {
  const file = path.join(os.tmpdir(), `upgrade-${protocol}.txt`)
  const lines = [
    `GET ${target} HTTP/1.1`,
    'Host: 127.0.0.1',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    `Sec-WebSocket-Protocol: ${protocol}`,
  ]
  writeFileSync(file, `${lines.join('\r\n')}\r\n\r\n`)
  return file
}

/** Three digits, up to the 26.8 s that a sample can hold. */
export function emptyTimes(): Histogram {
  return build({ lowestDiscernibleValue: 1, highestTrackableValue: 2 ** 35, numberOfSignificantValueDigits: 3 })
}

/** Samples from here on were answered "overloaded". */
export const OVERLOADED = 2 ** 28

function readWords(file: string): Uint32Array {
  const bytes = readFileSync(file)
  return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4)
}

function readTimes(file: string): Histogram {
  const times = emptyTimes()
  // At least one: the histogram counts whole numbers from 1.
  for (const sample of readWords(file)) times.recordValue(Math.max(1, sample % OVERLOADED))
  return times
}

/** Milliseconds below which so many percent of the answers came. */
export function percentileMs(times: Histogram, percent: number): number {
  return times.getValueAtPercentile(percent) / 10_000
}
