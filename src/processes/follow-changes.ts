import type { Change } from '../stores/ports.ts'

/**
 * Follows the change log of the record into this process. Reported numbers go into the gates at once (`seen`); a change
 * of lists, policy or numbering makes a new snapshot, which takes longer, and reports go on meanwhile (`inForce` lags).
 * Changes that arrive while a snapshot is made are covered by the next one: any number of changes costs at most two.
 */
export type Follower = {
  /** There may be something new. */
  nudge(): void
  readonly seen: number
  readonly inForce: number
  /** The last moment of which everything in the change log is in force. */
  readonly freshMs: number
  close(): Promise<void>
}

export type FollowerDependencies = {
  readonly store: { changesAfter(after: number, limit: number): Change[] }
  /** A number has a reputation now. */
  readonly addReported: (number: number) => void
  /** Builds a snapshot from the record and resolves when every thread has installed it. */
  readonly publish: () => Promise<void>
  readonly onProgress: (seen: number, inForce: number) => void
  /** Not to be survived: the record cannot be read, or a snapshot cannot be built. */
  readonly onFailure: (error: unknown) => void
  readonly now: () => number
}

/** Enough to catch up with 100,000 changes a second in steps that leave the event loop its turns. */
const CHANGES_PER_STEP = 1_000

/** `startedAt`: the last change the first snapshot, published already, is known to include. */
export function createFollower(startedAt: number, dependencies: FollowerDependencies): Follower {
  let seen = startedAt
  let inForce = startedAt
  /** When the log was last read to its end. */
  let readMs = dependencies.now()
  let freshMs = readMs
  /** The newest change that needs a snapshot; nothing to do while inForce has it. */
  let wanted = startedAt
  let building: Promise<void> | undefined
  let closed = false

  function step(): void {
    const before = { seen, inForce }
    const changes = dependencies.store.changesAfter(seen, CHANGES_PER_STEP)
    for (const change of changes) {
      if (change.kind === 'report') dependencies.addReported(change.number)
      else if (change.kind !== 'review') wanted = change.sequence
      seen = change.sequence
    }
    const isEnd = changes.length < CHANGES_PER_STEP
    if (isEnd) readMs = dependencies.now()
    if (wanted > inForce) building ??= buildUntilCurrent()
    else {
      inForce = seen
      freshMs = readMs
    }
    if (seen > before.seen || inForce > before.inForce) dependencies.onProgress(seen, inForce)
    if (!isEnd) setImmediate(nudge)
  }

  async function buildUntilCurrent(): Promise<void> {
    try {
      while (wanted > inForce && !closed) {
        const includes = seen
        const includesMs = readMs
        await dependencies.publish()
        // Who closes meanwhile may have closed what it would be in force in.
        if (closed) return
        inForce = includes
        freshMs = includesMs
        dependencies.onProgress(seen, inForce)
      }
    } catch (error) {
      dependencies.onFailure(error)
    } finally {
      building = undefined
    }
  }

  function nudge(): void {
    if (closed) return
    try {
      step()
    } catch (error) {
      dependencies.onFailure(error)
    }
  }

  return {
    nudge,
    get seen() {
      return seen
    },
    get inForce() {
      return inForce
    },
    get freshMs() {
      return freshMs
    },
    async close() {
      closed = true
      await building
    },
  }
}
