/**
 * Long work of a main thread that shares its core with threads that take calls: a little at a time with a rest after each, and in the
 * rest the core is theirs. A turn of the event loop alone would not do: this thread would still be runnable, and Linux lets
 * go of a thread that wants to run on only at a tick, every 4 ms.
 */
const WORK_MS = 0.25
/** What a timer can do; so long work takes a fifth of a core at most. */
const REST_MS = 1
/**
 * One work rests no longer than this after its beginning, and then takes its share of the core like a thread with calls. Where
 * every core is busy, a quarter of a millisecond by the clock is less of work and a timer comes late, so that nobody could say
 * how many rests a snapshot would take.
 */
export const RESTS_MS_MAX = 8_000

/** To be awaited after each step, of some microseconds: mostly there is nothing to wait for. */
export type Rest = () => Promise<void> | undefined

export type Pace = {
  /** For one work, from now on. */
  begin(): Rest
  /** From now on there is no rest in any work: somebody waits. */
  hurry(): void
}

export function createPace(): Pace {
  let isHurried = false
  return {
    begin() {
      const begunMs = performance.now()
      let workedFromMs = begunMs
      async function pause(nowMs: number): Promise<void> {
        // A turn, so that messages and timers of this thread come through.
        await new Promise((done) => {
          if (nowMs - begunMs < RESTS_MS_MAX) setTimeout(done, REST_MS)
          else setImmediate(done)
        })
        workedFromMs = performance.now()
      }
      return () => {
        if (isHurried) return undefined
        const nowMs = performance.now()
        return nowMs - workedFromMs < WORK_MS ? undefined : pause(nowMs)
      }
    },
    hurry() {
      isHurried = true
    },
  }
}
