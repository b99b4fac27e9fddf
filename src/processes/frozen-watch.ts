import { ALIVE_EVERY_MS } from './messages.ts'

/**
 * Finds processes that are there but do not move: the kernel goes on giving them connections. One that is stopped by a
 * signal is found at once, because the kernel says so; one that only says nothing may be busy, and gets `frozenSeconds`.
 * Both are counted in looks, not by the clock: when the whole machine slept, nobody was silent.
 */
const STOPPED_LOOK_MS = 250
/** A terminal stops and continues all of us together; the second look finds them moving. */
const STOPPED_LOOKS_MAX = 3

export type Watched = { readonly process: { readonly pid?: number | undefined } | undefined }

export type FrozenWatch<Each> = {
  /** It said something. Before its first word nobody is watched. */
  heard(one: Each): void
  /** It has ended or starts anew. */
  forget(one: Each): void
  stop(): void
}

export function watchForFrozen<Each extends Watched>(
  everyone: readonly Each[],
  { frozenSeconds }: { readonly frozenSeconds: number },
  dependencies: { readonly isStopped: (pid: number) => boolean; readonly onFrozen: (one: Each) => void },
): FrozenWatch<Each> {
  const looksMax = Math.ceil((frozenSeconds * 1_000) / ALIVE_EVERY_MS)
  /** Looks since its last word. */
  const silent = new Map<Each, number>()
  const stopped = new Map<Each, number>()

  function forget(one: Each): void {
    silent.delete(one)
    stopped.delete(one)
  }

  function found(one: Each): void {
    forget(one)
    dependencies.onFrozen(one)
  }

  function lookForSilent(): void {
    for (const [one, looks] of silent) {
      silent.set(one, looks + 1)
      if (looks + 1 >= looksMax) found(one)
    }
  }

  function lookForStopped(): void {
    for (const one of everyone) {
      const pid = one.process?.pid
      const looks = pid !== undefined && dependencies.isStopped(pid) ? (stopped.get(one) ?? 0) + 1 : 0
      stopped.set(one, looks)
      if (looks >= STOPPED_LOOKS_MAX) found(one)
    }
  }

  const timers = [setInterval(lookForSilent, ALIVE_EVERY_MS), setInterval(lookForStopped, STOPPED_LOOK_MS)]
  return {
    heard: (one) => void silent.set(one, 0),
    forget,
    stop() {
      for (const timer of timers) clearInterval(timer)
    },
  }
}
