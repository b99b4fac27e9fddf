import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { foldReport } from '../../src/domain/fold-report.ts'
import type { PhoneNumber } from '../../src/domain/phone-number.ts'
import {
  createReputationTable,
  openReputationTable,
  putReputation,
  REPUTATION_WORDS_MAX,
  readReputationWords,
} from '../../src/shm/reputation-table.ts'

/** The record of a number that `reporters` have reported, which says in its sums who they were. */
function recordOf(number: number, reporters: number, seed = 0): DataView {
  let record: DataView | undefined
  for (let index = 0; index < reporters; index++) {
    record = foldReport(record, {
      reportId: `r${index}`,
      number: number as PhoneNumber,
      channel: 'hotline',
      scenario: 'bank',
      reporter: (seed * 1_000 + index + 1).toString(16).padStart(32, 'abcdef01'),
      ingress: index % 4,
      atMs: 1_000 * seed + index,
      receivedMs: 1_000 * seed + index,
      weight: 1,
    })
  }
  if (record === undefined) throw new Error('A record has a reporter.')
  return record
}

function tableOf(capacity: number) {
  const table = openReputationTable(createReputationTable(capacity))
  const words = new Int32Array(REPUTATION_WORDS_MAX)
  const read = (number: number): Uint8Array | undefined => {
    if (!readReputationWords(table, number, words)) return undefined
    const bytes = 88 + 24 * new DataView(words.buffer).getUint8(1)
    return new Uint8Array(words.buffer.slice(0, bytes))
  }
  return { table, read }
}

const bytesOf = (record: DataView | undefined) =>
  record && new Uint8Array(record.buffer.slice(record.byteOffset, record.byteOffset + record.byteLength))

describe('a reputation table', () => {
  it('gives what was put last, or nothing', () => {
    // Few sets and many numbers, two of which differ in their high halves alone: they take each other's places.
    const number = fc.constantFrom(
      ...Array.from({ length: 30 }, (_, index) => 79_160_000_000 + index),
      79_160_000_000 + 2 ** 32,
      999_999_999_999_999,
      1,
    )
    const step = fc.record({ number, reporters: fc.integer({ min: 0, max: 8 }), seed: fc.nat({ max: 9 }) })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const { table, read } = tableOf(16)
        const last = new Map<number, DataView | undefined>()
        for (const { number: put, reporters, seed } of steps) {
          const record = reporters === 0 ? undefined : recordOf(put, reporters, seed)
          putReputation(table, put, record)
          last.set(put, record)
          // What was put just now is there, when it fits.
          const expected = reporters > 6 ? undefined : bytesOf(record)
          expect(read(put)).toEqual(expected)
          for (const [other, kept] of last) {
            const found = read(other)
            if (found !== undefined) expect(found).toEqual(bytesOf(kept))
          }
        }
      }),
      { numRuns: 60 },
    )
  })

  it('keeps six reporters of a number, and leaves seven to the record', () => {
    const { table, read } = tableOf(4)
    putReputation(table, 79_160_000_002, recordOf(79_160_000_002, 6))
    expect(read(79_160_000_002)).toEqual(bytesOf(recordOf(79_160_000_002, 6)))
    putReputation(table, 79_160_000_002, recordOf(79_160_000_002, 7))
    expect(read(79_160_000_002)).toBeUndefined()
  })

  it('keeps as many numbers as it has room for, and forgets one for one more', () => {
    const { table, read } = tableOf(4)
    const numbers = Array.from({ length: 4 }, (_, index) => 79_160_000_000 + index)
    for (const number of numbers) putReputation(table, number, recordOf(number, 1))
    expect(numbers.filter((number) => read(number) === undefined)).toEqual([])
    putReputation(table, 79_260_000_000, recordOf(79_260_000_000, 1))
    expect(read(79_260_000_000)).toBeDefined()
    expect(numbers.filter((number) => read(number) === undefined)).toHaveLength(1)
  })

  it('forgets in turn, not always the same', () => {
    const { table, read } = tableOf(4)
    for (let index = 0; index < 64; index++) putReputation(table, 79_160_000_000 + index, recordOf(1, 1))
    const kept = Array.from({ length: 64 }, (_, index) => index).filter((index) => read(79_160_000_000 + index))
    expect(kept).toEqual([60, 61, 62, 63])
  })

  it('has room again for a number when one has no reputation any more', () => {
    const { table, read } = tableOf(4)
    const numbers = Array.from({ length: 4 }, (_, index) => 79_160_000_000 + index)
    for (const number of numbers) putReputation(table, number, recordOf(number, 1))
    putReputation(table, 79_160_000_002, undefined)
    putReputation(table, 79_160_000_003, undefined)
    putReputation(table, 79_260_000_000, recordOf(79_260_000_000, 2))
    expect(read(79_160_000_003)).toBeUndefined()
    const others = [79_160_000_000, 79_160_000_001]
    expect([...others, 79_260_000_000].filter((number) => read(number) === undefined)).toEqual([])
  })
})
