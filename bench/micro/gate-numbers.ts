import { seededRandom } from '../lib/seeded-random.ts'

export type GateNumbers = {
  readonly keys: Float64Array
  /** Two in a hundred are keys, as about so many callers are known; the others were never added. */
  readonly traffic: Float64Array
  /** All are keys. */
  readonly present: Float64Array
  /** FNV-1a of the keys: whoever made them elsewhere has the same ones. */
  readonly keysHash: number
}

const FIRST = 79_000_000_000
const PAIRS = 499_999_999
export const TRAFFIC_PRESENT_ONE_IN = 50

/** Keys are odd, all others even: both look like mobile numbers of one country. blocked-filter.c makes the same ones. */
export function gateNumbers(keyCount: number, probeCount: number, seed: number): GateNumbers {
  const random = seededRandom(seed)
  const keys = Float64Array.from({ length: keyCount }, () => FIRST + 1 + 2 * Math.floor(random() * PAIRS))
  const anyKey = () => keys[Math.floor(random() * keyCount)] ?? 0
  const traffic = Float64Array.from({ length: probeCount }, (_, index) =>
    index % TRAFFIC_PRESENT_ONE_IN === 0 ? anyKey() : FIRST + 2 * Math.floor(random() * PAIRS),
  )
  const present = Float64Array.from({ length: probeCount }, anyKey)
  let keysHash = 0x811c9dc5
  for (const key of keys) keysHash = Math.imul(keysHash ^ key, 0x01000193)
  return { keys, traffic, present, keysHash: keysHash >>> 0 }
}
