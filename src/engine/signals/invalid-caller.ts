import { isPhoneNumber, NOT_A_NUMBER } from '../../domain/phone-number.ts'
import { STRENGTH_FULL } from '../../domain/signal.ts'
import type { Signal } from './signal.ts'

/** What stands in the caller's place is not a number: a name, too few or too many digits, garbage. */
export const invalidCaller: Signal = (call) =>
  isPhoneNumber(call.caller) || call.caller === NOT_A_NUMBER.withheld ? 0 : STRENGTH_FULL
