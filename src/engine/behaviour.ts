/**
 * What numbers have been doing lately, as a verdict thread sees it: four rows of the activity table, read before a call is
 * decided and counted after it.
 *
 * ```
 *   caller, by ingress ── whom it has been calling, and how that ended
 *   caller as a callee ── who has been calling it
 *   caller's 100-number block ── how many of its numbers call, and how that ended
 *   callee ── who has been calling it
 *   trunk (only where caller and callee share their leading digits) ── how often that happens there
 * ```
 */
import type { Call } from '../domain/call-event.ts'
import { isPhoneNumber, SHORT_CODE_LIMIT } from '../domain/phone-number.ts'
import { ACTIVITY_OF, noteAttempt, noteCallerEnd, noteEnd, readActivity } from '../shm/activity.ts'
import { blockHarm } from '../shm/block-table.ts'
import { isKnownContact, noteCall, noteContact } from '../shm/pairs.ts'
import { RECENT_PAYLOAD_WORDS, recallCall, rememberCall } from '../shm/recent-calls.ts'
import type { BehaviourMemory } from './behaviour-memory.ts'
import type { NamedCall } from './call-hasher.ts'
import type { Evidence } from './evidence.ts'

/** Numbers of a block that is watched as one: the smallest that operators hand to a company. */
export const BLOCK_SIZE = 100

/** From this talk time on two numbers know each other, and a call was no mistake. */
export const CONTACT_TALK_MS = 60_000

/** Fills the behaviour of `evidence`: the state before this call. No allocation. */
export function gatherBehaviour(call: Call, evidence: Evidence, memory: BehaviourMemory): void {
  const { activity } = memory
  const { caller, callee, nowMs } = call
  if (!isPhoneNumber(caller)) return
  readActivity(activity, caller, ACTIVITY_OF.caller + evidence.ingress, nowMs, evidence.outgoing)
  readActivity(activity, caller, ACTIVITY_OF.callee, nowMs, evidence.incoming)
  if (caller >= SHORT_CODE_LIMIT)
    readActivity(activity, Math.floor(caller / BLOCK_SIZE), ACTIVITY_OF.block, nowMs, evidence.block)
  if (isPhoneNumber(callee)) readActivity(activity, callee, ACTIVITY_OF.callee, nowMs, evidence.called)
  if (evidence.isNeighbour && call.trunk > 0) {
    readActivity(activity, call.trunk, ACTIVITY_OF.neighboursOnTrunk, nowMs, evidence.neighbours)
  }
  evidence.blockHarm = blockHarm(memory.blocks, caller, evidence.ingress, nowMs)
}

/** Whether caller and callee have talked within the last days: asked only where there is something to set against it. */
export function askContact(call: Call, memory: BehaviourMemory): number {
  return Number(isKnownContact(memory.pairs, call.caller, call.callee, call.nowMs))
}

/** Counts a call that has been decided; `evidence` was begun for it. No allocation. */
export function noteBehaviour(call: Call, evidence: Evidence, memory: BehaviourMemory): void {
  const { activity } = memory
  const { caller, callee, trunk, nowMs } = call
  if (isPhoneNumber(callee)) noteAttempt(activity, callee, ACTIVITY_OF.callee, caller, trunk, nowMs)
  if (!isPhoneNumber(caller)) return
  noteAttempt(activity, caller, ACTIVITY_OF.caller + evidence.ingress, callee, trunk, nowMs)
  if (caller >= SHORT_CODE_LIMIT)
    noteAttempt(activity, Math.floor(caller / BLOCK_SIZE), ACTIVITY_OF.block, caller, trunk, nowMs)
  if (evidence.isNeighbour && trunk > 0)
    noteAttempt(activity, trunk, ACTIVITY_OF.neighboursOnTrunk, caller, trunk, nowMs)
  noteCall(memory.pairs, caller, callee, nowMs)
}

/** The end of a call, as the switch tells it. Times in milliseconds; the hash 0/0 is an end without a call id. */
export type CallEnd = NamedCall & { answered: boolean; ringMs: number; talkMs: number; nowMs: number }

/** One for every end that a transport reads: overwritten each time. */
export function createCallEnd(): CallEnd {
  return {
    caller: 0,
    callee: 0,
    trunk: 0,
    answered: false,
    ringMs: 0,
    talkMs: 0,
    nowMs: 0,
    callHashLow: 0,
    callHashHigh: 0,
  }
}

/** Switches repeat what was not acknowledged: within this time the same end is told again, not a second one. */
const SAME_END_SECONDS = 300
const NO_PAYLOAD = new Uint32Array(RECENT_PAYLOAD_WORDS)
const payload = new Uint32Array(RECENT_PAYLOAD_WORDS)

/** Notes how a call ended wherever it was counted. No allocation. */
export function noteCallEnd(end: CallEnd, memory: BehaviourMemory): void {
  const { activity, pairs } = memory
  const { caller, callee, answered, ringMs, talkMs, nowMs, callHashLow, callHashHigh } = end
  const nowSeconds = Math.floor(nowMs / 1_000)
  if (recallCall(memory.ends, callHashLow, callHashHigh, nowSeconds, SAME_END_SECONDS, payload)) return
  rememberCall(memory.ends, callHashLow, callHashHigh, nowSeconds, NO_PAYLOAD)
  if (isPhoneNumber(callee)) {
    noteEnd(activity, callee, ACTIVITY_OF.callee, caller, answered, ringMs, talkMs, nowMs)
  }
  if (!isPhoneNumber(caller)) return
  noteCallerEnd(activity, caller, callee, answered, ringMs, talkMs, nowMs)
  if (caller >= SHORT_CODE_LIMIT) {
    const block = Math.floor(caller / BLOCK_SIZE)
    noteEnd(activity, block, ACTIVITY_OF.block, caller, answered, ringMs, talkMs, nowMs)
  }
  if (answered && talkMs >= CONTACT_TALK_MS) noteContact(pairs, caller, callee, nowMs)
}

/** Whether two full numbers of the same length share at least this many leading digits. */
export function shareLeadingDigits(a: number, b: number, digits: number): boolean {
  if (a < SHORT_CODE_LIMIT || b < SHORT_CODE_LIMIT || a === b) return false
  // 10^(length - digits): both numbers without it are what they have in common.
  let tail = 1
  for (let above = 10 ** digits; above <= a; above *= 10) tail *= 10
  return Math.floor(a / tail) === Math.floor(b / tail)
}
