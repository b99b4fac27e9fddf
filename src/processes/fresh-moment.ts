/** Three beats of a control process (ALIVE_EVERY_MS): one may be late, two are not. */
export const CONTROL_SILENT_MS = 3_000

/**
 * The last moment of which verdicts are known to reflect every change, epoch milliseconds. `inForceMs` is when everything
 * in the change log was last in force. That says nothing while nobody writes the log: when the control process was last
 * heard of `silentMs` ago, changes may have been waiting at its door since then. Nor does it where the record is in Redis:
 * `recordMs` is up to when the record itself is in force (RecordMoment), undefined on a node that is its own record.
 */
export function freshMoment(
  inForceMs: number,
  silentMs: number,
  nowMs: number,
  recordMs: number | undefined = undefined,
): number {
  const heardMs = silentMs < CONTROL_SILENT_MS ? inForceMs : Math.min(inForceMs, nowMs - silentMs)
  return recordMs === undefined ? heardMs : Math.min(heardMs, recordMs)
}

/** Up to when the record in Redis is in force in this process. */
export type RecordMoment = {
  /** Control's word, heard at `nowMs`: its log has everything that was in the record at `freshMs`; 0: never yet. */
  hear(freshMs: number, nowMs: number): void
  /**
   * Given when everything in the change log was last in force, the same of the record, epoch milliseconds; 0: not known.
   * Undefined: nothing was kept and control has said nothing, so the node is its own record.
   */
  upTo(inForceMs: number): number | undefined
}

/** One that is awaited and the newest: with fewer, a word that comes each second would never count while builds take two. */
const WORDS_KEPT = 2

/**
 * Control's word counts once the log, as it was when the word came, is in force: what was in the record at `freshMs` may
 * have come into the log as late as that. `keptMs`: what was in force when this process started, 0 when that is not known;
 * undefined on a node that is its own record.
 */
export function createRecordMoment(keptMs?: number): RecordMoment {
  let words: { freshMs: number; heardMs: number }[] = []
  let knownMs = keptMs
  return {
    hear(freshMs, nowMs) {
      // A clock that was set back would let them wait until it is there again.
      words = words.filter(({ heardMs }) => heardMs <= nowMs)
      if (words.length === WORDS_KEPT) words.pop()
      words.push({ freshMs, heardMs: nowMs })
    },
    upTo(inForceMs) {
      while (words[0] !== undefined && words[0].heardMs <= inForceMs) {
        // A control process that has just started has not read the record yet; what is in force here stays in force.
        knownMs = words[0].freshMs > 0 ? words[0].freshMs : (knownMs ?? 0)
        words.shift()
      }
      return knownMs
    },
  }
}
