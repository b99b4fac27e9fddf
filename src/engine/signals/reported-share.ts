import type { Signal } from './signal.ts'

/** How surely most of what is known about the number is harm: the lower confidence bound of its decayed evidence. */
export const reportedShare: Signal = (_call, evidence) => evidence.harmShare
