import type { Call } from '../../domain/call-event.ts'
import type { SignalContext } from '../compiled-state.ts'
import type { Evidence } from '../evidence.ts'

/**
 * One measured fact about a call: its strength, 0..STRENGTH_FULL, a whole number. Pure, no allocation, one file each,
 * so that a new signal is a new file, a name in SIGNAL_NAMES and its meaning in SIGNAL_FACTS.
 */
export type Signal = (call: Call, evidence: Evidence, context: SignalContext) => number
