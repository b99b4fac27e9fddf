import type { LoadedConfig } from '../config/load-config.ts'
import { ScreeningError } from '../domain/errors.ts'
import { watchForFrozen } from './frozen-watch.ts'
import { EXIT_FAILED, type ToSupervisor } from './messages.ts'
import { watchStart } from './start-watch.ts'
import {
  awaited,
  type Child,
  type Failure,
  type Forked,
  newChild,
  type Role,
  send,
  textOf,
} from './supervised-child.ts'

/**
 * Starts, watches and starts again the processes of one node, and hands on what they say to each other.
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

export type SupervisionOptions = {
  readonly config: LoadedConfig
  readonly loadSamples: boolean
  /** Called once, when control and every verdict process serve. */
  readonly onReady?: (addresses: { control: string; verdict: string; adapter: string }) => void
}

export type SupervisionDependencies = {
  readonly fork: (role: Role) => Forked
  /** Rejects with the ScreeningError to end with when the verdict port is somebody else's. Asked once. */
  readonly awaitVerdictPort: () => Promise<void>
  /** Whether a signal stopped the process. */
  readonly isStopped: (pid: number) => boolean
  readonly log: {
    info(fields: object, text: string): void
    error(fields: object, text: string): void
  }
}

export type Supervision = {
  /** Starts everything; resolves with the exit code when everything has ended. */
  run(): Promise<number>
  /** Tells every process to end. */
  stop(): void
}

