import type { PolicyVersion } from '../domain/policy.ts'
import type { ListVersion } from './ports.ts'

/** Of the empty version and of no policy: the same everywhere. */
const NOTHING = 'none'

/** Names a version of a list, whatever number the order gives it: its layers with their stamps, when and by whom. */
export function versionMark({ version, layers, createdMs, actor }: ListVersion): string {
  if (version === 0) return NOTHING
  return `${layers.map(({ layerId, stamp = 0 }) => `${layerId}-${stamp}`).join(',')} ${createdMs} ${actor}`
}

/** Names a policy, whatever number the order gives it: when and by whom. */
export function policyMark(policy: PolicyVersion | undefined): string {
  return policy === undefined ? NOTHING : `${policy.activatedMs} ${policy.actor}`
}
