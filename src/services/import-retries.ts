/** Imports that wait for the record: each is tried again after a pause that doubles, for as long as it takes. */
import type { StoredImport } from './import-records.ts'

export type RetryOptions = {
  readonly firstMs?: number
  readonly maxMs?: number
}

export type ImportRetries = {
  /** It waits for its next try. */
  has(importId: string): boolean
  /** It has waited before, whether it waits or runs now. */
  isTried(importId: string): boolean
  /** Lists that an import which waits is for: the next one of the list must not overtake it. */
  lists(): string[]
  /** Runs `again` after a pause, the longer the more often this import has waited. */
  later(stored: StoredImport, again: () => void): void
  /** The import came to an end: nothing runs any more, and its pauses are forgotten. */
  forget(importId: string): void
  close(): void
}

const FIRST_MS = 1_000
/** A try is a handful of commands to Redis: at 32 imports that is one a second. */
const MAX_MS = 30_000

export function createImportRetries({ firstMs = FIRST_MS, maxMs = MAX_MS }: RetryOptions = {}): ImportRetries {
  const tries = new Map<string, number>()
  const pending = new Map<string, { list: string; timer: NodeJS.Timeout }>()

  function drop(importId: string): void {
    clearTimeout(pending.get(importId)?.timer)
    pending.delete(importId)
  }

  return {
    has: (importId) => pending.has(importId),
    isTried: (importId) => tries.has(importId),
    lists: () => [...pending.values()].map(({ list }) => list),
    later({ record: { importId, list } }, again) {
      drop(importId)
      const count = tries.get(importId) ?? 0
      tries.set(importId, count + 1)
      const timer = setTimeout(
        () => {
          pending.delete(importId)
          again()
        },
        Math.min(maxMs, firstMs * 2 ** Math.min(count, 30)),
      )
      pending.set(importId, { list, timer })
    },
    forget(importId) {
      drop(importId)
      tries.delete(importId)
    },
    close() {
      for (const importId of [...pending.keys()]) drop(importId)
    },
  }
}
