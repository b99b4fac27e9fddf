import { ATTESTATIONS, VERSTATS } from '../../domain/call-event.ts'
import { STRENGTH_FULL } from '../../domain/signal.ts'
import type { Signal } from './signal.ts'

const GATEWAY = ATTESTATIONS.indexOf('C')
const NOT_VALIDATED = VERSTATS.indexOf('No-TN-Validation')

/** The switch looked for a signature and could not validate the number: less than a gateway's word against it. */
export const STRENGTH_NOT_VALIDATED = 500

/**
 * The call was signed by a gateway that knows nothing about the caller (attestation C), or the number could not be
 * validated. No STIR data at all says nothing: most countries have no STIR.
 */
export const attestationWeak: Signal = (call) => {
  if (call.attestation === GATEWAY) return STRENGTH_FULL
  return call.verstat === NOT_VALIDATED ? STRENGTH_NOT_VALIDATED : 0
}
