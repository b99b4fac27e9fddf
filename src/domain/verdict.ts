/** What the switch is told to do. The index is the wire and storage code: append only. */
export const VERDICTS = ['allow', 'flag', 'block'] as const
export type Verdict = (typeof VERDICTS)[number]
export const ALLOW = 0
export const FLAG = 1
export const BLOCK = 2
