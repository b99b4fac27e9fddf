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

/** Calls of the last hour whose end is known, from which on a block stands. */
const TRIED = 6
/** Of the calls that would be blocked before, one in so many is tried. */
const TRIAL_ONE_IN = 4

/**
 * One call in four is delivered with a warning while few of the caller's calls have ended, though what he does would block it: a
 * refused call shows nobody how it would have ended, so a wrong block would last for as long as the caller keeps trying (the
 * half-open state of a circuit breaker; Nygard, "Release It!", 2007).
 */
export function isTrialCall({ outgoing }: Evidence): boolean {
  return outgoing.ended60 < TRIED && outgoing.attempts60 % TRIAL_ONE_IN === TRIAL_ONE_IN - 1
}

/** Emergency and operator services call back under their own numbers; they are spared like protected callers. No allocation. */
export function isService(caller: number, policy: CompiledPolicy): boolean {
  return includesCallee(policy.emergencyCallees, caller) || includesCallee(policy.serviceCallees, caller)
}
