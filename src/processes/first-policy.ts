import { ScreeningError } from '../domain/errors.ts'
import type { PolicyDocument } from '../domain/policy.ts'
import { patiently } from '../services/patience.ts'
import type { RecordStore } from '../stores/ports.ts'

/**
 * Every record has a policy from its first moment on. Waits for a Redis that is away for a moment; rejects with what it
 * answers then, for a node without a policy can decide nothing.
 */
export async function putFirstPolicy(
  store: Pick<RecordStore, 'policy' | 'putPolicy'>,
  read: () => { readonly text: string; readonly document: PolicyDocument },
  now: () => number,
): Promise<void> {
  if (store.policy()) return
  const policy = read()
  await patiently(async () => {
    if (store.policy()) return
    try {
      await store.putPolicy(policy, { expectedVersion: 0 }, 'system')
    } catch (error) {
      // Another node of the same record was first, or the answer of the try before was lost.
      if (!(error instanceof ScreeningError && error.code === 'POLICY_CHANGED')) throw error
    }
  }, now)
}
