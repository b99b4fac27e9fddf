/**
 * The time a node goes by. It is the wall clock, until that jumps by an hour or more against the time since boot: then a
 * node goes on by what has passed, and an operator says which of the two is right. A wrong clock would otherwise let every
 * entry with an expiry, and every report's weight, run out at once, or bring back what had run out.
 *
 * Time since boot goes on while a machine sleeps, so waking is no jump. After a boot the wall clock is believed, and for
 * some minutes whatever it does: many a machine gets the right time from the network only then.
 */

/** Where time comes from; milliseconds. */
export type ClockSources = {
  wall(): number
  /** Cheap, never set, may stand still while the machine sleeps. */
  monotonic(): number
  /** Time since boot with sleep; undefined where there is none: the wall clock is all there is then. */
  boot(): { readonly bootId: string; readonly uptimeMs: number } | undefined
}

/** What the node's time was at a moment since boot. */
export type ClockMark = { readonly bootId: string; readonly uptimeMs: number; readonly nodeMs: number }

export type NodeClock = {
  /** Epoch milliseconds. */
  now(): number
  /** How far the wall clock is ahead of `now()`; 0: it is believed. */
  readonly offsetMs: number
  /** The wall clock is right. */
  accept(): void
  /** To go on from in another process; undefined where there is no time since boot. */
  mark(): ClockMark | undefined
}

/** Less than the hour of a wrong time zone, so that nobody's rounding decides. */
export const CLOCK_JUMP_MS = 3_000_000
export const CLOCK_SETTLING_MS = 600_000
/** From here on somebody looks at the time since boot: 1 s, because clocks are slewed between two looks. */
const STEP_MS = 1_000
/** A machine without a battery starts in 1970, and is set right when the network comes. */
const SANE_MS = Date.UTC(2026, 0, 1)

export function createNodeClock(sources: ClockSources, from?: ClockMark): NodeClock {
  let mark = from
  let offsetMs = 0
  let lastWallMs = sources.wall()
  let lastMonotonicMs = sources.monotonic()
  look(lastWallMs)

  function look(wallMs: number): void {
    const boot = sources.boot()
    if (boot === undefined) return
    const passedMs = boot.uptimeMs - (mark?.uptimeMs ?? 0)
    // Containers may have the boot id of their machine and a time since boot of their own, which begins anew.
    const isSameBoot = mark?.bootId === boot.bootId && passedMs >= 0
    const expectedMs = isSameBoot && mark !== undefined ? mark.nodeMs + passedMs : wallMs
    const aheadMs = wallMs - expectedMs
    const isBelieved = boot.uptimeMs < CLOCK_SETTLING_MS || expectedMs < SANE_MS || Math.abs(aheadMs) < CLOCK_JUMP_MS
    offsetMs = isBelieved ? 0 : aheadMs
    mark = { ...boot, nodeMs: wallMs - offsetMs }
  }

  function now(): number {
    const wallMs = sources.wall()
    const monotonicMs = sources.monotonic()
    if (Math.abs(wallMs - lastWallMs - (monotonicMs - lastMonotonicMs)) > STEP_MS) look(wallMs)
    lastWallMs = wallMs
    lastMonotonicMs = monotonicMs
    return wallMs - offsetMs
  }

  return {
    now,
    get offsetMs() {
      return offsetMs
    },
    accept() {
      mark = undefined
      look(sources.wall())
    },
    mark() {
      now()
      look(lastWallMs)
      return mark
    },
  }
}
