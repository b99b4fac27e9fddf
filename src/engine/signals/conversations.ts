import { isEstablished } from './outcomes.ts'
import { ramp } from './ramp.ts'
import type { Signal } from './signal.ts'

/** Talks of a minute and more that make a number's past count in full. */
const LONG_TALKS = 40

/** Good evidence: a number with a past of long talks that people also call. */
export const conversations: Signal = (_call, { outgoing, incoming }) =>
  isEstablished(outgoing, incoming) ? ramp(outgoing.totalLong + incoming.totalLong, LONG_TALKS >> 3, LONG_TALKS) : 0
