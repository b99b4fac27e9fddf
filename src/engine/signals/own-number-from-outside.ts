import { CONFIRMATIONS, INGRESS_KINDS } from '../../domain/call-event.ts'
import { isPhoneNumber } from '../../domain/phone-number.ts'
import { STRENGTH_FULL } from '../../domain/signal.ts'
import { LIST_KIND_CODE } from '../compiled-state.ts'
import type { Signal } from './signal.ts'

const NATIONAL = INGRESS_KINDS.indexOf('national')
const INTERNATIONAL = INGRESS_KINDS.indexOf('international')
const CONFIRMED = CONFIRMATIONS.indexOf('confirmed')

/** One of our own subscribers' numbers comes in from another network, though neither redirected nor roaming. */
export const ownNumberFromOutside: Signal = (call, evidence) => {
  if (evidence.listByKind[LIST_KIND_CODE.own] === 0) return 0
  if (evidence.ingress !== NATIONAL && evidence.ingress !== INTERNATIONAL) return 0
  if (isPhoneNumber(call.redirecting) || call.roaming === CONFIRMED) return 0
  return STRENGTH_FULL
}
