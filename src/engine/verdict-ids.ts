/** Fills the array with random bits nobody outside can foresee, e.g. node:crypto randomFillSync. */
export type FillRandom = (words: Uint32Array) => void

/** 1,024 ids of 128 bits: one trip to the system's random source a thousand calls. */
const POOL_WORDS = 4_096

/** Gives out 128 random bits at a time from a pool, without allocation. One per thread. */
export function createVerdictIds(fillRandom: FillRandom): { next(into: Uint32Array): void } {
  const pool = new Uint32Array(POOL_WORDS)
  let used = POOL_WORDS
  return {
    next(into) {
      if (used === POOL_WORDS) {
        fillRandom(pool)
        used = 0
      }
      into[0] = pool[used] ?? 0
      into[1] = pool[used + 1] ?? 0
      into[2] = pool[used + 2] ?? 0
      into[3] = pool[used + 3] ?? 0
      used += 4
    },
  }
}
