import type { CompiledPolicy } from './compiled-policy.ts'
import { DOUBT, type Evidence } from './evidence.ts'
import { hasManyTalks } from './number-standing.ts'

/**
 * Why reports alone should not block this caller, a DOUBT. Reports cannot tell a number that many people talk with from one
 * that many people hate: with enough long talks behind it, somebody has to look.
 */
export function doubtOf(evidence: Evidence, { behaviour }: CompiledPolicy): number {
  if (evidence.doubt !== DOUBT.none) return evidence.doubt
  const { outgoing, incoming } = evidence
  return hasManyTalks(outgoing, incoming, behaviour.highVolume.longTalks) ? DOUBT.contested : DOUBT.none
}
