/**
 * What numbers have been doing lately, as a verdict thread sees it: rows of the activity table, read as they
 * were before a call while the call is counted.
 *
 * ```
 *   caller, by ingress ── whom it has been calling, and how that ended
 *   caller as a callee ── who has been calling it
 *   caller's 100-number block ── how many of its numbers call, and how that ended
 *   callee ── who has been calling it
 *   trunk, by oddity (only for a stranger whose number does not fit) ── how many such strangers it brings
 * ```
 */
import type { Call } from '../domain/call-event.ts'
import { isPhoneNumber, SHORT_CODE_LIMIT } from '../domain/phone-number.ts'
import {
  ACTIVITY_OF,
  type Activity,
  aimRows,
  clearActivityView,
  createActivityView,
  noteAttempt,
  noteCallerEnd,
  noteEnd,
  readActivity,
  readAndNoteAttempt,
  readAndNoteRow,
  readRowsPast,
  remembersRow,
} from '../shm/activity.ts'
import { blockHarm } from '../shm/block-table.ts'
import { isKnownContact, noteContact } from '../shm/pairs.ts'
import { noteOnce } from '../shm/recent-calls.ts'
import { addRemoteActivity, hearsOthers } from '../shm/remote-activity.ts'
import type { BehaviourMemory } from './behaviour-memory.ts'
import type { NamedCall } from './call-hasher.ts'
import { type Evidence, ODDITY, ODDITY_BITS } from './evidence.ts'

/** Numbers of a block that is watched as one: the smallest that operators hand to a company. */
export const BLOCK_SIZE = 100

/** From this talk time on two numbers know each other, and a call was no mistake. */
export const CONTACT_TALK_MS = 60_000

/** Ways of reading a row: only reading it, or counting the call into it as well. */
export const READ = 0
export const READ_AND_COUNT = 1

/** A caller is a stranger until the day after his first call on this kind of ingress. */
const STRANGER_DAYS = 1
/** Before this much of the past is remembered, everybody is a stranger: nobody is taken for one. */
export const PAST_MS = 2 * 86_400_000

/**
 * Fills the behaviour of `evidence`, which has lists, ingress and oddities, with the state before this call; with
 * READ_AND_COUNT the call is counted on the way, each row looked up once. No allocation.
 */
export function gatherBehaviour(call: Call, evidence: Evidence, memory: BehaviourMemory, how: number): void {
  const { activity } = memory
  const { caller, callee, trunk, nowMs } = call
  if (!isPhoneNumber(caller)) {
    clearViews(evidence)
    return
  }
  const of = ACTIVITY_OF.caller + evidence.ingress
  const { rows } = activity
  // Fetched already, or else aimed at now.
  aimRows(activity, caller, of, callee, blockOf(caller))
  // Before anything is counted: who calls himself is his own callee.
  readRowsPast(activity, rows.incoming, evidence.incoming)
  if (how === READ_AND_COUNT) {
    evidence.isCounted = true
    const seconds = (nowMs / 1_000) >>> 0
    readAndNoteRow(activity, rows.outgoing, rows.callee, trunk, seconds, evidence.outgoing)
    if (isPhoneNumber(callee)) readAndNoteRow(activity, rows.called, rows.caller, trunk, seconds, evidence.called)
    else clearActivityView(evidence.called)
    if (caller >= SHORT_CODE_LIMIT) readAndNoteRow(activity, rows.block, rows.caller, trunk, seconds, evidence.block)
    else clearActivityView(evidence.block)
  } else {
    readActivity(activity, caller, of, nowMs, evidence.outgoing)
    readActivity(activity, callee, ACTIVITY_OF.callee, nowMs, evidence.called)
    const block = caller >= SHORT_CODE_LIMIT ? blockOf(caller) : 0 // 0 is nobody's
    readActivity(activity, block, ACTIVITY_OF.block, nowMs, evidence.block)
  }
  if (hearsOthers(memory.remote)) addRemote(call, of, evidence, memory)
  evidence.blockHarm = blockHarm(memory.blocks, caller, evidence.ingress, nowMs)
  gatherStrangers(call, evidence, memory, how)
}

function clearViews({ outgoing, incoming, called, block }: Evidence): void {
  clearActivityView(outgoing)
  clearActivityView(incoming)
  clearActivityView(called)
  clearActivityView(block)
}

/** What other processes and nodes have seen of the same numbers. */
function addRemote({ caller, callee, nowMs }: Call, of: number, evidence: Evidence, { remote }: BehaviourMemory): void {
  addRemoteActivity(remote, caller, of, nowMs, evidence.outgoing)
  if (isPhoneNumber(callee)) addRemoteActivity(remote, callee, ACTIVITY_OF.callee, nowMs, evidence.called)
  if (caller >= SHORT_CODE_LIMIT) addRemoteActivity(remote, blockOf(caller), ACTIVITY_OF.block, nowMs, evidence.block)
  addRemoteActivity(remote, caller, ACTIVITY_OF.callee, nowMs, evidence.incoming)
}

