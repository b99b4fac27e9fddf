import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LIST_ENTRIES_MAX } from '../../src/jobs/list-jobs.ts'
import {
  createGate,
  GATE_CAPACITY_MAX,
  gateAdd,
  gateAddAll,
  gateFromBytes,
  gateHas,
  gateToBytes,
  openGate,
} from '../../src/shm/gate.ts'
import { createGateAround, gateMerge, gateMultiple } from '../../src/shm/gate-merge.ts'

const numbers = fc.uniqueArray(fc.integer({ min: 1, max: 999_999_999_999_999 }), { minLength: 1, maxLength: 300 })

describe('a gate spread over a larger one', () => {
  it('loses no number, whatever the sizes', () => {
    fc.assert(
      fc.property(numbers, numbers, fc.integer({ min: 1, max: 5_000 }), (inPart, others, capacity) => {
        const part = openGate(createGate(inPart.length))
        gateAddAll(part, Float64Array.from(inPart))
        const whole = openGate(createGateAround(part, capacity))
        gateMerge(whole, part)
        for (const number of others) gateAdd(whole, number)
        return [...inPart, ...others].every((number) => gateHas(whole, number))
      }),
    )
  })

  it('stays as selective as the part it was made from', () => {
    const part = openGate(createGate(10_000))
    for (let i = 0; i < 10_000; i++) gateAdd(part, 79_000_000_000 + i)
    const whole = openGate(createGateAround(part, 40_000))
    gateMerge(whole, part)
    let maybe = 0
    for (let i = 0; i < 100_000; i++) if (gateHas(whole, 49_000_000_000 + i)) maybe++
    expect(maybe / 100_000).toBeLessThan(0.004)
  })

  // A layer's gate has 12 bits a number, a block 512: 24 bits a number around 357.9 M of them are all a gate can have.
  it.each([
    ['as far as one gate goes', 357_000_000, 2],
    ['a step beyond', 358_000_000, 1],
    ['for the largest list', LIST_ENTRIES_MAX, 2],
    ['for a gate as large as can be', (GATE_CAPACITY_MAX * 16) / 12, 1],
  ])('is never larger than a gate can be: %s', (_what, numbers, multiple) => {
    const blocks = Math.ceil((numbers * 12) / 512)
    expect(gateMultiple(blocks, numbers + 65_536)).toBe(multiple)
    expect(blocks * multiple * 32).toBeLessThanOrEqual(GATE_CAPACITY_MAX)
  })

  it('refuses a gate that was not made around the part', () => {
    const part = openGate(createGate(1_000))
    expect(() => gateMerge(openGate(createGate(1_500)), part)).toThrow('multiple')
  })
})

describe('a gate read from a file', () => {
  it('opens from a Buffer, whose slice is a view', () => {
    const memory = createGate(10)
    gateAdd(openGate(memory), 79_070_000_001)
    const file = Buffer.concat([Buffer.from('head'), Buffer.from(gateToBytes(memory, 7))]).subarray(4)
    expect(gateHas(openGate(gateFromBytes(file, 7)), 79_070_000_001)).toBe(true)
  })
})
