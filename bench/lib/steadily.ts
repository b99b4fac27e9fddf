import { setTimeout as sleep } from 'node:timers/promises'

export type Steady = {
  readonly done: number
  /** What went wrong, the first few. */
  readonly problems: readonly string[]
  readonly failed: number
  /** Resolves when nothing of it is on its way any more. */
  stop(): Promise<void>
}

/** Beyond it the next waits: what is asked here must not be what brings a service down. */
const ON_THE_WAY_MAX = 64
const PROBLEMS_MAX = 5

/** Does the work so many times a second, at its times, until it is stopped; one after the other when `isAlone`. */
export function steadily(
  perSecond: number,
  work: (index: number) => Promise<unknown>,
  { isAlone = false }: { readonly isAlone?: boolean } = {},
): Steady {
  const onTheWay = new Set<Promise<void>>()
  const problems: string[] = []
  const counts = { done: 0, failed: 0 }
  let isStopped = false
  async function once(index: number): Promise<void> {
    try {
      await work(index)
      counts.done++
    } catch (error) {
      counts.failed++
      if (problems.length < PROBLEMS_MAX) problems.push(String(error))
    }
  }
  async function run(): Promise<void> {
    const startMs = performance.now()
    for (let index = 0; !isStopped; index++) {
      const dueMs = startMs + (index * 1_000) / perSecond
      for (let leftMs = 1; leftMs > 0 && !isStopped; leftMs = dueMs - performance.now()) {
        await sleep(Math.max(0, Math.min(100, dueMs - performance.now())))
      }
      while (onTheWay.size >= (isAlone ? 1 : ON_THE_WAY_MAX)) await Promise.race(onTheWay)
      if (isStopped) break
      const one: Promise<void> = once(index).finally(() => onTheWay.delete(one))
      onTheWay.add(one)
    }
    await Promise.all(onTheWay)
  }
  const running = run()
  return {
    get done() {
      return counts.done
    },
    get failed() {
      return counts.failed
    },
    problems,
    async stop() {
      isStopped = true
      await running
    },
  }
}
