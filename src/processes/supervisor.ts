import { type ChildProcess, fork } from 'node:child_process'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { LoadedConfig } from '../config/load-config.ts'
import { ScreeningError } from '../domain/errors.ts'
import { createLogger } from '../telemetry/logger.ts'
import { EXIT_FAILED, type FailedMessage, type ToChild, type ToSupervisor } from './messages.ts'

/**
 * `zaslon serve`: one control process and the verdict processes, started, watched and started again. The unit of failure
 * is the process (docs/adr/0001): nothing inside a process tries to survive what a restart mends in a second.
 *
 * A child that cannot start at all (port in use, data of a newer version) ends the service with its words. One that
 * dies later comes back at once; one that keeps dying waits longer each time, up to BACKOFF_MAX_MS, and the log says why.
 */
const BACKOFF_FIRST_MS = 100
const BACKOFF_MAX_MS = 30_000
/** A child that lived this long has earned a fresh start. */
const BACKOFF_FORGIVEN_MS = 30_000
/** Longer than a drain of requests in flight and a flush of the decision log. */
const STOP_GRACE_MS = 8_000

type Role = 'control' | 'verdict'
type Child = {
  readonly label: string
  readonly role: Role
  process: ChildProcess | undefined
  startedMs: number
  crashes: number
  wasReady: boolean
  ready: boolean
  failure: FailedMessage | undefined
}

export type SupervisorOptions = {
  readonly config: LoadedConfig
  readonly loadSamples: boolean
  /** Called once, when control and every verdict process serve. */
  readonly onReady?: (addresses: { control: string; verdict: string; adapter: string }) => void
}

/** Runs until SIGINT or SIGTERM; resolves with the exit code. */
export async function runSupervisor(options: SupervisorOptions): Promise<number> {
  const log = createLogger({ level: options.config.log.level, process: 'supervisor' })
  const children = [newChild('control', 'control')]
  for (let i = 1; i <= options.config.verdict.processes; i++) children.push(newChild(`verdict-${i}`, 'verdict'))
  const supervisor = createSupervision(options, children, log)
  return supervisor.run()
}

function newChild(label: string, role: Role): Child {
  return {
    label,
    role,
    process: undefined,
    startedMs: 0,
    crashes: 0,
    wasReady: false,
    ready: false,
    failure: undefined,
  }
}

function createSupervision(options: SupervisorOptions, children: Child[], log: ReturnType<typeof createLogger>) {
  const entry = (role: Role) => path.join(path.dirname(fileURLToPath(import.meta.url)), `${role}-entry.js`)
  const addresses = new Map<string, { address: string; detail: string }>()
  let announced = false
  let stopping = false
  let finish: (code: number) => void = () => {}

  function start(child: Child): void {
    if (stopping) return
    child.startedMs = Date.now()
    child.ready = false
    child.failure = undefined
    const forked = fork(entry(child.role), [], { serialization: 'advanced' })
    child.process = forked
    forked.on('message', (message) => onMessage(child, message as ToSupervisor))
    forked.on('exit', (code, signal) => onExit(child, code, signal))
    forked.on('error', (error) =>
      log.error({ child: child.label, error: error.message }, 'a process could not be started'),
    )
    send(child, { type: 'start', label: child.label, config: options.config, loadSamples: options.loadSamples })
  }

  function onMessage(child: Child, message: ToSupervisor): void {
    switch (message.type) {
      case 'store-ready':
        for (const other of children) if (other.role === 'verdict' && !other.process) start(other)
        return
      case 'ready':
        child.ready = true
        child.wasReady = true
        addresses.set(child.label, { address: message.address, detail: message.detail })
        log.info({ child: child.label, pid: child.process?.pid, ms: Date.now() - child.startedMs }, 'ready')
        tellPeers()
        announce()
        return
      case 'failed':
        child.failure = message
        return
      case 'changed':
      case 'status-request':
        for (const other of children) if (other.role === 'verdict' && other.ready) send(other, message)
        return
      case 'applied':
      case 'status':
      case 'review-wanted':
        for (const other of children) if (other.role === 'control') send(other, message)
        return
      default:
        message satisfies never
    }
  }

  function tellPeers(): void {
    const labels = children.filter((child) => child.role === 'verdict' && child.ready).map((child) => child.label)
    for (const child of children) if (child.role === 'control') send(child, { type: 'peers', labels })
  }

  function announce(): void {
    if (announced || !children.every((child) => child.ready)) return
    announced = true
    const control = addresses.get('control')
    const verdict = addresses.get('verdict-1')
    options.onReady?.({
      control: control?.address ?? '',
      verdict: verdict?.address ?? '',
      adapter: verdict?.detail ?? '',
    })
  }

  function onExit(child: Child, code: number | null, signal: NodeJS.Signals | null): void {
    child.process = undefined
    child.ready = false
    if (stopping) {
      if (children.every((other) => !other.process)) finish(0)
      return
    }
    tellPeers()
    const why = child.failure ? `${child.failure.code}: ${child.failure.message}` : (signal ?? `exit code ${code}`)
    if (!child.wasReady && child.failure && code === EXIT_FAILED) {
      log.error({ child: child.label, why, hint: child.failure.hint }, 'cannot start')
      process.exitCode = 1
      void stop(1)
      return
    }
    if (Date.now() - child.startedMs > BACKOFF_FORGIVEN_MS) child.crashes = 0
    const waitMs = child.crashes === 0 ? 0 : Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** (child.crashes - 1))
    child.crashes++
    log.error({ child: child.label, why, waitMs, crashes: child.crashes }, 'a process ended; starting it again')
    setTimeout(() => start(child), waitMs)
  }

  async function stop(code: number): Promise<void> {
    if (stopping) return
    stopping = true
    for (const child of children) send(child, { type: 'stop' })
    if (children.every((child) => !child.process)) return finish(code)
    const giveUp = setTimeout(() => {
      for (const child of children) child.process?.kill('SIGKILL')
    }, STOP_GRACE_MS)
    giveUp.unref()
  }

  return {
    run(): Promise<number> {
      const first = children[0]
      if (!first) throw new ScreeningError('INTERNAL', 'There is nothing to supervise.')
      return new Promise<number>((resolve) => {
        finish = (code) => resolve(typeof process.exitCode === 'number' ? process.exitCode : code)
        for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void stop(0))
        start(first)
      })
    },
  }
}

/** IPC to a child that is going away fails; what it was told no longer matters. */
function send(child: Child, message: ToChild): void {
  if (child.process?.connected) child.process.send(message, () => {})
}
