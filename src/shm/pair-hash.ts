/**
 * The keyed hash a pair of subscribers is remembered by: HalfSipHash-2-4 with 64 bits of output (see hash.ts) over the two
 * numbers, the smaller first. Without the key nobody can look a pair up, and nobody outside can construct two pairs that
 * collide.
 *
 * One hash serves both relations of pairs.ts: who talked with whom has no direction, and who called whom is the same two
 * words, the other way round when the larger number called. So a call is hashed once for its look-up and its note.
 */
export type PairHasher = {
  readonly key0: number
  readonly key1: number
  /** The two numbers the digest is of, the smaller first. */
  readonly numbers: Float64Array
  /** Two signed words. */
  readonly digest: Int32Array
}

const TWO_TO_MINUS_32 = 2 ** -32
const MESSAGE_WORDS = 4
const LENGTH_WORD = (MESSAGE_WORDS * 4) << 24

/** `key`: two secret words. One hasher per thread: it is not re-entrant, and allocates nothing after this. */
export function createPairHasher(key: Uint32Array): PairHasher {
  if (key.length !== 2) throw new RangeError(`A hash key has two words, got ${key.length}.`)
  return { key0: key[0]! | 0, key1: key[1]! | 0, numbers: new Float64Array(2), digest: new Int32Array(2) }
}

/** The hash of a call from `caller` to `callee`, for whoever asks another process: two signed words, low and high. */
export function callHash(hasher: PairHasher, caller: number, callee: number): { low: number; high: number } {
  hashPair(hasher, caller, callee)
  const first = hasher.digest[0]!
  const second = hasher.digest[1]!
  return caller <= callee ? { low: first, high: second } : { low: second, high: first }
}

/**
 * Sets `digest` to the hash of two numbers, whichever called; both above 0 and below 2^53. The last pair is not hashed
 * again. Stays in registers from the first word to the last (a third of the time of a KeyedHasher), so the rounds stand
 * here again, two to a turn; test/property/pairs.test.ts holds the two to the same digest.
 */
export function hashPair(hasher: PairHasher, one: number, other: number): void {
  const { numbers, digest, key0, key1 } = hasher
  const smaller = Math.min(one, other)
  const larger = Math.max(one, other)
  if (numbers[0] === smaller && numbers[1] === larger) return
  let v0 = key0
  let v1 = key1 ^ 0xee
  let v2 = 0x6c796765 ^ key0
  let v3 = 0x74656462 ^ key1
  for (let step = 0; step <= MESSAGE_WORDS + 2; step++) {
    // Four words of the message, its length, then two finalisations, each of twice the rounds.
    const isMessage = step <= MESSAGE_WORDS
    let word = LENGTH_WORD
    if (step === 0) word = smaller | 0
    else if (step === 1) word = smaller * TWO_TO_MINUS_32
    else if (step === 2) word = larger | 0
    else if (step === 3) word = larger * TWO_TO_MINUS_32
    if (isMessage) v3 ^= word
    else if (step === MESSAGE_WORDS + 1) v2 ^= 0xee
    else v1 ^= 0xdd
    for (let round = isMessage ? 2 : 4; round > 0; round -= 2) {
      v0 = (v0 + v1) | 0
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0
      v0 = (v0 << 16) | (v0 >>> 16)
      v2 = (v2 + v3) | 0
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2
      v0 = (v0 + v3) | 0
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0
      v2 = (v2 + v1) | 0
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2
      v2 = (v2 << 16) | (v2 >>> 16)
      v0 = (v0 + v1) | 0
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0
      v0 = (v0 << 16) | (v0 >>> 16)
      v2 = (v2 + v3) | 0
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2
      v0 = (v0 + v3) | 0
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0
      v2 = (v2 + v1) | 0
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2
      v2 = (v2 << 16) | (v2 >>> 16)
    }
    if (isMessage) v0 ^= word
    else digest[step - MESSAGE_WORDS - 1] = v1 ^ v3
  }
  numbers[0] = smaller
  numbers[1] = larger
}
