import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/**
 * A SIP network on 127.0.0.1: one Kamailio with the configuration of integrations/kamailio, one called side (sipp) and
 * callers (sipp). Everything it starts ends with stop(), or with this process.
 */
export type SipBench = {
  /** Lets one call happen; resolves with sipp's verdict on it and everything the caller sent and received. */
  call(scenario: string, keys: Readonly<Record<string, string>>, options?: CallOptions): Promise<CallResult>
  /** Everything the called side sent and received so far. */
  calledSide(): string
  /** What Kamailio has logged. */
  log(): string
  stop(): Promise<void>
}

type CallOptions = {
  /** How long the scenario's pause is: of talk, or of ringing. 0 without it. */
  readonly pauseMs?: number
}

type CallResult = { readonly succeeded: boolean; readonly messages: string; readonly errors: string }

export type SipBenchOptions = {
  readonly verdictUrl: string
  /** Instead of trunks.cfg. */
  readonly trunks?: string
  /** Definitions for Kamailio, `NAME=value`. */
  readonly settings?: readonly string[]
  /** How long the called side rings before it answers or is busy. 0 without it. */
  readonly ringMs?: number
}

const root = path.resolve(import.meta.dirname, '../..')
const scenarios = path.join(import.meta.dirname, 'sipp')
const running = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** What is missing to run a SipBench here, as a sentence; undefined: nothing. */
export function missingSipTools(): string | undefined {
  const missing = ['kamailio', 'sipp'].filter((tool) => spawnSync('sh', ['-c', `command -v ${tool}`]).status !== 0)
  if (missing.length > 0) {
    return `${missing.join(' and ')} not found: apt-get install kamailio kamailio-utils-modules kamailio-json-modules sip-tester`
  }
  const modules = spawnSync('sh', [
    '-c',
    'ls /usr/lib/*/kamailio/modules/http_client.so /usr/lib/*/kamailio/modules/jansson.so',
  ])
  return modules.status === 0
    ? undefined
    : 'http_client or jansson not found: apt-get install kamailio-utils-modules kamailio-json-modules'
}

export async function startSipBench(options: SipBenchOptions): Promise<SipBench> {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'zaslon-sip-'))
  cpSync(path.join(root, 'integrations/kamailio'), directory, { recursive: true })
  if (options.trunks !== undefined) writeFileSync(path.join(directory, 'trunks.cfg'), options.trunks)
  const [proxyPort, calledPort, calledControlPort] = [await freeUdpPort(), await freeUdpPort(), await freeUdpPort()]
  const at = (name: string) => path.join(directory, name)

  const proxy = start('kamailio', [
    ...['-DD', '-E', '-f', at('kamailio.cfg'), '-Y', directory, '-w', directory, '-P', at('kamailio.pid')],
    ...['-m', '64', '-M', '8'],
    ...['-A', `LISTEN=udp:127.0.0.1:${proxyPort}`, '-A', `NEXT_HOP="sip:127.0.0.1:${calledPort}"`],
    ...['-A', `ZASLON_URL="${options.verdictUrl}/v1/verdict"`],
    ...['-A', `ZASLON_ENDS_URL="${options.verdictUrl}/v1/call-ends"`],
    ...(options.settings ?? []).flatMap((setting) => ['-A', setting]),
  ])
  const called = start('sipp', [
    ...['-sf', path.join(scenarios, 'uas.xml'), '-i', '127.0.0.1', '-p', String(calledPort)],
    ...['-cp', String(calledControlPort), '-nostdin', '-trace_msg', '-message_file', at('called.txt')],
    ...['-d', String(options.ringMs ?? 0)],
  ])
  const bench: SipBench = {
    call: (scenario, keys, callOptions) => call(scenario, keys, callOptions ?? {}, proxyPort, directory),
    calledSide: () => readIfThere(at('called.txt')),
    log: () => proxy.output(),
    async stop() {
      await Promise.all([end(proxy.child), end(called.child)])
      rmSync(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
    },
  }
  try {
    await Promise.all([answersOptions(proxyPort, proxy), isBound(calledPort, called)])
    return bench
  } catch (error) {
    await bench.stop()
    throw error
  }
}

let calls = 0

