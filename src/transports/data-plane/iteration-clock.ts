/**
 * Server time when the current loop iteration began to read requests: a deadline counts from there, so that the last of
 * a thousand requests read at once knows how long it has waited behind the others. The first request of an iteration
 * reads the clock; the check phase, which follows the poll phase (setImmediate), forgets it.
 *
 * @returns a function that answers epoch milliseconds
 */
export function createIterationClock(now: () => number): () => number {
  let startedMs = 0
  const forget = () => {
    startedMs = 0
  }
  return () => {
    if (startedMs === 0) {
      startedMs = now()
      setImmediate(forget)
    }
    return startedMs
  }
}
