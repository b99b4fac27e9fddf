import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Long work of a main thread that shares its core with threads that take calls: a little at a time with a rest after each, and in the
 * rest the core is theirs. A turn of the event loop alone would not do: this thread would still be runnable, and Linux lets
 * go of a thread that wants to run on only at a tick, every 4 ms.
 */
const WORK_MS = 0.25
/** What a timer can do; so long work takes a fifth of a core at most. */
const REST_MS = 1

export type Pace = {
  /** To be awaited after each step, of some microseconds: mostly there is nothing to wait for. */
  rest(): Promise<void> | undefined
  /** From now on there is no rest: somebody waits. */
  hurry(): void
}

export function createPace(): Pace {
  let workedFromMs = performance.now()
  let isHurried = false
  async function pause(): Promise<void> {
    await sleep(REST_MS)
    workedFromMs = performance.now()
  }
  return {
    rest: () => (isHurried || performance.now() - workedFromMs < WORK_MS ? undefined : pause()),
    hurry() {
      isHurried = true
    },
  }
}
