import type { Signal } from './signal.ts'

/** What is reported of the numbers around the caller: evidence beside his own, never a verdict by itself. */
export const numberBlock: Signal = (_call, evidence) => evidence.blockHarm
