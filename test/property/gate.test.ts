import bloomFilters from 'bloom-filters'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  createGate,
  createLayerGate,
  GATE_BITS_PER_KEY,
  GATE_CAPACITY_MAX,
  GATE_FALSE_POSITIVE_RATE,
  type Gate,
  gateAdd,
  gateAddAll,
  gateCapacity,
  gateCount,
  gateFill,
  gateFromBytes,
  gateHas,
  gateToBytes,
  openGate,
} from '../../src/shm/gate.ts'

const phoneNumber = fc.oneof(
  fc.integer({ min: 79_000_000_000, max: 79_999_999_999 }),
  fc.integer({ min: 1, max: 999_999_999_999_999 }),
  fc.integer({ min: 1_000_000, max: 1_999_999 }),
)

function gateOf(numbers: Iterable<number>, capacity: number): Gate {
  const gate = openGate(createGate(capacity))
  for (const number of numbers) gateAdd(gate, number)
  return gate
}

describe('a gate', () => {
  it('never denies a number that was added, however overfull it is', () => {
    fc.assert(
      fc.property(
        fc.array(phoneNumber, { maxLength: 2_000 }),
        fc.integer({ min: 0, max: 3_000 }),
        (numbers, capacity) => {
          const gate = gateOf(numbers, capacity)
          return numbers.every((number) => gateHas(gate, number))
        },
      ),
    )
  })

  it('says the same whether numbers are added one by one or all at once', () => {
    fc.assert(
      fc.property(fc.array(phoneNumber, { maxLength: 500 }), (numbers) => {
        const bulk = openGate(createGate(500))
        gateAddAll(bulk, Float64Array.from([0, ...numbers, 0]), 1, numbers.length + 1)
        expect(gateToBytes(bulk.memory, 7)).toEqual(gateToBytes(gateOf(numbers, 500).memory, 7))
      }),
    )
  })

  it('agrees with a plain Bloom filter and a Set about what was added, and nearly always about what was not', () => {
    const { BloomFilter } = bloomFilters
    const oracle = BloomFilter.create(2_000, 0.0005)
    const set = new Set<number>()
    const gate = openGate(createGate(2_000))
    for (let i = 0; i < 2_000; i++) {
      const number = 79_160_000_000 + i * 37
      oracle.add(String(number))
      set.add(number)
      gateAdd(gate, number)
    }
    let differing = 0
    for (let number = 79_160_000_000; number < 79_160_020_000; number++) {
      if (set.has(number)) expect(gateHas(gate, number) && oracle.has(String(number))).toBe(true)
      else if (gateHas(gate, number) !== oracle.has(String(number))) differing++
    }
    expect(differing).toBeLessThan(20_000 * 0.01)
  })

  const patterns: [string, (i: number) => number][] = [
    ['numbers in a row', (i) => 79_160_000_000 + i],
    ['every thousandth number', (i) => 74_950_000_000 + i * 1_000],
    ['numbers that differ above 32 bits only', (i) => (i % 230_000) * 2 ** 32 + Math.floor(i / 230_000)],
    ['numbers 2^20 apart', (i) => 5 + i * 2 ** 20],
  ]
  it('is wrong about four absent numbers in a thousand when it is the gate of a layer', () => {
    const size = 262_144
    const gate = openGate(createLayerGate(size))
    gateAddAll(
      gate,
      Float64Array.from({ length: size }, (_value, i) => 79_160_000_000 + i),
    )
    let wrong = 0
    for (let i = size; i < size * 3; i++) if (gateHas(gate, 79_160_000_000 + i)) wrong++
    expect(wrong / (size * 2)).toBeGreaterThan(0.003)
    expect(wrong / (size * 2)).toBeLessThan(0.0055)
    expect(gate.words.byteLength / size).toBeCloseTo(12 / 8, 2)
  })

  it.each(patterns)('is wrong about one absent number in a thousand when full of %s', (_, number) => {
    const size = 262_144
    const gate = openGate(createGate(size))
    gateAddAll(
      gate,
      Float64Array.from({ length: size }, (_value, i) => number(i)),
    )
    let wrong = 0
    for (let i = size; i < size * 3; i++) if (gateHas(gate, number(i))) wrong++
    const rate = wrong / (size * 2)
    expect(rate).toBeGreaterThan(GATE_FALSE_POSITIVE_RATE * 0.7)
    expect(rate).toBeLessThan(GATE_FALSE_POSITIVE_RATE * 1.3)
    // 32 numbers with 8 bits each in a block of 512: 1 - e^-0.5.
    expect(gateFill(gate)).toBeCloseTo(1 - Math.exp(-0.5), 2)
  })

  it('counts different numbers and keeps to 16 bits for each', () => {
    const gate = openGate(createGate(10_000))
    for (let round = 0; round < 2; round++) for (let i = 0; i < 5_000; i++) gateAdd(gate, 79_000_000_000 + i)
    expect(gateCount(gate)).toBeGreaterThan(4_990)
    expect(gateCount(gate)).toBeLessThanOrEqual(5_000)
    expect(gateCapacity(gate)).toBe(10_000)
    expect(gate.words.length * 32).toBeLessThan(10_000 * GATE_BITS_PER_KEY + 512)
  })

  it('refuses a capacity beyond its bound', () => {
    expect(() => createGate(GATE_CAPACITY_MAX + 1)).toThrow(RangeError)
    expect(() => createGate(-1)).toThrow(RangeError)
  })

  it('answers about what is no number without a fault', () => {
    const gate = openGate(createGate(10))
    for (const odd of [-5, -1, 0, Number.NaN, Number.POSITIVE_INFINITY, 0.5, 2 ** 53]) {
      expect(gateHas(gate, odd)).toBe(false)
    }
  })
})

