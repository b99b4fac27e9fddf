/** Three beats of a control process (ALIVE_EVERY_MS): one may be late, two are not. */
export const CONTROL_SILENT_MS = 3_000

/**
 * The last moment of which verdicts are known to reflect every change, epoch milliseconds. `inForceMs` is when everything
 * in the change log was last in force. That says nothing while nobody writes the log: when the control process was last
 * heard of `silentMs` ago, changes may have been waiting at its door since then.
 */
export function freshMoment(inForceMs: number, silentMs: number, nowMs: number): number {
  return silentMs < CONTROL_SILENT_MS ? inForceMs : Math.min(inForceMs, nowMs - silentMs)
}
