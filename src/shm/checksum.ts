/**
 * XXH32 (Yann Collet, xxHash specification 0.1.1) over whole 16-byte stripes: the checksum of our snapshots.
 *
 * Every step is a bijection of the lane it touches, so a change confined to one 32-bit word always changes the result:
 * single-bit corruption cannot pass. It is not a defence against somebody who can write to the data directory.
 */
const PRIME_1 = 0x9e3779b1 | 0
const PRIME_2 = 0x85ebca77 | 0
const PRIME_3 = 0xc2b2ae3d | 0

/** A checksum of words that are added a part at a time, so that a long one need not be made in one go. */
export type Checksum = {
  /** words[start..end): a multiple of four words. */
  add(words: Uint32Array, start: number, end: number): void
  /** Unsigned XXH32, seed 0, of all that was added; something must have been. */
  finish(): number
}

export function createChecksum(): Checksum {
  let lane0 = (PRIME_1 + PRIME_2) | 0
  let lane1 = PRIME_2
  let lane2 = 0
  let lane3 = -PRIME_1 | 0
  let length = 0
  return {
    add(words, start, end) {
      assertStripes(end - start)
      let [a, b, c, d] = [lane0, lane1, lane2, lane3]
      for (let i = start; i < end; i += 4) {
        a = mixLane(a, words[i]!)
        b = mixLane(b, words[i + 1]!)
        c = mixLane(c, words[i + 2]!)
        d = mixLane(d, words[i + 3]!)
      }
      lane0 = a
      lane1 = b
      lane2 = c
      lane3 = d
      length += end - start
    },
    finish() {
      assertStripes(length)
      let sum = (rotate(lane0, 1) + rotate(lane1, 7) + rotate(lane2, 12) + rotate(lane3, 18)) | 0
      sum = (sum + length * 4) | 0
      sum = Math.imul(sum ^ (sum >>> 15), PRIME_2)
      sum = Math.imul(sum ^ (sum >>> 13), PRIME_3)
      return (sum ^ (sum >>> 16)) >>> 0
    },
  }
}

/** Unsigned XXH32, seed 0, of `words` from index `start`; the length from there must be a multiple of four words, not 0. */
export function checksumWords(words: Uint32Array, start: number): number {
  const checksum = createChecksum()
  checksum.add(words, start, words.length)
  return checksum.finish()
}

/** The checksum of what lies behind a head of so many words, and then of the head: for one that is written last. */
export function checksumBehindHead(words: Uint32Array, headWords: number): number {
  const checksum = createChecksum()
  if (words.length > headWords) checksum.add(words, headWords, words.length)
  checksum.add(words, 0, headWords)
  return checksum.finish()
}

function assertStripes(words: number): void {
  if (words > 0 && (words & 3) === 0) return
  throw new RangeError(`A checksum needs whole stripes of four words, got ${words}.`)
}

function mixLane(lane: number, word: number): number {
  return Math.imul(rotate((lane + Math.imul(word, PRIME_2)) | 0, 13), PRIME_1)
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits))
}
