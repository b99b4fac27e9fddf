import { type Call, CONFIRMATIONS, INGRESS_KINDS } from '../domain/call-event.ts'
import { isHomeNumber } from '../domain/parse-phone-number.ts'
import { isPhoneNumber, SHORT_CODE_LIMIT } from '../domain/phone-number.ts'
import { LIST_KIND_CODE, type SignalContext } from './compiled-state.ts'
import { type Evidence, ODDITY } from './evidence.ts'

const NATIONAL = INGRESS_KINDS.indexOf('national')
const INTERNATIONAL = INGRESS_KINDS.indexOf('international')
const CONFIRMED = CONFIRMATIONS.indexOf('confirmed')
const UNKNOWN = CONFIRMATIONS.indexOf('unknown')

/** What is odd about the caller's number in this call, bits of ODDITY; lists and ingress are known by now. No allocation. */
export function odditiesOf(
  call: Call,
  evidence: Evidence,
  { home, policy }: Pick<SignalContext, 'home' | 'policy'>,
): number {
  const { caller, callee, roaming } = call
  if (!isPhoneNumber(caller)) return 0
  const { ingress } = evidence
  let oddities = 0
  if (ingress === INTERNATIONAL && roaming === UNKNOWN && isHomeNumber(caller, home)) oddities |= ODDITY.homeFromAbroad
  if (shareLeadingDigits(caller, callee, policy.behaviour.neighbour.digits)) oddities |= ODDITY.neighbour
  if (isOwnFromOutside(call, evidence)) oddities |= ODDITY.ownFromOutside
  return oddities
}

/** One of our own subscribers' numbers comes in from another network, neither redirected nor known to roam. */
export function isOwnFromOutside(call: Call, { ingress, listByKind }: Evidence): boolean {
  if (listByKind[LIST_KIND_CODE.own] === 0) return false
  if (ingress !== NATIONAL && ingress !== INTERNATIONAL) return false
  return !isPhoneNumber(call.redirecting) && call.roaming !== CONFIRMED
}

/** Whether two full numbers of the same length share at least this many leading digits, and are not the same. */
export function shareLeadingDigits(a: number, b: number, digits: number): boolean {
  if (a < SHORT_CODE_LIMIT || b < SHORT_CODE_LIMIT || a === b) return false
  let length = digits
  while ((POWERS_OF_TEN[length] ?? Number.POSITIVE_INFINITY) <= a) length++
  // Both numbers without so many digits at their end are what they have in common.
  const tail = POWERS_OF_TEN[length - digits] ?? 1
  return Math.floor(a / tail) === Math.floor(b / tail)
}

/** Up to one that no number reaches. */
const POWERS_OF_TEN = Float64Array.from({ length: 17 }, (_, exponent) => 10 ** exponent)
