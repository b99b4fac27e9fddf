import { CONFIRMATIONS, INGRESS_KINDS } from '../../domain/call-event.ts'
import { isHomeNumber } from '../../domain/parse-phone-number.ts'
import { isPhoneNumber } from '../../domain/phone-number.ts'
import { STRENGTH_FULL } from '../../domain/signal.ts'
import type { Signal } from './signal.ts'

const INTERNATIONAL = INGRESS_KINDS.indexOf('international')
const CONFIRMED = CONFIRMATIONS.indexOf('confirmed')
const DENIED = CONFIRMATIONS.indexOf('denied')

/** Nobody could say whether the subscriber roams: suspicious, but millions of travellers call home like this. */
export const STRENGTH_ROAMING_UNKNOWN = 500

/** A home-country caller comes in from abroad. Roaming explains it; when roaming is denied, the number is borrowed. */
export const nationalFromAbroad: Signal = (call, evidence, { home }) => {
  if (evidence.ingress !== INTERNATIONAL || call.roaming === CONFIRMED) return 0
  if (!isPhoneNumber(call.caller) || !isHomeNumber(call.caller, home)) return 0
  return call.roaming === DENIED ? STRENGTH_FULL : STRENGTH_ROAMING_UNKNOWN
}
