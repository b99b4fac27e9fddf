import { CONFIRMATIONS, INGRESS_KINDS } from '../../domain/call-event.ts'
import { isHomeNumber } from '../../domain/parse-phone-number.ts'
import { isPhoneNumber } from '../../domain/phone-number.ts'
import { STRENGTH_FULL } from '../../domain/signal.ts'
import { ODDITY } from '../evidence.ts'
import { ramp } from './ramp.ts'
import type { Signal } from './signal.ts'

const INTERNATIONAL = INGRESS_KINDS.indexOf('international')
const CONFIRMED = CONFIRMATIONS.indexOf('confirmed')
const DENIED = CONFIRMATIONS.indexOf('denied')

/** Nobody could say whether the subscriber roams: suspicious, but millions of travellers call home like this. */
export const STRENGTH_ROAMING_UNKNOWN = 500
/** Many strangers like this on one trunk: a suspicion that may block, and still no fact. */
export const STRENGTH_STRANGERS = 950
const BIT = Math.log2(ODDITY.homeFromAbroad)

/** A home-country caller comes in from abroad. Roaming explains it; when roaming is denied, the number is borrowed. */
export const nationalFromAbroad: Signal = (call, evidence, { home, policy }) => {
  if (evidence.ingress !== INTERNATIONAL || call.roaming === CONFIRMED) return 0
  if (!isPhoneNumber(call.caller) || !isHomeNumber(call.caller, home)) return 0
  if (call.roaming === DENIED) return STRENGTH_FULL
  if ((evidence.oddities & ODDITY.homeFromAbroad) === 0) return STRENGTH_ROAMING_UNKNOWN
  const others = ramp(evidence.strangers15[BIT] ?? 0, 1, policy.behaviour.strangers.fromAbroad)
  return (
    STRENGTH_ROAMING_UNKNOWN + Math.floor(((STRENGTH_STRANGERS - STRENGTH_ROAMING_UNKNOWN) * others) / STRENGTH_FULL)
  )
}
