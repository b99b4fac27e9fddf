import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DECISION_RECORD_BYTES } from '../../src/domain/decision-record.ts'
import {
  claimRecord,
  commitRecord,
  createDecisionRing,
  drainRecords,
  openDecisionRing,
  ringLength,
} from '../../src/shm/decision-ring.ts'

const step = fc.oneof(
  fc.record({ write: fc.boolean() }),
  fc.record({ drain: fc.integer({ min: 0, max: 12 }) }),
  fc.constant({ reopen: true }),
)

describe('a decision ring', () => {
  it('hands over every record it took, once and in order, and refuses only when it must', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 16 }), fc.array(step, { maxLength: 200 }), (records, steps) => {
        const memory = createDecisionRing(records)
        let writer = openDecisionRing(memory)
        let reader = openDecisionRing(memory)
        const waiting: number[] = []
        let serial = 0
        for (const action of steps) {
          if ('write' in action) {
            const at = claimRecord(writer, action.write)
            const limit = action.write ? writer.records : writer.records / 2
            expect(at === -1).toBe(waiting.length >= limit)
            if (at === -1) continue
            for (let i = 0; i < DECISION_RECORD_BYTES; i += 4) writer.words[(at + i) >>> 2] = serial
            commitRecord(writer)
            waiting.push(serial++)
          } else if ('drain' in action) {
            const into = new Uint8Array(action.drain * DECISION_RECORD_BYTES + 17)
            const count = drainRecords(reader, into)
            const expected = waiting.splice(0, action.drain)
            expect(count).toBe(expected.length)
            const view = new DataView(into.buffer)
            for (const [i, value] of expected.entries()) {
              expect(view.getUint32(i * DECISION_RECORD_BYTES, true)).toBe(value)
              expect(view.getUint32((i + 1) * DECISION_RECORD_BYTES - 4, true)).toBe(value)
            }
          } else {
            writer = openDecisionRing(memory)
            reader = openDecisionRing(memory)
          }
          expect(ringLength(reader)).toBe(waiting.length)
        }
      }),
    )
  })

  it('goes on when its positions pass 2^32', () => {
    const memory = createDecisionRing(4)
    const control = new Int32Array(memory)
    // Both positions three short of the wrap-around, as after 4,294,967,293 records.
    control[16] = -3
    control[32] = -3
    const writer = openDecisionRing(memory)
    const reader = openDecisionRing(memory)
    for (let i = 0; i < 12; i++) {
      const at = claimRecord(writer, true)
      expect(at).toBeGreaterThan(0)
      writer.words[at >>> 2] = i
      commitRecord(writer)
      const into = new Uint8Array(DECISION_RECORD_BYTES)
      expect(drainRecords(reader, into)).toBe(1)
      expect(into[0]).toBe(i)
    }
  })

  it('keeps its upper half for important records', () => {
    const ring = openDecisionRing(createDecisionRing(8))
    for (let i = 0; i < 4; i++) {
      expect(claimRecord(ring, false)).toBeGreaterThan(0)
      commitRecord(ring)
    }
    expect(claimRecord(ring, false)).toBe(-1)
    for (let i = 4; i < 8; i++) {
      expect(claimRecord(ring, true)).toBeGreaterThan(0)
      commitRecord(ring)
    }
    expect(claimRecord(ring, true)).toBe(-1)
  })
})
