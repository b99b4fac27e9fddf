/**
 * Seeded randomness: xoshiro128** (Blackman and Vigna 2018), its state spread from a seed by splitmix32. Every part of the
 * world has a stream of its own, named from the seed, so that other attack files leave the benign traffic as it was.
 */
export type Random = {
  /** 0 <= x < 1. */
  unit(): number
  /** A whole number 0 <= x < limit. */
  below(limit: number): number
  chance(share: number): boolean
  /** A whole number from..to, both included. */
  between(from: number, to: number): number
  pick<T>(from: readonly T[]): T
  exponential(mean: number): number
  normal(): number
  /** exp(normal x sigma) x median. */
  logNormal(median: number, sigma: number): number
  poisson(mean: number): number
  /** Fills a table with random bits. */
  fill(words: Uint32Array): void
  /** An independent stream; the same for the same seed and name. */
  stream(name: string): Random
}

export function createRandom(seed: number): Random {
  const state = new Int32Array(4)
  let mixed = seed | 0
  for (let word = 0; word < 4; word++) {
    mixed = (mixed + 0x9e3779b9) | 0
    let z = mixed ^ (mixed >>> 16)
    z = Math.imul(z, 0x21f0aaad)
    z ^= z >>> 15
    z = Math.imul(z, 0x735a2d97)
    state[word] = z ^ (z >>> 15)
  }

  function next(): number {
    const a = state[0]!
    const b = state[1]!
    const c = state[2]! ^ a
    const d = state[3]! ^ b
    const five = Math.imul(b, 5)
    const result = Math.imul((five << 7) | (five >>> 25), 9)
    state[1] = b ^ c
    state[0] = a ^ d
    state[2] = c ^ (b << 9)
    state[3] = (d << 11) | (d >>> 21)
    return result >>> 0
  }

  const unit = () => next() / 4_294_967_296
  const below = (limit: number) => Math.floor((next() / 4_294_967_296) * limit)
  // Box and Muller 1958; the second value is let go, which keeps the stream without hidden state.
  const normal = () => Math.sqrt(-2 * Math.log(1 - unit())) * Math.cos(2 * Math.PI * unit())

  return {
    unit,
    below,
    chance: (share) => unit() < share,
    between: (from, to) => from + below(to - from + 1),
    pick<T>(from: readonly T[]): T {
      if (from.length === 0) throw new RangeError('There is nothing to pick from.')
      return from[below(from.length)] as T
    },
    exponential: (mean) => -Math.log(1 - unit()) * mean,
    normal,
    logNormal: (median, sigma) => median * Math.exp(sigma * normal()),
    poisson(mean) {
      // Beyond 60 the normal approximation is off by less than the world knows about its own rates.
      if (mean > 60) return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal()))
      const limit = Math.exp(-mean)
      let count = 0
      for (let product = unit(); product > limit; product *= unit()) count++
      return count
    },
    fill(words) {
      for (let index = 0; index < words.length; index++) words[index] = next()
    },
    stream: (name) => createRandom(hashName(seed, name)),
  }
}

/** FNV-1a over the name, begun with the seed. */
function hashName(seed: number, name: string): number {
  let hash = (0x811c9dc5 ^ Math.imul(seed | 0, 0x01000193)) | 0
  for (let index = 0; index < name.length; index++) hash = Math.imul(hash ^ name.charCodeAt(index), 0x01000193)
  return hash ^ (hash >>> 13)
}

/** Draws an index in proportion to its weight in constant time: the alias method (Walker 1977, Vose 1991). */
export function createWeightedDraw(weights: ArrayLike<number>): (random: Random) => number {
  const count = weights.length
  let total = 0
  for (let index = 0; index < count; index++) total += weights[index]!
  const chances = new Float64Array(count)
  const alias = new Int32Array(count)
  const small: number[] = []
  const large: number[] = []
  for (let index = 0; index < count; index++) {
    chances[index] = (weights[index]! * count) / total
    ;(chances[index]! < 1 ? small : large).push(index)
  }
  while (small.length > 0 && large.length > 0) {
    const low = small.pop()!
    const high = large.pop()!
    alias[low] = high
    chances[high] = chances[high]! - (1 - chances[low]!)
    ;(chances[high]! < 1 ? small : large).push(high)
  }
  for (const rest of [...small, ...large]) chances[rest] = 1
  return (random) => {
    const at = random.unit() * count
    const index = Math.floor(at)
    return at - index < chances[index]! ? index : alias[index]!
  }
}
