import type { ErrorCode } from '../domain/errors.ts'
import type { ScreeningSnapshot } from '../engine/snapshot.ts'
import type { VerdictServerOptions } from '../transports/data-plane/verdict-server.ts'

/** What a verdict thread is born with: plain data and shared memory (workerData). */
export type VerdictThreadData = {
  readonly thread: number
  readonly dataDirectory: string
  readonly homeCountry: string
  readonly adapter: 'auto' | 'uws' | 'node'
  readonly server: VerdictServerOptions
  readonly deadlineMs: number
  readonly sampleOneIn: number
  /** SHA-256 digests of the keys that may ask for verdicts, hexadecimal. */
  readonly keyDigests: readonly string[]
  /** Any key of any role is configured: then requests without one are refused. */
  readonly keysConfigured: boolean
  /** Hexadecimal: the daily keys of callee pseudonyms come from it. */
  readonly pseudonymKey: string
  /** Two words, the same in all threads of the process: the same call asked again must hash alike. */
  readonly callHashKey: Uint32Array
  readonly counters: SharedArrayBuffer
  readonly recentCalls: SharedArrayBuffer
  readonly decisionRing: SharedArrayBuffer
  readonly traffic: SharedArrayBuffer
  /** What /health/ready says: see shm/health.ts. */
  readonly health: SharedArrayBuffer
}

/** To a verdict thread. */
export type ToVerdictThread = { type: 'install'; snapshot: ScreeningSnapshot } | { type: 'close' }

/** From a verdict thread. */
export type VerdictThreadMessage =
  | { type: 'listening'; port: number; adapter: string }
  | { type: 'installed'; generation: number }
  | { type: 'failed'; code: ErrorCode; message: string; hint?: string }
