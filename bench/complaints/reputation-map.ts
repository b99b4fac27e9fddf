import type { PhoneNumber } from '../../src/domain/phone-number.ts'
import type { ReputationReads } from '../../src/services/build-blocks.ts'

/**
 * Reputation records in memory, read as from a store: numbers in ascending order. Kept by block of 1,000, so that a stream of
 * complaints is folded in seconds: the store of tests (stores/memory) sorts all numbers for every read.
 */
export type ReputationMap = ReputationReads & { put(number: PhoneNumber, record: DataView): void }

/** Reads go no further than the block they begin in: what readThousand asks, and no more. */
export function createReputationMap(): ReputationMap {
  const records = new Map<number, DataView>()
  const blocks = new Map<number, number[]>()
  return {
    put(number, record) {
      if (!records.has(number)) insert(blocks, number)
      records.set(number, record)
    },
    reputationOf: (number) => records.get(number),
    readReputationNumbers(after, into) {
      const numbers = blocks.get(Math.floor((after + 1) / 1_000)) ?? []
      let count = 0
      for (const number of numbers) {
        if (number <= after) continue
        if (count === into.length) break
        into[count++] = number
      }
      return count
    },
  }
}

function insert(blocks: Map<number, number[]>, number: number): void {
  const block = Math.floor(number / 1_000)
  const numbers = blocks.get(block)
  if (numbers === undefined) {
    blocks.set(block, [number])
    return
  }
  const at = numbers.findIndex((other) => other > number)
  if (at < 0) numbers.push(number)
  else numbers.splice(at, 0, number)
}
