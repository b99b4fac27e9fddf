import { setTimeout as sleep } from 'node:timers/promises'

export type WaitOptions = {
  readonly limitMs: number
  readonly everyMs?: number
  /** Called every `sayEveryMs` while it lasts, with the seconds so far. */
  readonly onWait?: (seconds: number) => void
}

const SAY_EVERY_MS = 5_000

/** Asks again and again until `isDone`; after the limit it throws, with what was waited for. */
export async function waitUntil(
  what: string,
  isDone: () => boolean | Promise<boolean>,
  { limitMs, everyMs = 20, onWait }: WaitOptions,
): Promise<void> {
  const startMs = performance.now()
  for (let sayMs = SAY_EVERY_MS; !(await isDone()); await sleep(everyMs)) {
    const waitedMs = performance.now() - startMs
    if (waitedMs > limitMs) throw new Error(`After ${limitMs / 1000} s this had not come: ${what}.`)
    if (waitedMs < sayMs) continue
    onWait?.(Math.round(waitedMs / 1000))
    sayMs += SAY_EVERY_MS
  }
}

/** The promise, or a failure after the limit with what was waited for. */
export async function within<T>(what: string, limitMs: number, promise: Promise<T>): Promise<T> {
  const limit = new AbortController()
  const late = sleep(limitMs, undefined, { signal: limit.signal }).then(
    () => {
      throw new Error(`After ${limitMs / 1000} s this had not come: ${what}.`)
    },
    () => promise,
  )
  try {
    return await Promise.race([promise, late])
  } finally {
    limit.abort()
  }
}
