import type { DecisionEntry } from '../../../src/domain/decision-record.ts'
import type { PhoneNumber } from '../../../src/domain/phone-number.ts'
import { NOW_MS } from './fixture.ts'

/** The caller of the decisions below. */
export const NUMBER = 79160000002 as PhoneNumber

/** A decision as the log has it, a minute old: flagged for reports. */
export function decision(more: Partial<DecisionEntry>): DecisionEntry {
  return {
    timeMs: NOW_MS - 60_000,
    verdictId: '0'.repeat(31).concat('1'),
    caller: `+${NUMBER}`,
    calleePseudonym: '0011223344556677',
    callHash: '',
    trunk: 'mts-msk',
    ingress: 'national',
    attestation: 'none',
    verdict: 'flag',
    score: 60,
    flags: [],
    reasons: [{ code: 'reported', points: 60, listId: 0 }],
    policyVersion: 1,
    strengths: { reported: 1 },
    ...more,
  }
}
