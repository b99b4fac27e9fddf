/**
 * Calls or ends whose memory is loaded together, at most. A processor has some twenty loads on the way at once, far more than one
 * call has; what they load, 2 KiB a call, is to be in the cache until the last of them is decided.
 */
export const AHEAD_MAX = 16
