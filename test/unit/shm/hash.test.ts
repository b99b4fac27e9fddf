import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createKeyedHasher, hashNumber, type KeyedHasher, mixNumber, mixNumberAgain } from '../../../src/shm/hash.ts'

const KEY = Uint32Array.of(0x03020100, 0x07060504)

function digest(hasher: KeyedHasher, add: (hasher: KeyedHasher) => void): string {
  hasher.start()
  add(hasher)
  hasher.finish()
  return [hasher.low, hasher.high].map((half) => half.toString(16).padStart(8, '0')).join('')
}

describe('HalfSipHash-2-4', () => {
  // vectors_hsip64 of the reference implementation, key 00 01 … 07, message 00 01 …, as two little-endian halves.
  it.each([
    [0, '591f8d21c83cb8b9'],
    [1, '178ae7d5a12ee55b'],
    [2, '20e8feed8c85e4bc'],
    [3, '9f1fc77b99c7f5ae'],
    [4, 'd2aa3673b5f37b5f'],
  ])('gives the reference digest of %d words', (words, expected) => {
    const hasher = createKeyedHasher(KEY)
    const found = digest(hasher, (to) => {
      for (let i = 0; i < words; i++) to.addWord(0x03020100 + i * 0x04040404)
    })
    expect(found).toBe(expected)
  })

  it('does not depend on what was hashed before', () => {
    const hasher = createKeyedHasher(KEY)
    const first = digest(hasher, (to) => to.addString('a1b2'))
    digest(hasher, (to) => to.addNumber(-3))
    expect(digest(hasher, (to) => to.addString('a1b2'))).toBe(first)
    expect(digest(createKeyedHasher(Uint32Array.of(1, 2)), (to) => to.addString('a1b2'))).not.toBe(first)
  })

  it('gives bytes the digest of the text that has them for characters, wherever they lie', () => {
    const hasher = createKeyedHasher(KEY)
    // Around the length up to which a text needs no memory of its own, too.
    const narrow = fc.oneof(
      fc.uint8Array({ maxLength: 20 }),
      fc.uint8Array({ minLength: 250, maxLength: 260, size: 'max' }),
    )
    fc.assert(
      fc.property(narrow, fc.nat(5), (bytes, before) => {
        const padded = Buffer.concat([Buffer.alloc(before, 0xff), bytes, Buffer.alloc(5, 0xff)])
        const text = Buffer.from(bytes).toString('latin1')
        expect(digest(hasher, (to) => to.addBytes(padded, before, before + bytes.length))).toBe(
          digest(hasher, (to) => to.addString(text)),
        )
      }),
    )
  })

  it('tells sequences apart that join to the same text', () => {
    const hasher = createKeyedHasher(KEY)
    const text = fc.string({ unit: fc.constantFrom('a', '\0', 'é', 'ж', '1'), maxLength: 6 })
    const part = fc.oneof(text, fc.integer({ min: -5, max: 70_000 }), fc.constant(79_160_000_002))
    const sequence = fc.array(part, { maxLength: 4 })
    const hashOf = (parts: readonly (string | number)[]) =>
      digest(hasher, (to) => {
        for (const item of parts) typeof item === 'string' ? to.addString(item) : to.addNumber(item)
      })
    fc.assert(
      fc.property(
        sequence,
        sequence,
        (a, b) => (hashOf(a) === hashOf(b)) === (JSON.stringify(a) === JSON.stringify(b)),
      ),
      { numRuns: 2_000 },
    )
  })

  it('gives one number the same digest in registers', () => {
    const hasher = createKeyedHasher(KEY)
    const number = fc.oneof(fc.integer({ min: -5, max: 999_999_999_999_999 }), fc.constantFrom(0, 2 ** 32, 2 ** 53 - 1))
    fc.assert(
      fc.property(number, (one) => {
        hasher.start()
        hasher.addNumber(one)
        hasher.finish()
        expect(hashNumber(KEY, one)).toBe(hasher.low)
      }),
    )
  })

  it('refuses a key that is not two words', () => {
    expect(() => createKeyedHasher(new Uint32Array(4))).toThrow(RangeError)
  })
})

describe('the number mixes', () => {
  it('see both halves of a number', () => {
    for (const mix of [mixNumber, mixNumberAgain]) {
      const seen = new Set<number>()
      for (let high = 0; high < 1_000; high++) seen.add(mix(79_160_000_002 + high * 2 ** 32))
      expect(seen.size).toBeGreaterThan(998)
    }
  })

  it('are independent: numbers that share one mix do not share the other', () => {
    const byMix = new Map<number, number[]>()
    for (let i = 0; i < 300_000; i++) {
      const number = (i * 7_368_787_309) % 1e15
      const bucket = byMix.get(mixNumber(number))
      if (bucket) bucket.push(number)
      else byMix.set(mixNumber(number), [number])
    }
    const shared = [...byMix.values()].filter((numbers) => numbers.length > 1)
    expect(shared.length).toBeGreaterThan(0)
    for (const numbers of shared) expect(new Set(numbers.map(mixNumberAgain)).size).toBe(numbers.length)
  })
})
