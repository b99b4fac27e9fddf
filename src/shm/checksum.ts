/**
 * XXH32 (Yann Collet, xxHash specification 0.1.1) over whole 16-byte stripes: the checksum of our snapshots.
 *
 * Every step is a bijection of the lane it touches, so a change confined to one 32-bit word always changes the result:
 * single-bit corruption cannot pass. It is not a defence against somebody who can write to the data directory.
 */
const PRIME_1 = 0x9e3779b1 | 0
const PRIME_2 = 0x85ebca77 | 0
const PRIME_3 = 0xc2b2ae3d | 0

/** Unsigned XXH32, seed 0, of `words` from index `start`; the length from there must be a multiple of four words, not 0. */
export function checksumWords(words: Uint32Array, start: number): number {
  const end = words.length
  if (end <= start || ((end - start) & 3) !== 0) {
    throw new RangeError(`A checksum needs whole stripes of four words, got ${end - start}.`)
  }
  let lane0 = (PRIME_1 + PRIME_2) | 0
  let lane1 = PRIME_2
  let lane2 = 0
  let lane3 = -PRIME_1 | 0
  for (let i = start; i < end; i += 4) {
    lane0 = mixLane(lane0, words[i]!)
    lane1 = mixLane(lane1, words[i + 1]!)
    lane2 = mixLane(lane2, words[i + 2]!)
    lane3 = mixLane(lane3, words[i + 3]!)
  }
  let sum = (rotate(lane0, 1) + rotate(lane1, 7) + rotate(lane2, 12) + rotate(lane3, 18)) | 0
  sum = (sum + (end - start) * 4) | 0
  sum = Math.imul(sum ^ (sum >>> 15), PRIME_2)
  sum = Math.imul(sum ^ (sum >>> 13), PRIME_3)
  return (sum ^ (sum >>> 16)) >>> 0
}

function mixLane(lane: number, word: number): number {
  return Math.imul(rotate((lane + Math.imul(word, PRIME_2)) | 0, 13), PRIME_1)
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits))
}