/** How many others like this stranger there are; a caller with a past here, or a known contact, is none. */
function gatherStrangers(call: Call, evidence: Evidence, memory: BehaviourMemory, how: number): void {
  const { activity } = memory
  evidence.isPastKnown = remembersRow(activity, activity.rows.outgoing, (call.nowMs / 1_000) >>> 0, PAST_MS / 1_000)
  if (evidence.outgoing.days > STRANGER_DAYS || !evidence.isPastKnown) {
    evidence.oddities = 0
    return
  }
  evidence.contact = askContact(call, memory)
  if (evidence.contact !== 0) {
    evidence.oddities = 0
    return
  }
  evidence.oddities |= ODDITY.newcomer
  const { caller, trunk } = call
  for (let bit = 0; bit < ODDITY_BITS; bit++) {
    if ((evidence.oddities & (1 << bit)) === 0) continue
    readStrangers(activity, (trunk + 1) * ODDITY_BITS + bit, ACTIVITY_OF.strangersOnTrunk, call, how)
    evidence.strangers15[bit] = scratch.attempts15
  }
  if (caller < SHORT_CODE_LIMIT) return
  readStrangers(activity, blockOf(caller), ACTIVITY_OF.newcomersInBlock, call, how)
  evidence.newcomers60 = scratch.others60
}

function readStrangers(activity: Activity, key: number, of: number, { caller, trunk, nowMs }: Call, how: number): void {
  if (how === READ_AND_COUNT) readAndNoteAttempt(activity, key, of, caller, trunk, nowMs, scratch)
  else readActivity(activity, key, of, nowMs, scratch)
}

/** A thread's own. */
const scratch = createActivityView()

/** The 100-number block of a caller: the number without its last two digits. */
export function blockOf(caller: number): number {
  return Math.floor(caller / BLOCK_SIZE)
}

/** Whether caller and callee have talked within the last days: asked only where there is something to set against it. */
export function askContact(call: Call, memory: BehaviourMemory): number {
  return Number(isKnownContact(memory.pairs, call.caller, call.callee, call.nowMs))
}

/** Counts a call that was decided without its behaviour, on this ingress kind. No allocation. */
export function countBehaviour(call: Call, ingress: number, { activity }: BehaviourMemory): void {
  const { caller, callee, trunk, nowMs } = call
  if (isPhoneNumber(callee)) noteAttempt(activity, callee, ACTIVITY_OF.callee, caller, trunk, nowMs)
  if (!isPhoneNumber(caller)) return
  noteAttempt(activity, caller, ACTIVITY_OF.caller + ingress, callee, trunk, nowMs)
  if (caller >= SHORT_CODE_LIMIT) noteAttempt(activity, blockOf(caller), ACTIVITY_OF.block, caller, trunk, nowMs)
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

/** Whether two numbers have talked for so long that they know each other. */
export function isContact({ answered, talkMs, caller, callee }: CallEnd): boolean {
  return answered && talkMs >= CONTACT_TALK_MS && isPhoneNumber(caller) && isPhoneNumber(callee)
}

/** Switches repeat what was not acknowledged: within this time the same end is told again, not a second one. */
const SAME_END_SECONDS = 300

/**
 * Notes how a call ended wherever it was counted. Returns the ingress kind (INGRESS_KINDS index) of a call that is known
 * here and in which two numbers talked for long, -1 of any other. No allocation.
 */
export function noteCallEnd(end: CallEnd, memory: BehaviourMemory): number {
  const { activity, pairs } = memory
  const { caller, callee, answered, ringMs, talkMs, nowMs, callHashLow, callHashHigh } = end
  if (noteOnce(memory.ends, callHashLow, callHashHigh, (nowMs / 1_000) >>> 0, SAME_END_SECONDS)) return -1
  if (isPhoneNumber(callee)) {
    noteEnd(activity, callee, ACTIVITY_OF.callee, caller, answered, ringMs, talkMs, nowMs)
  }
  if (!isPhoneNumber(caller)) return -1
  const ingress = noteCallerEnd(activity, caller, callee, answered, ringMs, talkMs, nowMs)
  if (caller >= SHORT_CODE_LIMIT) {
    noteEnd(activity, blockOf(caller), ACTIVITY_OF.block, caller, answered, ringMs, talkMs, nowMs)
  }
  if (!isContact(end)) return -1
  noteContact(pairs, caller, callee, nowMs)
  return ingress
}
