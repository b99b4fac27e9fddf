import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createGate, gateAdd, gateAddAll, gateFromBytes, gateHas, gateToBytes, openGate } from '../../src/shm/gate.ts'
import { createGateAround, gateMerge } from '../../src/shm/gate-merge.ts'

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
