/** Seeded randomness (mulberry32, T. Ettinger): the same seed gives the same world on every machine. */
export type Random = {
  /** 0 <= x < 1 */
  next(): number
  between(low: number, high: number): number
  /** low..high, both possible. */
  integer(low: number, high: number): number
  chance(share: number): boolean
  pick<T>(from: readonly T[]): T
  /** `count` distinct ones, or all. */
  some<T>(from: readonly T[], count: number): T[]
  logNormal(median: number, sigma: number): number
  exponential(mean: number): number
  poisson(mean: number): number
}

export function createRandom(seed: number): Random {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
  const integer = (low: number, high: number) => low + Math.floor(next() * (high - low + 1))
  return {
    next,
    integer,
    between: (low, high) => low + next() * (high - low),
    chance: (share) => next() < share,
    pick: (from) => from[integer(0, from.length - 1)]!,
    some(from, count) {
      const left = [...from]
      const wanted = Math.min(count, left.length)
      return Array.from({ length: wanted }, () => {
        const index = integer(0, left.length - 1)
        const chosen = left[index]!
        left[index] = left.at(-1)!
        left.pop()
        return chosen
      })
    },
    logNormal: (median, sigma) =>
      median * Math.exp(sigma * Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next())),
    exponential: (mean) => -mean * Math.log(1 - next()),
    poisson(mean) {
      // Knuth's method; means here are below 100.
      const limit = Math.exp(-mean)
      let count = 0
      for (let product = next(); product > limit; product *= next()) count++
      return count
    },
  }
}