export function createSupervision(options: SupervisionOptions, dependencies: SupervisionDependencies): Supervision {
  const { fork, log } = dependencies
  const control = newChild('control', 'control')
  const verdicts = Array.from({ length: options.config.verdict.processes }, (_, index) =>
    newChild(`verdict-${index + 1}`, 'verdict'),
  )
  const children = [control, ...verdicts]
  const addresses = new Map<string, { address: string; detail: string }>()
  let announced = false
  let stopping = false
  let exitCode = 0
  let finish: (code: number) => void = () => {}
  let verdictPort: Promise<void> | undefined
  let endStartWatch = () => {}
  const { frozenSeconds } = options.config.verdict
  // Control is left alone: no call waits for it and an import would be lost; its silence shows in the age of the state.
  const watch = watchForFrozen(
    verdicts,
    { frozenSeconds },
    {
      isStopped: dependencies.isStopped,
      onFrozen(child) {
        log.error({ child: child.label, frozenSeconds }, 'a process does not move; killing it')
        child.process?.kill('SIGKILL')
      },
    },
  )

  /** Does nothing for a child that runs: its waiting start and a control process with a new store may both ask. */
  function start(child: Child): void {
    clearTimeout(child.backoff)
    if (stopping || child.process) return
    child.startedMs = Date.now()
    child.ready = false
    child.failure = undefined
    let forked: Forked
    try {
      forked = fork(child.role)
    } catch (error) {
      comeBack(child, error instanceof Error ? error.message : String(error))
      return
    }
    child.process = forked
    child.step = 'load'
    forked.on('message', (message) => {
      // A message may arrive after the exit of its sender: the fork that runs now has not said it.
      if (child.process !== forked) return
      if (child.role === 'verdict') watch.heard(child)
      if (child.step === 'load') child.step = child.role === 'control' ? 'store' : 'tables'
      onMessage(child, message as ToSupervisor)
    })
    forked.on('exit', (code, signal) => {
      if (child.process === forked) onExit(child, code, signal)
    })
    forked.on('error', (error) => {
      // The machine had no process to give (EAGAIN, EMFILE): there will be no exit. Of a living one an exit follows.
      if (child.process === forked && forked.pid === undefined) onGone(child, error.message)
      else log.error({ child: child.label, error: error.message }, 'a process could not be reached')
    })
    send(child, { type: 'start', label: child.label, config: options.config, loadSamples: options.loadSamples })
  }

  /** The port is asked for before the first start only: later it may be held by a sibling of who starts. */
  async function startVerdicts(): Promise<void> {
    control.step = 'control'
    for (const verdict of verdicts) if (!verdict.process) verdict.step = 'port'
    verdictPort ??= dependencies.awaitVerdictPort()
    try {
      await verdictPort
    } catch (error) {
      if (!(error instanceof ScreeningError)) throw error
      const { hint } = error.details
      giveUp('verdict-1', { code: error.code, message: error.message, ...(hint ? { hint } : {}) })
    }
    for (const verdict of verdicts) start(verdict)
  }

  function onMessage(child: Child, message: ToSupervisor): void {
    switch (message.type) {
      case 'store-ready':
        void startVerdicts()
        return
      case 'ready':
        child.ready = true
        child.wasReady = true
        addresses.set(child.label, { address: message.address, detail: message.detail })
        log.info({ child: child.label, childPid: child.process?.pid, ms: Date.now() - child.startedMs }, 'ready')
        tellPeers()
        announce()
        return
      case 'alive':
        if (child === control && control.ready) for (const verdict of verdicts) send(verdict, message)
        return
      case 'record-fresh':
      case 'clock-accepted':
        // Also to one that still starts, which keeps it until then: it must not seem fresh before the next word.
        for (const verdict of verdicts) send(verdict, message)
        return
      case 'failed':
        child.failure = message
        return
      case 'changed':
      case 'ask':
      case 'status-request':
      case 'call-match-request':
        for (const verdict of verdicts) if (verdict.ready) send(verdict, message)
        return
      case 'answered':
      case 'applied':
      case 'status':
      case 'call-match':
      case 'review-wanted':
      case 'good-talks':
        send(control, message)
        return
      case 'active-callers':
        for (const verdict of verdicts) if (verdict.ready && verdict !== child) send(verdict, message)
        if (child !== control && options.config.redis.url !== '') send(control, message)
        return
      default:
        message satisfies never
    }
  }

  function tellPeers(): void {
    send(control, { type: 'peers', labels: verdicts.filter((child) => child.ready).map((child) => child.label) })
  }

  function announce(): void {
    if (announced || !children.every((child) => child.ready)) return
    announced = true
    endStartWatch()
    const verdict = addresses.get('verdict-1')
    options.onReady?.({
      control: addresses.get('control')?.address ?? '',
      verdict: verdict?.address ?? '',
      adapter: verdict?.detail ?? '',
    })
  }

  function onExit(child: Child, code: number | null, signal: NodeJS.Signals | null): void {
    const { failure, wasReady } = child
    if (failure && !wasReady && !stopping && code === EXIT_FAILED) {
      child.process = undefined
      giveUp(child.label, failure)
      return
    }
    onGone(child, failure ? textOf(failure) : (signal ?? `exit code ${code}`))
  }

  function onGone(child: Child, why: string): void {
    child.process = undefined
    watch.forget(child)
    child.ready = false
    if (stopping) {
      finishWhenAllEnded()
      return
    }
    tellPeers()
    comeBack(child, why)
  }

  function comeBack(child: Child, why: string): void {
    if (Date.now() - child.startedMs > BACKOFF_FORGIVEN_MS) child.crashes = 0
    const waitMs = child.crashes === 0 ? 0 : Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** (child.crashes - 1))
    child.crashes++
    child.step = 'again'
    log.error({ child: child.label, why, waitMs, crashes: child.crashes }, 'a process ended; starting it again')
    child.backoff = setTimeout(() => start(child), waitMs)
  }

  function finishWhenAllEnded(): void {
    if (children.every((child) => !child.process)) finish(exitCode)
  }

  /** Ends the service with the words of what cannot start. */
  function giveUp(label: string, failure: Failure): void {
    log.error({ child: label, why: textOf(failure), hint: failure.hint }, 'cannot start')
    exitCode = 1
    stop()
  }

  function stop(): void {
    if (stopping) return
    stopping = true
    endStartWatch()
    watch.stop()
    for (const child of children) send(child, { type: 'stop' })
    finishWhenAllEnded()
    const outOfPatience = setTimeout(() => {
      for (const child of children) child.process?.kill('SIGKILL')
    }, STOP_GRACE_MS)
    outOfPatience.unref()
  }

  return {
    run() {
      return new Promise<number>((resolve) => {
        finish = resolve
        endStartWatch = watchStart(() => children.filter((child) => !child.ready).map(awaited), log)
        start(control)
      })
    },
    stop,
  }
}
