/** A line a minute at most: who connects again and again must not fill the disk; the counter goes on. */
const SAY_EVERY_MS = 60_000

export type ConnectionsWatch = {
  /** To be called by a timer, every second or so. */
  tick(): void
}

/**
 * Says that connections were closed because a verdict thread had all it takes, with how many since it was last said. To a switch
 * it is a connection that ends before any answer; who connects is not said.
 */
export function createConnectionsWatch(dependencies: {
  /** How many since the process started, over all threads. */
  readonly refused: () => number
  /** Milliseconds of a clock that only goes forward. */
  readonly now: () => number
  readonly say: (refused: number) => void
}): ConnectionsWatch {
  const { refused, now, say } = dependencies
  let said = 0
  let saidMs = Number.NEGATIVE_INFINITY
  return {
    tick() {
      const count = refused()
      const nowMs = now()
      if (count === said || nowMs - saidMs < SAY_EVERY_MS) return
      say(count - said)
      said = count
      saidMs = nowMs
    },
  }
}
