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
      writeRecord(ring, at, call, decision, verdict)
      ring.words[(at + 32) >>> 2] = hasher.low
      ring.words[(at + 36) >>> 2] = hasher.high
      commitRecord(ring)
      count(counters, LOGGED)
    },
  }
}

/**
 * Everything of domain/decision-record.ts but the callee's pseudonym. The slot is reused: every byte is written. Records are
 * little-endian, as is every machine we run on (x64, arm64): through a DataView this took a microsecond.
 */
function writeRecord(ring: DecisionRing, at: number, call: Call, decision: Decision, verdict: number): void {
  const { words, doubles } = ring
  const word = at >>> 2
  doubles[at >>> 3] = call.nowMs
  doubles[(at >>> 3) + 3] = call.caller
  for (let index = 0; index < 4; index++) words[word + 2 + index] = decision.verdictId[index] ?? 0
  words[word + 10] = call.callHashLow
  words[word + 11] = call.callHashHigh
  words[word + 12] = call.trunk | (call.ingress << 16) | (verdict << 24)
  words[word + 13] = decision.score | (decision.flags << 8) | (decision.reasonCount << 16) | (call.attestation << 24)
  words[word + 14] = decision.policyVersion
  words[word + 15] = 0
  for (let index = 0; index < REASONS_PER_DECISION_MAX; index++) {
    words[word + 16 + index] = index < decision.reasonCount ? reasonWord(decision, index) : 0
  }
  const { strengthWords } = decision
  for (let index = 0; index < strengthWords.length; index++) words[word + 24 + index] = strengthWords[index] ?? 0
}

function reasonWord({ reasonCodes, reasonPoints, reasonLists }: Decision, index: number): number {
  const points = (reasonPoints[index] ?? 0) & 0xff
  return (reasonCodes[index] ?? 0) | (points << 8) | ((reasonLists[index] ?? 0) << 16)
}

/** Strengths of thousandths, of the signals `seen` (bits), as a decision carries them: 0..255, and only nothing is 0. */
export function noteStrengths(decision: Decision, strengths: Uint16Array, seen: number): void {
  for (let rest = seen; rest !== 0; rest &= rest - 1) {
    const index = firstSignal(rest)
    // Rounded up, in whole numbers.
    decision.strengths[index] = (((strengths[index] ?? 0) * 255 + STRENGTH_FULL - 1) / STRENGTH_FULL) | 0
  }
}
