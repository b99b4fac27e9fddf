/**
 * Spreads a smaller gate over a larger one, so that a gate for everything need not read ten million numbers back from
 * the store to hold those of one large layer.
 *
 * The block of a number is floor(mix x blocks / 2^32), so when the larger gate has exactly m times the blocks, a number of
 * block b lies in one of blocks b x m ... b x m + m - 1 there, and the bits inside a block do not depend on the size. The
 * smaller block is therefore OR-ed into all m of them: no number is lost; the price is that each of the m blocks is as full
 * as the small one was. Merging several full gates would add those fills up: merge one, add the others number by number.
 */
import { createGate, GATE_BITS_PER_KEY, GATE_CAPACITY_MAX, type Gate } from './gate.ts'

const NUMBERS_PER_BLOCK = 512 / GATE_BITS_PER_KEY
const WORDS_PER_BLOCK = 16

/** Its blocks stay as full as they were and take the other numbers on top: then it says "maybe" to 2 % of absent numbers at worst. */
const BITS_AROUND = 14

/** How many bits a gate would have for each of so many numbers. */
export function gateBitsFor({ words }: Gate, numbers: number): number {
  return (words.length * 32) / Math.max(1, numbers)
}

/**
 * How many times the blocks of a part the gate around it has: BITS_AROUND or more for each of `capacity` numbers, as far as one gate
 * goes (GATE_CAPACITY_MAX, 1 GiB). Beyond, from 358 M numbers of one layer on, it has fewer and says "maybe" more often.
 */
export function gateMultiple(partBlocks: number, capacity: number): number {
  const wanted = Math.ceil((BITS_AROUND * capacity) / (partBlocks * WORDS_PER_BLOCK * 32))
  const possible = Math.floor(GATE_CAPACITY_MAX / (partBlocks * NUMBERS_PER_BLOCK))
  return Math.max(1, Math.min(wanted, possible))
}

/** An empty gate with gateMultiple times `part`'s blocks, for `capacity` numbers. */
export function createGateAround(part: Gate, capacity: number): SharedArrayBuffer {
  const blocks = part.words.length / WORDS_PER_BLOCK
  return createGate(blocks * gateMultiple(blocks, capacity) * NUMBERS_PER_BLOCK)
}

/** Everything `source` holds is in `target` afterwards. Target must come from createGateAround. Single writer. */
export function gateMerge(target: Gate, source: Gate): void {
  const multiple = target.words.length / source.words.length
  if (!Number.isInteger(multiple)) throw new Error('The larger gate must have a multiple of the smaller gate’s blocks.')
  const { words: to } = target
  const { words: from } = source
  const span = multiple * WORDS_PER_BLOCK
  for (let block = 0, base = 0; block < from.length; block += WORDS_PER_BLOCK, base += span) {
    for (let at = base; at < base + span; at += WORDS_PER_BLOCK) {
      for (let word = 0; word < WORDS_PER_BLOCK; word++) to[at + word]! |= from[block + word]!
    }
  }
}
