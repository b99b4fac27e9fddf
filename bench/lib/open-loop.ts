import { once } from 'node:events'
import path from 'node:path'
import { Worker } from 'node:worker_threads'

/**
 * An open-loop generator of verdict requests: they leave at their intended times whatever the answers do, and latency counts
 * from the intended time, so a stall of the server is seen by every request it delays (no coordinated omission). In a thread
 * of its own, so that what else a bench does makes no request late.
 */
export type OpenLoopOptions = {
  readonly port: number
  readonly requestsPerSecond: number
  readonly connections: number
  /** Callers are generatedNumber(0, 1, 2…, callerSeed). */
  readonly callerSeed: number
  /** Makes the call ids of this run its own. */
  readonly run: string
  /** `report`: reports on these callers, each of another reporter, to an admin port. Missing: verdict requests. */
  readonly kind?: 'report'
  /** It sends so many and no more; on and on when missing. */
  readonly requests?: number
}

/**
 * Since the last taking, in milliseconds: latencies from the intended time, how late the generator itself was to send, and
 * times from the sending to the answer (which hide what a stall does to requests that wait for a connection).
 */
export type OpenLoopTaken = {
  latencies: number[]
  lateness: number[]
  answerTimes: number[]
  failures: number
  /** Of reports: when each was accepted, by its index; epoch milliseconds with fractions. */
  acceptedMs: Map<number, number>
  /** Of reports: accepted, but not in the record yet. */
  queued: number
}

export type OpenLoop = {
  /** When request 0 was due, epoch milliseconds; request n follows after n / requestsPerSecond. */
  readonly startMs: number
  take(): Promise<OpenLoopTaken>
  stop(): Promise<void>
}

export async function startOpenLoop(options: OpenLoopOptions): Promise<OpenLoop> {
  const thread = new Worker(path.join(import.meta.dirname, 'open-loop-thread.js'), { workerData: options })
  const [startMs] = await once(thread, 'message')
  return {
    startMs,
    async take() {
      thread.postMessage('take')
      const [taken] = await once(thread, 'message')
      return taken
    },
    async stop() {
      await thread.terminate()
    },
  }
}
