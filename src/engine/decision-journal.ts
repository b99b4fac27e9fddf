import type { Call } from '../domain/call-event.ts'
import { DECISION_FLAG, REASONS_PER_DECISION_MAX } from '../domain/decision-record.ts'
import { isPhoneNumber } from '../domain/phone-number.ts'
import { STRENGTH_FULL } from '../domain/signal.ts'
import { ALLOW } from '../domain/verdict.ts'
import { type Counters, count, counterIndex } from '../shm/counters.ts'
import { claimRecord, commitRecord, type DecisionRing } from '../shm/decision-ring.ts'
import { createKeyedHasher, hashNumber } from '../shm/hash.ts'
import type { Decision } from './decision.ts'
import { firstSignal } from './signals/measure-signals.ts'

const LOGGED = counterIndex('decisions.logged')
const LOST = counterIndex('decisions.lost')
const LOST_IMPORTANT = counterIndex('decisions.lost-important')
const ALWAYS_LOGGED = DECISION_FLAG.failOpen | DECISION_FLAG.capped | DECISION_FLAG.reviewWanted
const DAY_MS = 86_400_000
const LITTLE_ENDIAN = true

export type DecisionJournalOptions = {
  /** Two secret words: pseudonyms of callees (new every day) and the sample of callers depend on them. */
  readonly logKey: Uint32Array
  /** All calls of one caller in so many are logged; 0: no sample. */
  readonly sampleOneIn: number
}

/** Writes what the decision log wants of a decision into the ring; never waits, never throws. One per thread. */
export type DecisionJournal = {
  /** `verdict` is what would have been told, were the trunk not in shadow mode. */
  record(call: Call, decision: Decision, verdict: number): void
}

export function createDecisionJournal(
  options: DecisionJournalOptions,
  { ring, counters }: { ring: DecisionRing; counters: Counters },
): DecisionJournal {
  const hasher = createKeyedHasher(options.logKey)

  /** The same callers every time, so that whole histories can be replayed; calls without a number one by one. */
  function isSampled(call: Call, decision: Decision): boolean {
    if (options.sampleOneIn <= 0) return false
    if (!isPhoneNumber(call.caller)) return (decision.verdictId[0] ?? 0) % options.sampleOneIn === 0
    return hashNumber(options.logKey, call.caller) % options.sampleOneIn === 0
  }

  return {
    record(call, decision, verdict) {
      const isSuspicious = verdict !== ALLOW
      if (!isSuspicious && (decision.flags & ALWAYS_LOGGED) === 0) {
        if (!isSampled(call, decision)) return
        decision.flags |= DECISION_FLAG.sampled
      }
      const isImportant = (decision.flags & DECISION_FLAG.sampled) === 0
      const at = claimRecord(ring, isImportant)
      if (at < 0) {
        count(counters, isImportant ? LOST_IMPORTANT : LOST)
        return
      }
      // A pseudonym of the callee that changes every day: enough to see repeated calls, not enough to follow a person.
      hasher.start()
      hasher.addNumber(Math.floor(call.nowMs / DAY_MS))
      hasher.addNumber(call.callee)
      hasher.finish()
      writeRecord(ring.view, at, call, decision, verdict)
      ring.view.setUint32(at + 32, hasher.low, LITTLE_ENDIAN)
      ring.view.setUint32(at + 36, hasher.high, LITTLE_ENDIAN)
      commitRecord(ring)
      count(counters, LOGGED)
    },
  }
}

/** Everything of domain/decision-record.ts but the callee's pseudonym. The slot is reused: every byte is written. */
function writeRecord(view: DataView, at: number, call: Call, decision: Decision, verdict: number): void {
  view.setFloat64(at, call.nowMs, LITTLE_ENDIAN)
  for (let word = 0; word < 4; word++) view.setUint32(at + 8 + word * 4, decision.verdictId[word] ?? 0, LITTLE_ENDIAN)
  view.setFloat64(at + 24, call.caller, LITTLE_ENDIAN)
  view.setUint32(at + 40, call.callHashLow, LITTLE_ENDIAN)
  view.setUint32(at + 44, call.callHashHigh, LITTLE_ENDIAN)
  view.setUint16(at + 48, call.trunk, LITTLE_ENDIAN)
  view.setUint8(at + 50, call.ingress)
  view.setUint8(at + 51, verdict)
  view.setUint8(at + 52, decision.score)
  view.setUint8(at + 53, decision.flags)
  view.setUint8(at + 54, decision.reasonCount)
  view.setUint8(at + 55, call.attestation)
  view.setUint32(at + 56, decision.policyVersion, LITTLE_ENDIAN)
  view.setUint32(at + 60, 0, LITTLE_ENDIAN)
  for (let index = 0; index < REASONS_PER_DECISION_MAX; index++) {
    const isThere = index < decision.reasonCount
    const reason = at + 64 + index * 4
    view.setUint8(reason, isThere ? (decision.reasonCodes[index] ?? 0) : 0)
    view.setInt8(reason + 1, isThere ? (decision.reasonPoints[index] ?? 0) : 0)
    view.setUint16(reason + 2, isThere ? (decision.reasonLists[index] ?? 0) : 0, LITTLE_ENDIAN)
  }
  for (let index = 0; index < 32; index++) view.setUint8(at + 96 + index, decision.strengths[index] ?? 0)
}

/** Strengths of thousandths, of the signals `seen` (bits), as a decision carries them: 0..255, and only nothing is 0. */
export function noteStrengths(decision: Decision, strengths: Uint16Array, seen: number): void {
  decision.hasStrengths = true
  for (let rest = seen; rest !== 0; rest &= rest - 1) {
    const index = firstSignal(rest)
    // Rounded up, in whole numbers.
    decision.strengths[index] = (((strengths[index] ?? 0) * 255 + STRENGTH_FULL - 1) / STRENGTH_FULL) | 0
  }
}
