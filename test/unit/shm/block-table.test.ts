import { describe, expect, it } from 'vitest'
import { createThousandSums, THOUSAND_AT, weightAt } from '../../../src/domain/number-block.ts'
import { blockHarm, blockTableLoad, createBlockTable, openBlockTable } from '../../../src/shm/block-table.ts'
import { writeThousand } from '../../../src/shm/block-table-writer.ts'

const NOW = Date.parse('2026-03-01T12:00:00Z')
const DAY_MS = 86_400_000
const FIRST = 79_160_000_000

function tableOf(capacity: number) {
  return openBlockTable(createBlockTable(capacity, NOW))
}

/** A block of 1,000 with `harm` numbers' worth of harm in its first ten numbers, for every ingress kind. */
function sumsOf(table: ReturnType<typeof tableOf>, harm: number) {
  const thousand = createThousandSums()
  const weight = harm * weightAt(NOW, table.base)
  for (const at of [0, 400, THOUSAND_AT]) thousand.sums.fill(weight, at, at + 4)
  thousand.newestMs = NOW
  return thousand
}

describe('a block table', () => {
  it('says nothing of a block it does not have, of a short code and of what is no number', () => {
    const table = tableOf(64)
    writeThousand(table, FIRST, sumsOf(table, 5))
    expect(blockHarm(table, FIRST + 1_000, 0, NOW)).toBe(0)
    expect(blockHarm(table, FIRST + 999, 0, NOW)).toBeGreaterThan(0)
    // 112 is stored as 1112, in the same thousand as all codes of three digits that begin with 1.
    writeThousand(table, 1_000, sumsOf(table, 5))
    expect(blockHarm(table, 1_112, 0, NOW)).toBe(0)
    expect(blockHarm(table, -1, 0, NOW)).toBe(0)
  })

  it('is the stronger the smaller the block that the harm lies in', () => {
    const table = tableOf(64)
    writeThousand(table, FIRST, sumsOf(table, 5))
    const near = blockHarm(table, FIRST + 9, 0, NOW)
    const far = blockHarm(table, FIRST + 10, 0, NOW)
    const farther = blockHarm(table, FIRST + 100, 0, NOW)
    expect(near).toBeGreaterThan(far)
    expect(far).toBeGreaterThan(farther)
  })

  it('takes what is written last, also when that is nothing', () => {
    const table = tableOf(64)
    writeThousand(table, FIRST, sumsOf(table, 5))
    writeThousand(table, FIRST, sumsOf(table, 50))
    const strong = blockHarm(table, FIRST + 100, 0, NOW)
    writeThousand(table, FIRST, createThousandSums())
    expect(blockHarm(table, FIRST + 100, 0, NOW)).toBeLessThan(strong)
    expect(blockTableLoad(table)).toEqual({ entries: 4, capacity: 64, lost: 0 })
  })

  it('makes no entry for a block without harm', () => {
    const table = tableOf(64)
    writeThousand(table, FIRST, createThousandSums())
    expect(blockTableLoad(table).entries).toBe(0)
  })

  it('gives up its weakest entries for stronger ones when it is full, and counts them', () => {
    const table = tableOf(16)
    // Four entries a thousand: four fill the table.
    for (const i of [0, 1, 2, 3]) writeThousand(table, FIRST + i * 20_000, sumsOf(table, i + 1))
    expect(blockTableLoad(table)).toEqual({ entries: 16, capacity: 16, lost: 0 })
    writeThousand(table, FIRST + 80_000, sumsOf(table, 0.5))
    expect(blockTableLoad(table)).toEqual({ entries: 16, capacity: 16, lost: 3 })
    expect(blockHarm(table, FIRST + 80_001, 0, NOW)).toBe(0)
    expect(blockHarm(table, FIRST + 1, 0, NOW)).toBeGreaterThan(0)
    writeThousand(table, FIRST + 100_000, sumsOf(table, 2.5))
    expect(blockTableLoad(table)).toEqual({ entries: 16, capacity: 16, lost: 7 })
    expect(blockHarm(table, FIRST + 1, 0, NOW)).toBe(0)
    expect(blockHarm(table, FIRST + 100_001, 0, NOW)).toBeGreaterThan(blockHarm(table, FIRST + 20_001, 0, NOW))
  })

  it('takes evidence as fresh, not as more, when the clock is set back', () => {
    const table = tableOf(64)
    writeThousand(table, FIRST, sumsOf(table, 5))
    const fresh = blockHarm(table, FIRST, 0, NOW)
    expect(blockHarm(table, FIRST, 0, NOW - 3_000 * DAY_MS)).toBe(fresh)
    expect(blockHarm(table, FIRST, 0, NOW + 30 * DAY_MS)).toBeLessThan(fresh)
    expect(blockHarm(table, FIRST, 0, NOW + 100_000 * DAY_MS)).toBe(0)
  })

  it('reads an entry that is being written as absent', () => {
    const table = tableOf(64)
    writeThousand(table, FIRST, sumsOf(table, 5))
    // Stamps are the third word of every entry of eight.
    for (let word = 2; word < table.words.length; word += 8) table.words[word] = (table.words[word] ?? 0) + 1
    expect(blockHarm(table, FIRST, 0, NOW)).toBe(0)
  })
})
