import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { waitUntil } from '../../../bench/lib/wait-until.ts'
import type { ScreeningSnapshot, SnapshotLayer, SnapshotNumbering } from '../../../src/engine/snapshot.ts'
import { createMemoryRelease, garbageCollector } from '../../../src/processes/release-memory.ts'

const LARGE = 8 * 2 ** 20
const EMPTY = new SharedArrayBuffer(0)
const none: ScreeningSnapshot = {
  generation: 1,
  globalGate: EMPTY,
  reportedGate: EMPTY,
  lists: [],
  ranges: EMPTY,
  rangeList: new Uint16Array(0),
  rangeExpiresMs: new Float64Array(0),
  numbering: [],
  policy: {} as ScreeningSnapshot['policy'],
  policyVersion: 1,
  trunks: [],
}
const withGate = (globalGate: SharedArrayBuffer): ScreeningSnapshot => ({ ...none, globalGate })
const withLayer = (layer: Omit<SnapshotLayer, 'layerId'>): ScreeningSnapshot => ({
  ...none,
  lists: [{ listId: 1, name: 'list', kind: 'deny', version: 1, layers: [{ layerId: 1, ...layer }] }],
})
const withPlan = (tables: Partial<SnapshotNumbering>): ScreeningSnapshot => ({
  ...none,
  numbering: [{ name: 'plan', asOfMs: 0, covered: EMPTY, allocated: EMPTY, ...tables }],
})

describe('the memory of lists that were replaced', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  /** Beside the one at the start. */
  function collections(...snapshots: ScreeningSnapshot[]): number {
    const collect = vi.fn()
    const release = createMemoryRelease(collect)
    for (const snapshot of snapshots) release(snapshot)
    vi.runAllTimers()
    return collect.mock.calls.length - 1
  }

  it('is given back when it was much, and not a byte less', () => {
    expect(collections(withGate(new SharedArrayBuffer(LARGE)), none)).toBe(1)
    expect(collections(withGate(new SharedArrayBuffer(LARGE - 1)), none)).toBe(0)
  })

  it.each([
    ['a gate of reported numbers', (reportedGate: SharedArrayBuffer) => ({ ...none, reportedGate })],
    ['ranges', (ranges: SharedArrayBuffer) => ({ ...none, ranges })],
    ['a number table', (numbers: SharedArrayBuffer) => withLayer({ numbers })],
    ['a gate of a layer', (gate: SharedArrayBuffer) => withLayer({ gate })],
    ['what a plan covers', (covered: SharedArrayBuffer) => withPlan({ covered })],
    ['what a plan allocates', (allocated: SharedArrayBuffer) => withPlan({ allocated })],
  ])('may have been %s', (_, holding) => {
    expect(collections(holding(new SharedArrayBuffer(LARGE)), none)).toBe(1)
  })

  it('may go by and by: little and again little is much', () => {
    const quarter = () => withLayer({ numbers: new SharedArrayBuffer(LARGE / 4) })
    expect(collections(quarter(), quarter(), quarter(), quarter())).toBe(0)
    expect(collections(quarter(), quarter(), quarter(), quarter(), quarter())).toBe(1)
    expect(collections(...Array.from({ length: 9 }, quarter))).toBe(2)
  })

  it('is not looked for while it is in force', () => {
    const snapshot = withGate(new SharedArrayBuffer(LARGE))
    expect(collections(snapshot, { ...snapshot, generation: 2 })).toBe(0)
    expect(collections(snapshot)).toBe(0)
  })

  it('is given back after the message of the new one is done with', () => {
    const collect = vi.fn()
    const release = createMemoryRelease(collect)
    release(withGate(new SharedArrayBuffer(LARGE)))
    vi.runAllTimers()
    expect(collect).toHaveBeenCalledOnce()
    collect.mockClear()
    release(withGate(new SharedArrayBuffer(LARGE)))
    expect(collect).not.toHaveBeenCalled()
    vi.runAllTimers()
    expect(collect).toHaveBeenCalledOnce()
  })

  it('is found by the garbage collector of this process', async () => {
    vi.useRealTimers()
    const release = createMemoryRelease(garbageCollector())
    const gone = heldOnce(release)
    release(none)
    await waitUntil('the collection of a gate that was replaced', () => gone.deref() === undefined, { limitMs: 10_000 })
  })
})

/** A gate that nobody holds once this function has returned. */
function heldOnce(release: (snapshot: ScreeningSnapshot) => void): WeakRef<SharedArrayBuffer> {
  const gate = new SharedArrayBuffer(LARGE)
  release(withGate(gate))
  return new WeakRef(gate)
}