describe('a gate snapshot', () => {
  it('comes back as the same gate, from any alignment', () => {
    fc.assert(
      fc.property(fc.array(phoneNumber, { maxLength: 300 }), fc.nat({ max: 9 }), (numbers, shift) => {
        const gate = gateOf(numbers, 200)
        const bytes = gateToBytes(gate.memory, 7)
        const shifted = new Uint8Array(bytes.length + shift)
        shifted.set(bytes, shift)
        const back = openGate(gateFromBytes(shifted.subarray(shift), 7))
        expect(gateCount(back)).toBe(gateCount(gate))
        expect(back.words).toEqual(gate.words)
        // The copy goes on as a gate of its own.
        gateAdd(back, 79_990_000_001)
        return [...numbers, 79_990_000_001].every((number) => gateHas(back, number))
      }),
      { numRuns: 50 },
    )
  })

  it('is refused with any single bit turned', () => {
    const bytes = gateToBytes(gateOf([79_160_000_002, 88_001_000_000], 64).memory, 7)
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const corrupted = bytes.slice()
      corrupted[bit >>> 3] = (corrupted[bit >>> 3] ?? 0) ^ (1 << (bit & 7))
      expect(() => gateFromBytes(corrupted, 7), `bit ${bit}`).toThrowError(
        expect.objectContaining({ code: 'SNAPSHOT_FORMAT' }),
      )
    }
  })

  it('becomes the gate in its own shared memory, and is copied out of any other', () => {
    const given = gateToBytes(gateOf([79_160_000_002], 64).memory, 7)
    const shared = new Uint8Array(new SharedArrayBuffer(given.length))
    shared.set(given)
    expect(gateFromBytes(shared, 7)).toBe(shared.buffer)
    const wider = new Uint8Array(new SharedArrayBuffer(given.length + 64)).subarray(0, given.length)
    wider.set(given)
    const copy = gateFromBytes(wider, 7)
    expect(copy).not.toBe(wider.buffer)
    expect(gateHas(openGate(copy), 79_160_000_002)).toBe(true)
  })

  it('is refused for other contents than it was made of', () => {
    const bytes = gateToBytes(gateOf([79_160_000_002], 64).memory, 7)
    expect(() => gateFromBytes(bytes, 8)).toThrowError(/other contents/)
    expect(() => gateFromBytes(bytes, 0)).toThrowError(/other contents/)
  })

  it('is refused when it is cut short, too long, or of a newer version', () => {
    const bytes = gateToBytes(createGate(100), 7)
    for (const length of [0, 3, 63, 64, bytes.length - 1]) {
      expect(() => gateFromBytes(bytes.subarray(0, length), 7)).toThrowError(
        expect.objectContaining({ code: 'SNAPSHOT_FORMAT' }),
      )
    }
    expect(() => gateFromBytes(new Uint8Array([...bytes, 0]), 7)).toThrowError(/damaged/)
    const newer = bytes.slice()
    newer[4] = 2
    expect(() => gateFromBytes(newer, 7)).toThrowError(/Got a v2 gate, expected v1/)
  })
})
