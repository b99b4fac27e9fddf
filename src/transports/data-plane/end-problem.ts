import type { JsonObject } from './json-text.ts'

/** Why a call end is refused. The codes are part of the wire (docs/wire.md) and never change their meaning. */
export type EndProblem =
  | 'caller-type'
  | 'callee-type'
  | 'call-id-type'
  | 'answered-type'
  | 'ring-ms-type'
  | 'talk-ms-type'

/**
 * The first field of an end that is of another type than docs/wire.md says, or undefined. Fields that are missing or null
 * are in order. Read as if it were missing, such a field would count against the caller: talk of no length, no answer.
 */
export function endProblem({ caller, callee, callId, answered, ringMs, talkMs }: JsonObject): EndProblem | undefined {
  if (!isName(caller)) return 'caller-type'
  if (!isName(callee)) return 'callee-type'
  if (!isName(callId)) return 'call-id-type'
  if (!isMissing(answered) && typeof answered !== 'boolean') return 'answered-type'
  if (!isMissing(ringMs) && typeof ringMs !== 'number') return 'ring-ms-type'
  if (!isMissing(talkMs) && typeof talkMs !== 'number') return 'talk-ms-type'
  return undefined
}

function isMissing(value: unknown): boolean {
  return value === undefined || value === null
}

/** Numbers and ids come as text or as digits. */
function isName(value: unknown): boolean {
  return isMissing(value) || typeof value === 'string' || typeof value === 'number'
}
