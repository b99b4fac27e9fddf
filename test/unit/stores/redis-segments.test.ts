import { deflateSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { commonUpTo } from '../../../src/stores/redis/epochs.ts'
import { packSegment, unpackSegment } from '../../../src/stores/redis/segments.ts'

describe('a segment of sealed facts', () => {
  it('gives back what was packed, from anywhere in it', async () => {
    const one = fc.record({
      factId: fc.stringMatching(/^([0-9a-f]{32})?$/),
      payload: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
      epoch: fc.nat(2 ** 31 - 1),
    })
    const check = async (facts: readonly { factId: string; payload: Buffer; epoch: number }[], skip: number) => {
      const entries = facts.map(({ factId, payload, epoch }, index) => ({
        position: { epoch, sequence: 41 + index },
        factId,
        payload,
      }))
      const packed = await packSegment(entries)
      expect(await unpackSegment(packed, 40 + skip, 5)).toEqual(entries.slice(skip, skip + 5))
    }
    await fc.assert(fc.asyncProperty(fc.array(one, { minLength: 1, maxLength: 20 }), fc.nat(21), check))
  })

  it('is refused when its bytes are something else', async () => {
    const packed = await packSegment([{ position: { epoch: 1, sequence: 1 }, factId: 'a', payload: Buffer.from('b') }])
    for (const bytes of [Buffer.alloc(0), packed.subarray(0, -5), deflateSync(Buffer.from([2, 0]))]) {
      expect(await unpackSegment(bytes, 0, 10)).toBeUndefined()
    }
  })
})

describe('commonUpTo', () => {
  const e = (epoch: number, first: number) => ({ epoch, first })
  it.each([
    ['the tail of the epoch was cut', { epoch: 1, sequence: 100 }, [], [e(1, 1), e(2, 98)], 120, 97],
    ['several epochs since', { epoch: 1, sequence: 100 }, [], [e(1, 1), e(2, 98), e(3, 99), e(4, 105)], 120, 97],
    [
      'the epoch was lost with its marker',
      { epoch: 2, sequence: 120 },
      [e(1, 1), e(2, 98)],
      [e(1, 1), e(3, 101)],
      130,
      97,
    ],
    [
      'the same, and theirs ends earlier',
      { epoch: 2, sequence: 120 },
      [e(1, 1), e(2, 98)],
      [e(1, 1), e(3, 90)],
      130,
      89,
    ],
    ['nothing is known about earlier epochs', { epoch: 2, sequence: 120 }, [], [e(1, 1), e(3, 101)], 130, 0],
    ['the partition ends within the epoch', { epoch: 1, sequence: 100 }, [], [e(1, 1)], 99, 99],
    ['another record', { epoch: 1, sequence: 5 }, [e(1, 1)], [e(9, 1)], 7, 0],
  ])('finds where histories part: %s', (_, after, ours, theirs, last, expected) => {
    expect(commonUpTo(after, ours, theirs, last)).toBe(expected)
  })
})
