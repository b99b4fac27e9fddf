/** So many at a time; who comes later waits in order. */
export type Slots = <T>(work: () => Promise<T>) => Promise<T>

export function createSlots(max: number): Slots {
  const waiting: (() => void)[] = []
  let taken = 0
  return async (work) => {
    // Whoever leaves hands the slot over, so that nobody who comes later gets in between.
    if (taken === max) await new Promise<void>((resolve) => waiting.push(resolve))
    else taken++
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next === undefined) taken--
      else next()
    }
  }
}
