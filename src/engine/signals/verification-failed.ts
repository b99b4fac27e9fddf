import { VERSTATS } from '../../domain/call-event.ts'
import { STRENGTH_FULL } from '../../domain/signal.ts'
import type { Signal } from './signal.ts'

const FAILED = VERSTATS.indexOf('TN-Validation-Failed')

/** The terminating side verified the STIR signature (RFC 8224) and found it wrong. */
export const verificationFailed: Signal = (call) => (call.verstat === FAILED ? STRENGTH_FULL : 0)
