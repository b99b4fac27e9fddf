import path from 'node:path'
import { Worker } from 'node:worker_threads'
import { PACKAGE_DIRECTORY } from '../config/package-directory.ts'
import { ScreeningError } from '../domain/errors.ts'
import type { ScreeningSnapshot } from '../engine/snapshot.ts'
import type { ToVerdictThread, VerdictThreadData, VerdictThreadMessage } from './verdict-thread.ts'

/**
 * The verdict threads of one process. A thread is never replaced: whatever ends one ends the process, and the supervisor
 * starts a new one (docs/adr/0001).
 */
export type VerdictThreads = {
  /** Resolves when every thread has installed it, or none will because they are closing. */
  install(snapshot: ScreeningSnapshot): Promise<void>
  /** Resolves when every thread listens. */
  readonly listening: Promise<{ port: number; adapter: string }>
  acceptClock(): void
  /** Makes every thread collect its garbage. */
  collect(): void
  close(): Promise<void>
}

/** What is asked of a thread: a Worker has it, and so has a fake. */
export type ThreadWorker = {
  postMessage(message: ToVerdictThread): void
  on(event: 'message', listener: (message: VerdictThreadMessage) => void): void
  on(event: 'error', listener: (error: unknown) => void): void
  on(event: 'exit', listener: () => void): void
  once(event: 'exit', listener: () => void): void
}

export type VerdictThreadsDependencies = {
  readonly startThread: (data: VerdictThreadData) => ThreadWorker
  /** Called once, with what a thread said or with its end. */
  readonly onFailure: (error: unknown) => void
}

/** One thread, in a Worker of its own: workers/verdict.ts and all it imports as one file, which `npm run build` makes. */
export function startVerdictThread(workerData: VerdictThreadData): ThreadWorker {
  return new Worker(path.join(PACKAGE_DIRECTORY, 'dist/workers/verdict.bundle.js'), { workerData })
}

/** All threads of a process, each with the data it is born with; they listen once they have a snapshot. */
export function startVerdictThreads(
  threads: readonly VerdictThreadData[],
  { startThread, onFailure }: VerdictThreadsDependencies,
): VerdictThreads {
  const installed = new Map<number, () => void>()
  const acknowledged = new Map<number, number>()
  let heard = 0
  let closing = false
  let listen: (at: { port: number; adapter: string }) => void = () => {}
  const listening = new Promise<{ port: number; adapter: string }>((resolve) => {
    listen = resolve
  })

  const workers = threads.map((data) => {
    const worker = startThread(data)
    worker.on('message', (message) => onMessage(message))
    worker.on('error', (error) => onFailure(error))
    worker.on('exit', () => {
      if (!closing) onFailure(new Error('A verdict thread ended by itself.'))
    })
    return worker
  })

  function onMessage(message: VerdictThreadMessage): void {
    switch (message.type) {
      case 'listening':
        heard++
        if (heard === workers.length) listen({ port: message.port, adapter: message.adapter })
        return
      case 'installed': {
        const count = (acknowledged.get(message.generation) ?? 0) + 1
        acknowledged.set(message.generation, count)
        if (count < workers.length) return
        acknowledged.delete(message.generation)
        installed.get(message.generation)?.()
        installed.delete(message.generation)
        return
      }
      case 'failed':
        onFailure(new ScreeningError(message.code, message.message, message.hint ? { hint: message.hint } : {}))
        return
      default:
        message satisfies never
    }
  }

  return {
    listening,
    install(snapshot) {
      if (closing) return Promise.resolve()
      const done = new Promise<void>((resolve) => installed.set(snapshot.generation, resolve))
      for (const worker of workers) worker.postMessage({ type: 'install', snapshot })
      return done
    },
    acceptClock() {
      for (const worker of workers) worker.postMessage({ type: 'accept-clock' })
    },
    collect() {
      for (const worker of workers) worker.postMessage({ type: 'collect' })
    },
    async close() {
      closing = true
      const closed = workers.map((worker) => new Promise<void>((resolve) => worker.once('exit', () => resolve())))
      for (const worker of workers) worker.postMessage({ type: 'close' })
      await Promise.all(closed)
      // Whoever waits for a thread that is gone would wait for ever, and the logs behind him would not be written.
      for (const done of installed.values()) done()
    },
  }
}
