import type { LoadedConfig } from '../config/load-config.ts'
import type { Call } from '../domain/call-event.ts'
import type { PhoneNumber } from '../domain/phone-number.ts'
import type { CallMatch } from '../domain/report.ts'
import type { KnownBehaviour } from '../engine/known.ts'
import type { NumberBehaviour } from '../engine/number-behaviour.ts'
import type { RecordState } from '../services/record-desk.ts'
import type { PairsState } from '../shm/pairs.ts'
import type { ActivityState, BlocksState } from '../telemetry/behaviour-metrics.ts'

/**
 * What the processes of one node say to each other. The supervisor is the hub: it starts the others, and hands on what
 * they say to each other. Nothing here must arrive: a verdict process polls the change log every 50 ms, control asks again.
 */

/** Supervisor to a child, first of all. */
export type StartMessage = { type: 'start'; label: string; config: LoadedConfig; loadSamples: boolean }
export type StopMessage = { type: 'stop' }
/** Supervisor to control: the verdict processes that are up. */
export type PeersMessage = { type: 'peers'; labels: string[] }

/** Child to supervisor: control's store is open, or the process serves. */
export type StoreReadyMessage = { type: 'store-ready' }
export type ReadyMessage = { type: 'ready'; address: string; detail: string }
/** Child to supervisor: an operating error it cannot go on from; it exits after this. */
export type FailedMessage = { type: 'failed'; code: string; message: string; hint?: string }

/** Every child to the supervisor, each ALIVE_EVERY_MS; a control process that serves also to every verdict process. */
export type AliveMessage = { type: 'alive' }
export const ALIVE_EVERY_MS = 1_000

/** Control to every verdict process: the change log has entries up to this one. */
export type ChangedMessage = { type: 'changed'; upTo: number }
/**
 * Control to every verdict process, each RECORD_FRESH_EVERY_MS, when the record is in Redis: the change log has everything
 * that was in the record at `freshMs`, epoch milliseconds; 0: not read to its end since control started.
 */
export type RecordFreshMessage = { type: 'record-fresh'; freshMs: number; state: RecordState }
export const RECORD_FRESH_EVERY_MS = 1_000
/** Control to every verdict process: an operator says that the machine's clock is right. */
export type ClockAcceptedMessage = { type: 'clock-accepted' }
/** Verdict process to control: where it is in the change log. */
export type AppliedMessage = {
  type: 'applied'
  label: string
  /** Every number of every change up to here is in the gates. */
  seen: number
  /** Every change up to here, lists and policies too, is in force in every thread. */
  inForce: number
}
/** Control to every verdict process and back: counters and state for /metrics and /health. */
export type StatusRequestMessage = { type: 'status-request'; id: number }
export type StatusMessage = { type: 'status'; id: number; status: VerdictProcessStatus }
/**
 * Control to every verdict process and back: whether the call with this keyed hash (shm/pair-hash.ts) was attempted since
 * `sinceMs`. No number is in it.
 */
export type CallMatchRequestMessage = {
  type: 'call-match-request'
  id: number
  low: number
  high: number
  sinceMs: number
}
export type CallMatchMessage = { type: 'call-match'; id: number; label: string; match: CallMatch }
/** Verdict process to control: protected callers that looked suspicious (numbers, highest score of the batch). */
export type ReviewWantedMessage = { type: 'review-wanted'; items: { number: number; score: number; atMs: number }[] }

/**
 * Verdict process to control: so many people have each talked for a minute or more with a reported number, which called
 * them on this kind of ingress (INGRESS_KINDS index), since the last time it was said.
 */
export type GoodTalksMessage = {
  type: 'good-talks'
  number: number
  ingress: number
  callees: number
  atMs: number
}

/** Control to every verdict process, and back: what only their memory knows. */
export type AskMessage = { type: 'ask'; id: number; question: VerdictQuestion }
export type AnsweredMessage = { type: 'answered'; id: number; label: string; answer: VerdictAnswer }

/** What the numbers of a call have been doing, for explanations; what one number has, for look-ups. */
export type VerdictQuestion =
  | { about: 'behaviour'; asked: BehaviourQuestion }
  | { about: 'number'; number: PhoneNumber; nowMs: number }
export type VerdictAnswer = { behaviour: KnownBehaviour } | { number: NumberBehaviour }

/** A call, as far as its behaviour is concerned; `ingress` is resolved, the callee may be no number. */
export type BehaviourQuestion = Pick<Call, 'caller' | 'callee' | 'trunk' | 'ingress' | 'nowMs'>

/**
 * Verdict process to the others and to control, and control to every verdict process: the busiest rows of activity of a
 * verdict process of this node (its label) or another (exchange-activity.ts), SUMMARY_WORDS words each.
 */
export type ActiveCallersMessage = { type: 'active-callers'; source: string; summaries: Uint32Array }

export type VerdictProcessStatus = {
  label: string
  pid: number
  adapter: string
  threads: number
  seen: number
  inForce: number
  /** The last moment of which everything is known to be in force, epoch milliseconds: fresh-moment.ts. */
  freshMs: number
  lastSequence: number
  generation: number
  /** Sum over threads, COUNTER_NAMES order. */
  counters: Float64Array
  globalGateBytes: number
  globalGateNumbers: number
  decisionLog: { written: number; lost: number }
  pairs: PairsState
  activity: ActivityState
  blocks: BlocksState
  uptimeSeconds: number
  memoryBytes: number
}

export type ToChild =
  | StartMessage
  | StopMessage
  | PeersMessage
  | AliveMessage
  | ChangedMessage
  | RecordFreshMessage
  | ClockAcceptedMessage
  | AppliedMessage
  | StatusRequestMessage
  | StatusMessage
  | AskMessage
  | AnsweredMessage
  | CallMatchRequestMessage
  | CallMatchMessage
  | ReviewWantedMessage
  | GoodTalksMessage
  | ActiveCallersMessage
export type ToSupervisor =
  | StoreReadyMessage
  | ReadyMessage
  | AliveMessage
  | FailedMessage
  | ChangedMessage
  | RecordFreshMessage
  | ClockAcceptedMessage
  | AppliedMessage
  | AskMessage
  | AnsweredMessage
  | StatusRequestMessage
  | StatusMessage
  | CallMatchRequestMessage
  | CallMatchMessage
  | ReviewWantedMessage
  | GoodTalksMessage
  | ActiveCallersMessage

/** Exit code of a child that said `failed`: the supervisor has its reason already. */
export const EXIT_FAILED = 70
