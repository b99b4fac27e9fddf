import { describe, expect, it } from 'vitest'
import { BLOCK_TABLE_CAPACITY_MAX, createBlockTable, openBlockTable } from '../../../src/shm/block-table.ts'
import { checksumWords } from '../../../src/shm/checksum.ts'
import { createCounters, openCounters } from '../../../src/shm/counters.ts'
import { createDecisionRing, openDecisionRing, RING_RECORDS_MAX } from '../../../src/shm/decision-ring.ts'
import { createGate, openGate } from '../../../src/shm/gate.ts'
import { buildIntervals, openIntervals } from '../../../src/shm/intervals.ts'
import { powerOfTwoAtLeast } from '../../../src/shm/layout.ts'
import { createNumberTable, openNumberTable } from '../../../src/shm/number-table.ts'
import { createPairs, openPairs } from '../../../src/shm/pairs.ts'
import {
  createNotedCalls,
  createRecentCalls,
  openNotedCalls,
  openRecentCalls,
  RECENT_CALLS_MAX,
} from '../../../src/shm/recent-calls.ts'
import { createReputationTable, openReputationTable } from '../../../src/shm/reputation-table.ts'
import { createTraffic, openTraffic, TRAFFIC_CAPACITY_MAX } from '../../../src/shm/traffic.ts'

const intervals = () => buildIntervals(Float64Array.of(1, 5), Float64Array.of(3, 9), Uint32Array.of(1, 2))
const regions: [string, () => SharedArrayBuffer, (memory: SharedArrayBuffer) => unknown][] = [
  ['gate', () => createGate(100), openGate],
  ['interval table', intervals, openIntervals],
  ['counter table', () => createCounters(2), (memory) => openCounters(memory, 0)],
  ['decision ring', () => createDecisionRing(8), openDecisionRing],
  ['memory of recent calls', () => createRecentCalls(8), openRecentCalls],
  ['memory of noted calls', () => createNotedCalls(8), openNotedCalls],
  ['memory of pairs', () => createPairs(8), (memory) => openPairs(memory, Uint32Array.of(1, 2))],
  ['traffic table', () => createTraffic(8), openTraffic],
  ['number table', () => createNumberTable({ capacity: 8, hasExpiries: false }).memory, openNumberTable],
  ['reputation table', () => createReputationTable(8), openReputationTable],
  ['block table', () => createBlockTable(16, 0), openBlockTable],
]
// XXH32 with seed 0 of the bytes 00..0f and 00..1f.
const XXH32_OF_16 = 0xb72837f4
const XXH32_OF_32 = 0x830741c1
const refused = expect.objectContaining({ code: 'SNAPSHOT_FORMAT' })

/** The same bytes, with `change` applied to the words of the copy, and `extraBytes` more or fewer. */
function changed(memory: SharedArrayBuffer, change: (words: Uint32Array) => void, extraBytes = 0): SharedArrayBuffer {
  const copy = new SharedArrayBuffer(memory.byteLength + extraBytes)
  new Uint8Array(copy).set(new Uint8Array(memory, 0, Math.min(memory.byteLength, copy.byteLength)))
  change(new Uint32Array(copy, 0, copy.byteLength >>> 2))
  return copy
}

describe.each(regions)('the head of a %s', (_, create, open) => {
  it('is accepted as it was made', () => {
    expect(() => open(create())).not.toThrow()
  })

  it('is refused with another magic, a newer version, another capacity or another length', () => {
    const memory = create()
    for (const word of [0, 1]) {
      expect(() => open(changed(memory, (words) => words.set([(words[word] ?? 0) + 1], word)))).toThrowError(refused)
    }
    expect(() => open(changed(memory, (words) => words.set([(words[2] ?? 0) + 1_000], 2)))).toThrowError(refused)
    expect(() => open(changed(memory, () => {}, 64))).toThrowError(refused)
    expect(() => open(changed(memory, () => {}, -64))).toThrowError(refused)
    expect(() => open(new SharedArrayBuffer(0))).toThrowError(refused)
  })

  it('is refused by every other region', () => {
    for (const [, other, openOther] of regions) {
      if (other !== create) expect(() => openOther(create())).toThrowError(refused)
    }
  })
})

describe('capacities', () => {
  it('beyond their bounds are refused', () => {
    expect(() => createDecisionRing(RING_RECORDS_MAX + 1)).toThrow(RangeError)
    expect(() => createRecentCalls(RECENT_CALLS_MAX + 1)).toThrow(RangeError)
    expect(() => createNotedCalls(RECENT_CALLS_MAX + 1)).toThrow(RangeError)
    expect(() => createTraffic(TRAFFIC_CAPACITY_MAX + 1)).toThrow(RangeError)
    expect(() => createBlockTable(BLOCK_TABLE_CAPACITY_MAX + 1, 0)).toThrow(RangeError)
    expect(() => createTraffic(1.5)).toThrow(RangeError)
  })

  it('are rounded up to powers of two', () => {
    expect([0, 1, 2, 3, 4, 5, 1_025].map(powerOfTwoAtLeast)).toEqual([1, 1, 2, 4, 4, 8, 2_048])
  })
})

describe('the checksum', () => {
  it('is XXH32', () => {
    const bytes = Uint8Array.from({ length: 32 }, (_, i) => i)
    expect(checksumWords(new Uint32Array(bytes.buffer, 0, 4), 0)).toBe(XXH32_OF_16)
    expect(checksumWords(new Uint32Array(bytes.buffer), 0)).toBe(XXH32_OF_32)
    expect(checksumWords(new Uint32Array(bytes.buffer), 4)).not.toBe(XXH32_OF_16)
  })

  it('refuses lengths it is not defined for', () => {
    expect(() => checksumWords(new Uint32Array(0), 0)).toThrow(RangeError)
    expect(() => checksumWords(new Uint32Array(5), 0)).toThrow(RangeError)
  })
})
