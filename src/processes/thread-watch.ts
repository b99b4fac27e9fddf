/** Finds a verdict thread whose event loop has stopped: an endless loop, a lock never released. */
export type ThreadWatch = {
  /** To be called by a timer: what is counted is calls of this, so a machine that slept has not missed any. */
  tick(): void
}

/** `beats`: one number per thread, which a thread that moves changes between two ticks. */
export function createThreadWatch(
  { ticksMax }: { readonly ticksMax: number },
  dependencies: { readonly beats: Uint32Array; readonly onFrozen: (thread: number) => void },
): ThreadWatch {
  const { beats, onFrozen } = dependencies
  const last = beats.slice()
  const missed = new Uint32Array(beats.length)
  return {
    tick() {
      for (const [thread, beat] of beats.entries()) {
        const count = beat === last[thread] ? (missed[thread] ?? 0) + 1 : 0
        missed[thread] = count
        last[thread] = beat
        if (count === ticksMax) onFrozen(thread)
      }
    },
  }
}
