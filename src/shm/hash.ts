/**
 * Two kinds of hash.
 *
 * Gates and tables mix an integer with two unkeyed multiply-xorshift finishers (Steele, Lea, Flood 2014; constants from
 * Wellons' search for low-bias 32-bit mixers). Numbers reach 10^15, so both 32-bit halves go in: a mixer that saw the
 * low half alone would make +7… and +1… numbers 2^32 apart the same key. The two finishers start from different
 * combinations of the halves, so that together they carry 64 bits: 32 would let 0.23 % of all strangers collide
 * outright with one of 10 M keys.
 *
 * What a caller can choose (call ids) goes through HalfSipHash-2-4 with a secret key and a 64-bit output (Aumasson and
 * Bernstein, "SipHash: a fast short-input PRF", 2012; the 32-bit variant of their reference code), so that nobody
 * outside can construct two calls that share an answer.
 */

const TWO_TO_MINUS_32 = 2 ** -32

/** First 32-bit mix of an integer below 2^53. Signed; use `>>> 0` or a mask. */
export function mixNumber(number: number): number {
  return mixWords(number | 0, (number * TWO_TO_MINUS_32) | 0)
}

/** Second 32-bit mix of the same integer, independent of mixNumber. Signed. */
export function mixNumberAgain(number: number): number {
  return mixWordsAgain(number | 0, (number * TWO_TO_MINUS_32) | 0)
}

/** mixNumber of an integer that is known as two words. */
export function mixWords(low: number, high: number): number {
  let x = low ^ Math.imul(high, 0x9e3779b1)
  x = Math.imul(x ^ (x >>> 16), 0x21f0aaad)
  x = Math.imul(x ^ (x >>> 15), 0x735a2d97)
  return x ^ (x >>> 15)
}

/** mixNumberAgain of an integer that is known as two words. */
export function mixWordsAgain(low: number, high: number): number {
  let x = (low + Math.imul(high + 1, 0x85ebca6b)) | 0
  x = Math.imul(x ^ (x >>> 17), 0xed5ad4bb | 0)
  x = Math.imul(x ^ (x >>> 11), 0xac4c1b51 | 0)
  x = Math.imul(x ^ (x >>> 15), 0x31848bab)
  return x ^ (x >>> 14)
}

/**
 * HalfSipHash-2-4 over a sequence of strings, integers and words: start, add…, finish, then read low and high. The
 * message is a whole number of 32-bit words. A string is framed by a leading word with its type and length; a number's
 * second word has its type in the low byte and its upper 22 bits (a sign among them) above it. Whoever adds the same kinds
 * of things in the same order, as every caller here does, never makes one message of two. Not re-entrant: one per thread.
 */
export type KeyedHasher = {
  start(): void
  /** UTF-16 code units, four to a word when all are below 256, else two. */
  addString(text: string): void
  /** The bytes from..to: as addString of the text that has them for its characters. */
  addBytes(bytes: Uint8Array, from: number, to: number): void
  /** An integer of at most 53 bits, either sign. */
  addNumber(number: number): void
  /** One bare word of the message, unframed: the primitive itself. */
  addWord(word: number): void
  finish(): void
  /** Unsigned 32-bit halves of the digest of the last finish(). */
  readonly low: number
  readonly high: number
}

// Framing words: type in the low byte, length above it. Call ids are far below 2^24 characters (16 KiB bodies).
const FRAME_NARROW = 1
const FRAME_WIDE = 2
const FRAME_NUMBER = 3

/** Call ids are shorter; a longer text gets memory of its own. */
const NARROW_BYTES = 256

