import { describe, expect, it } from 'vitest'
import type { DecisionEntry } from '../../../src/domain/decision-record.ts'
import { createPolicyRehearsal } from '../../../src/services/rehearse-policy.ts'
import { DEFAULT_POLICY, HOME, NOW } from '../../fixtures/screening-world.ts'

const ENTRY: DecisionEntry = {
  timeMs: NOW,
  verdictId: '0'.repeat(32),
  caller: 'withheld',
  calleePseudonym: '0'.repeat(16),
  callHash: '',
  trunk: '',
  ingress: 'unknown',
  attestation: 'none',
  verdict: 'allow',
  score: 0,
  flags: [],
  reasons: [],
  policyVersion: 1,
  strengths: {},
}

function rehearse(recorded: number, decisionsMax: number) {
  const rehearsal = createPolicyRehearsal(
    { decisionsMax },
    {
      log: {
        async *iterate() {
          for (let index = 0; index < recorded; index++) yield ENTRY
        },
      },
      listName: () => '',
      standing: { isListed: () => false, of: () => ({ protected: false, allowListed: false, reported: false }) },
      policy: () => DEFAULT_POLICY,
      parse: () => -1 as never,
      isScreened: () => true,
      home: HOME,
    },
  )
  return rehearsal.rehearse({ policy: DEFAULT_POLICY, lists: [] }, { sinceMs: 0, untilMs: NOW })
}

describe('a rehearsal over a log', () => {
  it('replays so many decisions and says when there were more', async () => {
    expect(await rehearse(3, 3)).toMatchObject({ decisions: 3, complete: true })
    expect(await rehearse(4, 3)).toMatchObject({ decisions: 3, complete: false })
  })
})