async function call(
  scenario: string,
  keys: Readonly<Record<string, string>>,
  { pauseMs = 0 }: CallOptions,
  proxyPort: number,
  directory: string,
): Promise<CallResult> {
  const name = `call-${++calls}`
  const messages = path.join(directory, `${name}.txt`)
  const errors = path.join(directory, `${name}-errors.txt`)
  const [port, controlPort] = [await freeUdpPort(), await freeUdpPort()]
  const { child } = start('sipp', [
    `127.0.0.1:${proxyPort}`,
    ...[
      '-sf',
      path.join(scenarios, `${scenario}.xml`),
      '-i',
      '127.0.0.1',
      '-p',
      String(port),
      '-cp',
      String(controlPort),
    ],
    ...['-m', '1', '-d', String(pauseMs), '-nostdin', '-timeout', '20', '-timeout_error'],
    ...['-trace_msg', '-message_file', messages, '-trace_err', '-error_file', errors],
    ...Object.entries(keys).flatMap(([key, value]) => ['-key', key, value]),
  ])
  const code = await exitOf(child)
  return { succeeded: code === 0, messages: readIfThere(messages), errors: readIfThere(errors) }
}

type Started = { readonly child: ChildProcess; output(): string }

function start(program: string, words: readonly string[]): Started {
  const child = spawn(program, [...words], { stdio: ['ignore', 'ignore', 'pipe'] })
  const chunks: string[] = []
  child.stderr?.on('data', (chunk: Buffer) => chunks.push(chunk.toString()))
  running.add(child)
  child.once('exit', () => running.delete(child))
  return { child, output: () => chunks.join('') }
}

function exitOf(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode)
  return new Promise((resolve) => child.once('exit', resolve))
}

/** SIGTERM, and SIGKILL when that is not enough: Kamailio's own watchdog ends its workers either way. */
async function end(child: ChildProcess): Promise<void> {
  child.kill('SIGTERM')
  const insist = setTimeout(() => child.kill('SIGKILL'), 5_000)
  await exitOf(child)
  clearTimeout(insist)
}

const START_TRIES = 100
const START_PAUSE_MS = 100

/** Kamailio is ready when it answers an OPTIONS. */
async function answersOptions(port: number, { child, output }: Started): Promise<void> {
  const socket = createSocket('udp4')
  try {
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
    const from = `127.0.0.1:${socket.address().port}`
    let hasAnswer = false
    socket.on('message', () => {
      hasAnswer = true
    })
    for (let i = 0; i < START_TRIES && !hasAnswer; i++) {
      if (child.exitCode !== null) throw new Error(`Kamailio ended with ${child.exitCode}:\n${output()}`)
      socket.send(optionsRequest(port, from, i), port, '127.0.0.1')
      await sleep(START_PAUSE_MS)
    }
    if (!hasAnswer) throw new Error(`Kamailio does not answer:\n${output()}`)
  } finally {
    socket.close()
  }
}

function optionsRequest(port: number, from: string, count: number): string {
  const lines = [
    `OPTIONS sip:127.0.0.1:${port} SIP/2.0`,
    `Via: SIP/2.0/UDP ${from};branch=z9hG4bK-ready-${count}`,
    `From: <sip:ready@${from}>;tag=${count}`,
    `To: <sip:127.0.0.1:${port}>`,
    `Call-ID: ready-${count}@${from}`,
    'CSeq: 1 OPTIONS',
    'Max-Forwards: 70',
    'Content-Length: 0',
  ]
  return `${lines.join('\r\n')}\r\n\r\n`
}

/** sipp answers nothing but its scenario: its port shows in /proc/net/udp. */
async function isBound(port: number, { child, output }: Started): Promise<void> {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')} `
  for (let i = 0; i < START_TRIES; i++) {
    if (child.exitCode !== null) throw new Error(`sipp ended with ${child.exitCode}:\n${output()}`)
    if (readFileSync('/proc/net/udp', 'utf8').includes(suffix)) return
    await sleep(START_PAUSE_MS)
  }
  throw new Error(`sipp does not listen:\n${output()}`)
}

async function freeUdpPort(): Promise<number> {
  const socket = createSocket('udp4')
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  const { port } = socket.address()
  await new Promise<void>((resolve) => socket.close(resolve))
  return port
}

function readIfThere(file: string): string {
  return existsSync(file) ? readFileSync(file, 'utf8') : ''
}
