import { NOT_A_NUMBER } from '../../domain/phone-number.ts'
import { STRENGTH_FULL } from '../../domain/signal.ts'
import type { Signal } from './signal.ts'

/** The caller shows no number. */
export const withheld: Signal = (call) => (call.caller === NOT_A_NUMBER.withheld ? STRENGTH_FULL : 0)
