import type { PolicyDocument } from '../../src/domain/policy.ts'

/** A small policy that is whole, for stores that only keep it. */
export const POLICY: PolicyDocument = {
  name: 'default',
  thresholds: { flag: 50, block: 80 },
  reports: { windowDays: 10, flagReporters: 3, blockReporters: 5, weightMin: 0.2 },
  numbering: { staleAfterDays: 35 },
  callees: { emergency: ['112'], service: ['611'] },
  sip: { analytics: '603+', deterministic: '603', redressUrl: 'https://example.org/{verdictId}', location: 'LN' },
  reviewAt: 60,
  label: { code: 'suspected-fraud', text: { en: 'Possible fraud' } },
  rules: [{ signal: 'deny-listed', mode: 'enforce', points: 100 }],
}
