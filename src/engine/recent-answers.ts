/**
 * The same call asked again gets the same answer and counts once.
 *
 * The trade: an answer is up to a minute old, so a list or report of this minute does not reach a call that was already
 * answered; it reaches every other call. A decision as the memory of recent calls keeps it, in RECENT_PAYLOAD_WORDS words. Only this process reads it, for a
 * minute: not a stored format. Signal strengths are left out: they serve the decision log, and a call is logged once.
 *
 * ```
 *  0-3  verdictId        4  verdict | score << 8 | basis << 16 | reasons << 24        5  flags | bases << 8 (a bit each)
 *  6  policy version     7-14  code | points << 8 | listId << 16                      15  0
 * ```
 */
import type { Call } from '../domain/call-event.ts'
import { RECENT_PAYLOAD_WORDS, type RecentCalls, recallCall, rememberCall } from '../shm/recent-calls.ts'
import type { Decision } from './decision.ts'

/** A switch gives up on an unanswered INVITE after 32 s (RFC 3261, timer B); later the same call id is another call. */
export const RECENT_CALL_SECONDS = 60

export type RecentAnswers = {
  /** Overwrites `decision`, which is clear, with the answer this call got at most RECENT_CALL_SECONDS ago; false when it got none. */
  recall(call: Call, decision: Decision): boolean
  remember(call: Call, decision: Decision): void
}

/** Over memory shared by all threads of a process; one of these per thread. A call without a hash is never remembered. */
export function createRecentAnswers(recent: RecentCalls): RecentAnswers {
  const payload = new Uint32Array(RECENT_PAYLOAD_WORDS)
  return {
    recall(call, decision) {
      const nowSeconds = Math.floor(call.nowMs / 1000)
      const { callHashLow, callHashHigh } = call
      if (!recallCall(recent, callHashLow, callHashHigh, nowSeconds, RECENT_CALL_SECONDS, payload)) return false
      unpackAnswer(payload, decision)
      return true
    },
    remember(call, decision) {
      if ((call.callHashLow | call.callHashHigh) === 0) return
      packAnswer(decision, payload)
      rememberCall(recent, call.callHashLow, call.callHashHigh, Math.floor(call.nowMs / 1000), payload)
    },
  }
}

function packAnswer(decision: Decision, payload: Uint32Array): void {
  const count = decision.reasonCount
  let bases = 0
  for (let index = 0; index < count; index++) {
    bases |= (decision.reasonBases[index] ?? 0) << index
    const points = (decision.reasonPoints[index] ?? 0) & 0xff
    payload[7 + index] = (decision.reasonCodes[index] ?? 0) | (points << 8) | ((decision.reasonLists[index] ?? 0) << 16)
  }
  for (let word = 0; word < 4; word++) payload[word] = decision.verdictId[word] ?? 0
  payload[4] = decision.verdict | (decision.score << 8) | (decision.basis << 16) | (count << 24)
  payload[5] = decision.flags | (bases << 8)
  payload[6] = decision.policyVersion
}

function unpackAnswer(payload: Uint32Array, decision: Decision): void {
  const head = payload[4] ?? 0
  const flags = payload[5] ?? 0
  for (let word = 0; word < 4; word++) decision.verdictId[word] = payload[word] ?? 0
  decision.verdict = head & 0xff
  decision.score = (head >>> 8) & 0xff
  decision.basis = (head >>> 16) & 0xff
  decision.reasonCount = head >>> 24
  decision.flags = flags & 0xff
  decision.policyVersion = payload[6] ?? 0
  for (let index = 0; index < decision.reasonCount; index++) {
    const reason = payload[7 + index] ?? 0
    decision.reasonCodes[index] = reason & 0xff
    decision.reasonPoints[index] = reason >>> 8
    decision.reasonLists[index] = reason >>> 16
    decision.reasonBases[index] = (flags >>> (8 + index)) & 1
  }
}
