import type { ErrorCode } from '../domain/errors.ts'
import type { BehaviourRegions } from '../engine/behaviour-memory.ts'
import type { ScreeningSnapshot } from '../engine/snapshot.ts'
import type { DataPlaneOptions } from '../transports/data-plane/verdict-http.ts'
import type { VerdictServerOptions } from '../transports/data-plane/verdict-server.ts'

/** What a verdict thread is born with: plain data and shared memory (workerData). */
export type VerdictThreadData = {
  readonly thread: number
  readonly dataDirectory: string
  readonly homeCountry: string
  readonly adapter: 'auto' | 'uws' | 'node'
  readonly server: VerdictServerOptions
  /** What the protocol handler is made with: deadline, keys, hosts, language. */
  readonly handler: DataPlaneOptions
  readonly sampleOneIn: number
  /** Two words each, the same in all threads of the process (callKey), of the node (logKey). */
  readonly callKey: Uint32Array
  readonly logKey: Uint32Array
  readonly counters: SharedArrayBuffer
  readonly recentCalls: SharedArrayBuffer
  readonly decisionRing: SharedArrayBuffer
  readonly traffic: SharedArrayBuffer
  /** What callers have been doing, who knows whom: one memory for all threads of the process. */
  readonly behaviour: BehaviourRegions
  /** shm/reputation-table.ts, written by the main thread. */
  readonly reputations: SharedArrayBuffer
  /** What /health/ready says, and that this thread moves: shm/node-health.ts. */
  readonly health: SharedArrayBuffer
}

/** To a verdict thread. */
export type ToVerdictThread =
  | { type: 'install'; snapshot: ScreeningSnapshot }
  /** An operator says that the machine's clock is right. */
  | { type: 'accept-clock' }
  /** Much memory was replaced: give it back (release-memory.ts). */
  | { type: 'collect' }
  | { type: 'close' }

/** From a verdict thread. */
export type VerdictThreadMessage =
  | { type: 'listening'; port: number; adapter: string }
  | { type: 'installed'; generation: number }
  | { type: 'failed'; code: ErrorCode; message: string; hint?: string }
