import { CONFIRMATIONS } from '../../domain/call-event.ts'
import { STRENGTH_FULL } from '../../domain/signal.ts'
import type { Signal } from './signal.ts'

const DENIED = CONFIRMATIONS.indexOf('denied')

/** The caller's own operator says that this subscriber is not making a call now. */
export const originatingDenied: Signal = (call) => (call.originating === DENIED ? STRENGTH_FULL : 0)
