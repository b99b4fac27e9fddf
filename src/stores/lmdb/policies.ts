import type { PolicyVersion } from '../../domain/policy.ts'
import type { FactOf } from '../fact.ts'
import { POLICY_VERSIONS_KEPT, type RecordStore } from '../ports.ts'
import { policyMark } from '../record-marks.ts'
import { policyReplaced } from '../record-rules.ts'
import type { Environment } from './environment.ts'
import { LIVE_SPACE, makeKey } from './keys.ts'
import { decodeJson, encodeJson } from './values.ts'
import type { WriteSet } from './write-set.ts'

export type PolicyReads = Pick<RecordStore, 'policy' | 'policyVersions'>

const versionKey = (version: number) => makeKey(LIVE_SPACE.policyVersion, { u32: version })

export function policyReads(environment: Environment): PolicyReads {
  return {
    policy() {
      environment.refresh()
      return newestPolicies(environment, 1)[0]
    },
    policyVersions(limit) {
      environment.refresh()
      return newestPolicies(environment, limit)
    },
  }
}

/** Throws POLICY_CHANGED. */
export function putPolicy(
  environment: Environment,
  writes: WriteSet,
  { text, document, expectedMark, actor }: FactOf<'policy-put'>,
): { policy: PolicyVersion; sequence: number } {
  const [known] = newestPolicies(environment, 1)
  const current = known?.version ?? 0
  if (expectedMark !== undefined && expectedMark !== policyMark(known)) throw policyReplaced(current)
  const policy: PolicyVersion = { version: current + 1, text, document, activatedMs: writes.nowMs, actor }
  writes.put(versionKey(policy.version), encodeJson(policy))
  if (policy.version > POLICY_VERSIONS_KEPT) writes.remove(versionKey(policy.version - POLICY_VERSIONS_KEPT))
  const sequence = writes.change({ kind: 'policy', version: policy.version })
  writes.audit(actor, 'policy.put', document.name, { version: policy.version })
  return { policy, sequence }
}

/** 0: there is none. */
export function policyVersionIn(environment: Environment): number {
  return newestPolicies(environment, 1)[0]?.version ?? 0
}

function newestPolicies(environment: Environment, limit: number): PolicyVersion[] {
  const policies: PolicyVersion[] = []
  const prefix = makeKey(LIVE_SPACE.policyVersion)
  environment.scan({ prefix, reverse: true, limit }, (_key, value) => policies.push(decodeJson<PolicyVersion>(value)))
  return policies
}
