import { describe, expect, it } from 'vitest'
import { createReportedGate } from '../../../src/services/reported-gate.ts'
import { createGate, gateHas, openGate } from '../../../src/shm/gate.ts'

function world(reported: number[]) {
  let scans = 0
  let whileRead = () => {}
  const gate = createReportedGate({
    async scanReported(visit) {
      scans++
      visit(Float64Array.from(reported), reported.length)
      whileRead()
    },
  })
  return {
    gate,
    scans: () => scans,
    whileRead: (what: () => void) => {
      whileRead = what
    },
    opened: () => openGate(gate.memory ?? createGate(1)),
    has: (number: number) => gateHas(openGate(gate.memory ?? createGate(1)), number),
  }
}

describe('the gate of reported numbers', () => {
  it('has every number with a reputation, and those that come, and hardly any other', async () => {
    const { gate, has } = world(Array.from({ length: 20_000 }, (_, index) => 79_000_000_000 + index))
    await gate.update()
    gate.add(79_160_000_002)
    expect(has(79_000_000_000) && has(79_000_019_999) && has(79_160_000_002)).toBe(true)
    let maybe = 0
    for (let index = 0; index < 10_000; index++) if (has(490_000_000_000 + index)) maybe++
    expect(maybe).toBeLessThan(30)
  })

  it('stays while it has room, and grows when it has none', async () => {
    const reported: number[] = []
    const { gate, scans, has, opened } = world(reported)
    await gate.update()
    const { memory } = gate
    const { capacity } = opened()
    for (let index = 0; reported.length < capacity; index++) {
      reported.push(79_000_000_000 + index)
      gate.add(79_000_000_000 + index)
    }
    const before = scans()
    await gate.update()
    expect(gate.memory).toBe(memory)
    expect(scans()).toBe(before)
    for (let index = 0; index < 1_000; index++) {
      reported.push(79_200_000_000 + index)
      gate.add(79_200_000_000 + index)
    }
    await gate.update()
    expect(opened().capacity).toBeGreaterThan(2 * capacity)
    expect(reported.every(has)).toBe(true)
  })

  it('has what is reported while it is made anew, before and after threads have left the one before', async () => {
    const reported: number[] = []
    const { gate, whileRead, has, opened } = world(reported)
    await gate.update()
    const old = opened()
    for (let index = 0; index < old.capacity + 1_000; index++) gate.add(79_000_000_000 + index)
    whileRead(() => gate.add(79_160_000_002))
    await gate.update()
    gate.add(79_160_000_003)
    expect(opened().memory).not.toBe(old.memory)
    for (const number of [79_160_000_002, 79_160_000_003]) expect(has(number) && gateHas(old, number)).toBe(true)
    gate.acknowledged()
    gate.add(79_160_000_004)
    expect(has(79_160_000_004)).toBe(true)
    expect(gateHas(old, 79_160_000_004)).toBe(false)
  })

  it('stays as it is when the record cannot be read', async () => {
    const { gate, whileRead, opened, has } = world([])
    await gate.update()
    for (let index = 0; index < opened().capacity + 1_000; index++) gate.add(79_000_000_000 + index)
    whileRead(() => {
      throw new Error('gone')
    })
    const { memory } = gate
    await expect(gate.update()).rejects.toThrow('gone')
    expect(gate.memory).toBe(memory)
    gate.add(79_160_000_002)
    expect(has(79_160_000_002)).toBe(true)
  })
})
