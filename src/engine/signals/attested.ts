import { ATTESTATIONS, VERSTATS } from '../../domain/call-event.ts'
import { STRENGTH_FULL } from '../../domain/signal.ts'
import type { Signal } from './signal.ts'

const FULL = ATTESTATIONS.indexOf('A')
const PASSED = VERSTATS.indexOf('TN-Validation-Passed')

/** Good evidence: the originating operator vouches for the caller (attestation A) and its signature verified. */
export const attested: Signal = (call) => (call.attestation === FULL && call.verstat === PASSED ? STRENGTH_FULL : 0)