/** `key`: two secret words. The hasher allocates nothing after this, but for a text of more than NARROW_BYTES. */
export function createKeyedHasher(key: Uint32Array): KeyedHasher {
  if (key.length !== 2) throw new RangeError(`A hash key has two words, got ${key.length}.`)
  const key0 = key[0]! | 0
  const key1 = key[1]! | 0
  const state = new Int32Array(4)
  let wordCount = 0

  const narrow = new Uint8Array(NARROW_BYTES)

  function addWord(word: number): void {
    compress(state, word | 0)
    wordCount++
  }

  function addBytes(bytes: Uint8Array, from: number, to: number): void {
    wordCount += compressBytes(state, bytes, from, to)
  }

  // Plain fields: objects with getters of their own are all of different shapes, and slow to read.
  const hasher: { -readonly [field in keyof KeyedHasher]: KeyedHasher[field] } = {
    low: 0,
    high: 0,
    start() {
      // The initial state of HalfSipHash with a 64-bit output: v1 ^= 0xee.
      state[0] = key0
      state[1] = key1 ^ 0xee
      state[2] = 0x6c796765 ^ key0
      state[3] = 0x74656462 ^ key1
      wordCount = 0
    },
    addString(text) {
      const bytes = text.length <= narrow.length ? narrow : new Uint8Array(text.length)
      if (copyNarrow(text, bytes)) {
        addBytes(bytes, 0, text.length)
        return
      }
      addWord((text.length << 8) | FRAME_WIDE)
      wordCount += compressWide(state, text)
    },
    addBytes,
    addNumber(number) {
      addWord(number >>> 0)
      addWord((Math.floor(number * TWO_TO_MINUS_32) << 8) | FRAME_NUMBER)
    },
    addWord,
    finish() {
      // The last block: the message length in bytes modulo 256, in the top byte; no bytes are left over.
      compress(state, (wordCount * 4) << 24)
      state[2] = state[2]! ^ 0xee
      rounds(state, 4)
      hasher.low = (state[1]! ^ state[3]!) >>> 0
      state[1] = state[1]! ^ 0xdd
      rounds(state, 4)
      hasher.high = (state[1]! ^ state[3]!) >>> 0
    },
  }
  return hasher
}

/**
 * The low half of the digest that a KeyedHasher of the same key gives one number, unsigned; in registers from the first word
 * to the last. Any thread, no allocation.
 */
export function hashNumber(key: Uint32Array, number: number): number {
  let v0 = key[0]! | 0
  let v1 = key[1]! ^ 0xee
  let v2 = 0x6c796765 ^ key[0]!
  let v3 = 0x74656462 ^ key[1]!
  for (let step = 0; step < 4; step++) {
    // The two words, their length, and the finalisation.
    let word = 8 << 24
    if (step === 0) word = number | 0
    else if (step === 1) word = (Math.floor(number * TWO_TO_MINUS_32) << 8) | FRAME_NUMBER
    if (step < 3) v3 ^= word
    else v2 ^= 0xee
    // Two rounds to a turn, as in pair-hash.ts.
    for (let round = step < 3 ? 2 : 4; round > 0; round -= 2) {
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
    if (step < 3) v0 ^= word
  }
  return (v1 ^ v3) >>> 0
}

/**
 * Frame and bytes, four to a word; the tail is padded with zeros (the frame has the length). Returns the words compressed. The
 * state stays in registers from the first word to the last; that is why the rounds stand here again. bench/micro/screen.ts has
 * what a call id costs.
 */
function compressBytes(state: Int32Array, bytes: Uint8Array, from: number, to: number): number {
  const length = to - from
  let v0 = state[0]!
  let v1 = state[1]!
  let v2 = state[2]!
  let v3 = state[3]!
  let word = (length << 8) | FRAME_NARROW
  for (let next = from; ; next += 4) {
    v3 ^= word
    for (let round = 0; round < 2; round++) {
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
    v0 ^= word
    if (next >= to) break
    if (next + 4 <= to) {
      word = bytes[next]! | (bytes[next + 1]! << 8) | (bytes[next + 2]! << 16) | (bytes[next + 3]! << 24)
    } else {
      word = 0
      for (let at = next; at < to; at++) word |= bytes[at]! << ((at - next) << 3)
    }
  }
  state[0] = v0
  state[1] = v1
  state[2] = v2
  state[3] = v3
  return ((length + 3) >>> 2) + 1
}

/** Puts a text into bytes, one a character; false when one of them needs more. */
function copyNarrow(text: string, bytes: Uint8Array): boolean {
  let seen = 0
  for (let at = 0; at < text.length; at++) {
    const character = text.charCodeAt(at)
    seen |= character
    bytes[at] = character
  }
  return seen <= 255
}

function compressWide(state: Int32Array, text: string): number {
  const length = text.length
  for (let i = 0; i < length; i += 2) {
    compress(state, text.charCodeAt(i) | (i + 1 < length ? text.charCodeAt(i + 1) << 16 : 0))
  }
  return (length + 1) >>> 1
}

function compress(state: Int32Array, word: number): void {
  state[3] = state[3]! ^ word
  rounds(state, 2)
  state[0] = state[0]! ^ word
}

/** `count` SipRounds with 32-bit words; rotations 5, 16, 8, 7, 13, 16 as in the reference code. */
function rounds(state: Int32Array, count: number): void {
  let v0 = state[0]!
  let v1 = state[1]!
  let v2 = state[2]!
  let v3 = state[3]!
  for (let i = 0; i < count; i++) {
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
  state[0] = v0
  state[1] = v1
  state[2] = v2
  state[3] = v3
}
