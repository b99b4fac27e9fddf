import { STRENGTH_FULL } from '../../domain/signal.ts'
import type { Signal } from './signal.ts'

/** Good evidence: caller and callee have talked for a minute or more within the last days. */
export const knownContact: Signal = (_call, evidence) => (evidence.contact === 1 ? STRENGTH_FULL : 0)
