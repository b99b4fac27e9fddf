import type { Call } from '../domain/call-event.ts'
import type { CallEnd } from './behaviour.ts'
import type { CallHasher } from './call-hasher.ts'
import type { Decision } from './decision.ts'
import type { ScreeningSnapshot } from './snapshot.ts'

export { AHEAD_MAX } from '../shm/ahead.ts'

/**
 * What a transport sees of the engine: one per verdict thread, single-threaded, synchronous. Made by createScreener
 * (engine/screen.ts).
 */
export type Screener = CallHasher & {
  /** Compiles and swaps in a new snapshot; calls before the first install answer `not-ready` (allow). */
  install(snapshot: ScreeningSnapshot): void
  /** 0 before the first install. */
  readonly generation: number
  /** name@version of the policy in force, for answers. */
  readonly policyLabel: string
  /** Index for Call.trunk; 0 when absent or not registered. */
  trunkIndex(name: string | undefined): number
  /** Ingress kind code of a trunk (INGRESS_KINDS index); 0 for trunk 0. */
  trunkIngress(trunk: number): number
  /** SIP answer settings, label and redress URL of the policy in force. */
  readonly snapshot: ScreeningSnapshot | undefined
  /**
   * Loads what the next calls and ends will touch, AHEAD_MAX of both at most: they follow at once, calls and ends each in this
   * order. Optional, and decides nothing; waiting once for many is what makes frames and batches cheap.
   */
  expect(calls: readonly Call[], callCount: number, ends: readonly CallEnd[], endCount: number): void
  /**
   * Decides the call into `decision`: recent-call memory, precedence, score, caps, decision log, counters. Never throws.
   * Late already (nowMs > deadlineMs): the answer is `overloaded`.
   */
  screen(call: Call, decision: Decision): void
  /** Notes how a call ended: what callers have been doing. One told twice, with its call id, counts once. Never throws. */
  endCall(end: CallEnd): void
}
