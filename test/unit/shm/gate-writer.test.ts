import { describe, expect, it } from 'vitest'
import { createGate, gateAdd, gateHas, openGate } from '../../../src/shm/gate.ts'
import { createGateWriter, RETIRED_GATES_MAX } from '../../../src/shm/gate-writer.ts'

const has = (memory: SharedArrayBuffer, number: number) => gateHas(openGate(memory), number)

describe('the gate writer', () => {
  it('adds to the old and the next gate until every thread has swapped', () => {
    const first = createGate(100)
    const writer = createGateWriter(first)
    writer.add(1)
    const next = writer.beginRebuild(200)
    gateAdd(next, 1)
    writer.add(2)
    expect([has(first, 1), has(first, 2), has(next.memory, 1), has(next.memory, 2)]).toEqual([true, true, true, true])

    expect(writer.publish()).toBe(next.memory)
    expect(writer.memory).toBe(next.memory)
    writer.add(3)
    expect([has(first, 3), has(next.memory, 3)]).toEqual([true, true])

    writer.acknowledged()
    writer.add(4)
    expect([has(first, 4), has(next.memory, 4)]).toEqual([false, true])
  })

  it('keeps feeding every gate that some thread may still read', () => {
    const writer = createGateWriter(createGate(10))
    const gates = [writer.memory]
    for (let i = 0; i < 3; i++) {
      writer.beginRebuild(10)
      gates.push(writer.publish())
    }
    writer.add(5)
    expect(gates.map((memory) => has(memory, 5))).toEqual([true, true, true, true])
    expect(writer.retiredCount).toBe(3)
  })

  it('forgets an abandoned rebuild', () => {
    const first = createGate(10)
    const writer = createGateWriter(first)
    const next = writer.beginRebuild(10)
    expect(writer.rebuilding).toBe(true)
    writer.abandon()
    writer.add(6)
    expect(has(next.memory, 6)).toBe(false)
    expect(writer.memory).toBe(first)
    expect(() => writer.beginRebuildWith(createGate(10))).not.toThrow()
  })

  it('refuses a second rebuild, a publish without one, and too many gates that nobody leaves', () => {
    const writer = createGateWriter(createGate(10))
    expect(() => writer.publish()).toThrowError(/no rebuilt gate/)
    writer.beginRebuild(10)
    expect(() => writer.beginRebuild(10)).toThrowError(/under way/)
    for (let i = 0; i < RETIRED_GATES_MAX; i++) {
      if (!writer.rebuilding) writer.beginRebuild(10)
      writer.publish()
    }
    writer.beginRebuild(10)
    expect(() => writer.publish()).toThrowError(/stuck/)
  })
})
