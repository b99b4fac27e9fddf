import { describe, expect, it } from 'vitest'
import {
  DECISION_FIELD,
  DECISION_FLAG,
  DECISION_RECORD_BYTES,
  decodeDecision,
  isDecisionRecord,
} from '../../../src/domain/decision-record.ts'
import { NOT_A_NUMBER } from '../../../src/domain/phone-number.ts'
import { SIGNAL_NAMES } from '../../../src/domain/policy.ts'
import { REASON_CODES } from '../../../src/domain/reason.ts'
import { type DecisionFields, decisionBytes } from '../../fixtures/decision-bytes.ts'

const decoded = (decision: DecisionFields) =>
  decodeDecision(new DataView(decisionBytes({ timeMs: 1 }, decision).buffer), DECISION_RECORD_BYTES, ['', 'carrier-a'])

describe('a decision record', () => {
  it('decodes to names and texts', () => {
    const strengths = new Array(SIGNAL_NAMES.length).fill(0)
    strengths[SIGNAL_NAMES.indexOf('deny-listed')] = 255
    strengths[SIGNAL_NAMES.indexOf('reported')] = 51
    expect(
      decoded({
        timeMs: 1_735_689_600_123,
        verdictId: [0x01234567, 0x89abcdef, 0, 0xffffffff],
        caller: 79_160_000_002,
        calleePseudonym: [1, 0xfedcba98],
        callHash: [0, 7],
        trunk: 1,
        ingress: 3,
        verdict: 2,
        score: 97,
        flags: DECISION_FLAG.shadow | DECISION_FLAG.sampled,
        attestation: 1,
        policyVersion: 4_000_000_000,
        reasons: [
          { code: REASON_CODES.indexOf('listed') + 1, points: 100, listId: 65_535 },
          { code: REASON_CODES.indexOf('attested') + 1, points: -20, listId: 0 },
        ],
        strengths,
      }),
    ).toEqual({
      timeMs: 1_735_689_600_123,
      verdictId: '0123456789abcdef00000000ffffffff',
      caller: '+79160000002',
      calleePseudonym: '00000001fedcba98',
      callHash: '0000000000000007',
      trunk: 'carrier-a',
      ingress: 'international',
      attestation: 'A',
      verdict: 'block',
      score: 97,
      flags: ['shadow', 'sampled'],
      reasons: [
        { code: 'listed', points: 100, listId: 65_535 },
        { code: 'attested', points: -20, listId: 0 },
      ],
      policyVersion: 4_000_000_000,
      strengths: { 'deny-listed': 1, reported: 0.2 },
    })
  })

  it('says what a caller was that is no number', () => {
    expect(decoded({ timeMs: 1, caller: NOT_A_NUMBER.withheld }).caller).toBe('withheld')
    expect(decoded({ timeMs: 1, caller: -99 }).caller).toBe('malformed')
    expect(decoded({ timeMs: 1, caller: 1_112 }).caller).toBe('112')
  })

  it('has no call hash and no trunk when the switch named none', () => {
    expect(decoded({ timeMs: 1, trunk: 0 })).toMatchObject({ callHash: '', trunk: '' })
    expect(decoded({ timeMs: 1, trunk: 999 }).trunk).toBe('')
  })

  it('leaves out reasons of a later release', () => {
    expect(decoded({ timeMs: 1, reasons: [{ code: 255, points: 1, listId: 0 }] }).reasons).toEqual([])
  })

  it('is told from what a crash leaves behind', () => {
    const bytes = decisionBytes({ timeMs: 1 }, { timeMs: 0 }, { timeMs: 1, verdict: 3 }, { timeMs: 1 })
    bytes[3 * DECISION_RECORD_BYTES + DECISION_FIELD.reasonCount] = 9
    const view = new DataView(bytes.buffer)
    const usable = [0, 1, 2, 3].map((i) => isDecisionRecord(view, i * DECISION_RECORD_BYTES))
    expect(usable).toEqual([true, false, false, false])
  })
})
