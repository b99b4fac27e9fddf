import { DECISION_FLAG } from '../domain/decision-record.ts'
import { reasonIndex } from '../domain/signal.ts'
import { ALLOW } from '../domain/verdict.ts'
import { type Counters, count, counterIndex, REASON_COUNTERS, VERDICT_COUNTERS } from '../shm/counters.ts'
import type { Decision } from './decision.ts'

const OVERLOADED = counterIndex('verdicts.overloaded')
const NOT_READY = counterIndex('verdicts.not-ready')
const SHADOWED = counterIndex('verdicts.shadowed')
const CAPPED = counterIndex('verdicts.capped')
const REVIEW_WANTED = counterIndex('verdicts.review-wanted')
const REASON_OVERLOADED = REASON_COUNTERS + reasonIndex('overloaded')
const REASON_NOT_READY = REASON_COUNTERS + reasonIndex('not-ready')

/** Counts one decided call: what was told, why, and what became of `verdict` on the way. No allocation. */
export function countDecision(counters: Counters, decision: Decision, verdict: number): void {
  const { flags, reasonCodes, reasonCount } = decision
  count(counters, VERDICT_COUNTERS + decision.verdict)
  for (let index = 0; index < reasonCount; index++) {
    const reason = REASON_COUNTERS + (reasonCodes[index] ?? 1) - 1
    count(counters, reason)
    if (reason === REASON_OVERLOADED) count(counters, OVERLOADED)
    if (reason === REASON_NOT_READY) count(counters, NOT_READY)
  }
  if ((flags & DECISION_FLAG.capped) !== 0) count(counters, CAPPED)
  if ((flags & DECISION_FLAG.reviewWanted) !== 0) count(counters, REVIEW_WANTED)
  if (verdict !== ALLOW && (flags & DECISION_FLAG.shadow) !== 0) count(counters, SHADOWED)
}
