import type { Verdict } from '../../../src/domain/verdict.ts'

/** What the asking thread (calls-thread.ts) is told, and what it tells. */
export type CallsOptions = {
  readonly host: string
  readonly port: number
  readonly callsPerSecond: number
  /** HTTP connections with one call in flight each; one WebSocket connection beside them. */
  readonly connections: number
  /** False when the clock of the service is not ours: its `deadlineAt` would mean nothing. */
  readonly sendsDeadline: boolean
  /** Makes the call ids of this run its own. */
  readonly run: string
  readonly groups: readonly CallerGroup[]
}

/** Callers of whom the same is known. A change of what is known comes as a KnownMessage. */
export type CallerGroup = {
  readonly name: string
  readonly callers: readonly string[]
  /** Calls of this group in a hundred. */
  readonly share: number
  readonly callee: string
  readonly allowed: readonly Verdict[]
  /** Blocking is wrong even when the answer says that it was given without evidence. */
  readonly isNeverBlocked: boolean
}

/** From the moment this is read on, calls of this caller that are sent must get one of these verdicts. */
export type KnownMessage = {
  readonly type: 'known'
  readonly caller: string
  readonly allowed: readonly Verdict[]
  /** What may still be answered to calls that are on their way. */
  readonly previous: readonly Verdict[]
}
export type ToCalls = KnownMessage | { readonly type: 'take' } | { readonly type: 'stop' }

/**
 * What became of the calls since the last taking. Every call has a moment it is meant to be sent at (open loop); times count
 * from it.
 *
 * Unanswered is what has no 200 within ANSWER_WITHIN_MS from when the asking thread came to it: `cut`, the connection ended
 * after it was sent; `silent`, it was sent and nothing came; `unsent`, there was no connection to send it on for
 * UNSENT_AFTER_MS; `refused`, it got another status than 200.
 * Late is an answer later than LATE_AFTER_MS that does not say that it was given without evidence (`overloaded` or
 * `not-ready`); what the asking thread itself was late meanwhile is taken off, for that is the machine and not the service.
 * Stale is a verdict that does not know yet what was acknowledged less than STALE_WITHIN_MS ago; later than that it is wrong.
 */
export type CallsTaken = {
  asked: number
  answered: number
  overloaded: number
  cut: number
  silent: number
  unsent: number
  refused: number
  late: number
  /** The latest answer that does not say so, less what the asking thread itself was late. */
  unmarkedMaxMs: number
  stale: number
  wrong: { caller: string; group: string; got: string; allowed: readonly string[] }[]
  wrongCount: number
  /** From the intended time, milliseconds. */
  latencies: number[]
  /** How late the thread itself was to send. */
  lateness: number[]
  connectionsLost: number
  /** Calls in flight on WebSocket connections that ended. */
  socketCut: number
  socketCloses: number[]
  /** The longest time without any answer at all. */
  longestSilenceMs: number
  /** Local ports of the connections on which a call was unanswered, with how often. */
  unansweredPorts: Record<number, number>
  /** Between the first and the last intended time of an unanswered call. */
  unansweredForMs: number
}

/** The deadline of the service (verdict.deadlineMs). */
export const LATE_AFTER_MS = 50
/** A switch has given up long before (Kamailio: after 500 ms). */
export const ANSWER_WITHIN_MS = 1_000
/** A call for which there is no connection for so long is not sent any more: its caller has been let through long since. */
export const UNSENT_AFTER_MS = 500
/** A report is in the gates of all processes when it is acknowledged, or within a poll of theirs after this wait. */
export const STALE_WITHIN_MS = 1_000
export const WRONG_KEPT_MAX = 20

export function nothingTaken(): CallsTaken {
  return {
    asked: 0,
    answered: 0,
    overloaded: 0,
    cut: 0,
    silent: 0,
    unsent: 0,
    refused: 0,
    late: 0,
    unmarkedMaxMs: 0,
    stale: 0,
    wrong: [],
    wrongCount: 0,
    latencies: [],
    lateness: [],
    connectionsLost: 0,
    socketCut: 0,
    socketCloses: [],
    longestSilenceMs: 0,
    unansweredPorts: {},
    unansweredForMs: 0,
  }
}

export function unanswered({ cut, silent, unsent, refused }: CallsTaken): number {
  return cut + silent + unsent + refused
}

/** Without the long lists, for a message. */
export function countsOf({ asked, answered, cut, silent, unsent, refused, overloaded, connectionsLost }: CallsTaken) {
  return { asked, answered, cut, silent, unsent, refused, overloaded, connectionsLost }
}
