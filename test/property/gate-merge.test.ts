import fc from 'fast-check'
import { describe, it } from 'vitest'
import { createGate, gateAdd, gateHas, openGate } from '../../src/shm/gate.ts'
import { createGateAround, gateMerge } from '../../src/shm/gate-merge.ts'

describe('a gate spread over a larger one', () => {
  it('loses no number', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 999_999_999_999_999 }), { maxLength: 500 }),
        fc.integer({ min: 1, max: 500 }),
        fc.integer({ min: 1, max: 20_000 }),
        (numbers, capacity, around) => {
          const part = openGate(createGate(capacity))
          for (const number of numbers) gateAdd(part, number)
          const whole = openGate(createGateAround(part, around))
          gateMerge(whole, part)
          return numbers.every((number) => gateHas(whole, number))
        },
      ),
    )
  })
})
