import { standingFrom } from '../domain/number-standing.ts'
import { type CompiledPolicy, includesCallee } from './compiled-policy.ts'
import { DOUBT, type Evidence } from './evidence.ts'

/**
 * Why reports alone should not block this caller, a DOUBT. Reports cannot tell a number that many people talk with from one
 * that many people hate: at a high volume somebody has to look.
 */
export function doubtOf({ doubt, outgoing }: Evidence): number {
  if (doubt !== DOUBT.none) return doubt
  return standingFrom(outgoing) === 'high-volume' ? DOUBT.contested : DOUBT.none
}

/** Emergency and operator services call back under their own numbers; they are spared like protected callers. No allocation. */
export function isService(caller: number, policy: CompiledPolicy): boolean {
  return includesCallee(policy.emergencyCallees, caller) || includesCallee(policy.serviceCallees, caller)
}
