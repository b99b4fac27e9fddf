import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { waitUntil } from '../../../bench/lib/wait-until.ts'
import type { ScreeningSnapshot } from '../../../src/engine/snapshot.ts'
import { createMemoryRelease, garbageCollector } from '../../../src/processes/release-memory.ts'

const LARGE = 8 * 2 ** 20
const withGate = (globalGate: SharedArrayBuffer) => ({ globalGate }) as ScreeningSnapshot

describe('the memory of lists that were replaced', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  /** Beside the one at the start. */
  function collections(...gates: SharedArrayBuffer[]): number {
    const collect = vi.fn()
    const release = createMemoryRelease(collect)
    for (const gate of gates) release(withGate(gate))
    vi.runAllTimers()
    return collect.mock.calls.length - 1
  }

  it('is given back when it was much, and not a byte less', () => {
    expect(collections(new SharedArrayBuffer(LARGE), new SharedArrayBuffer(64))).toBe(1)
    expect(collections(new SharedArrayBuffer(LARGE - 1), new SharedArrayBuffer(64))).toBe(0)
  })

  it('is not looked for while the gate stays', () => {
    const gate = new SharedArrayBuffer(LARGE)
    expect(collections(gate, gate)).toBe(0)
    expect(collections(gate)).toBe(0)
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
    release(withGate(new SharedArrayBuffer(64)))
    await waitUntil('the collection of a gate that was replaced', () => gone.deref() === undefined, { limitMs: 10_000 })
  })
})

/** A gate that nobody holds once this function has returned. */
function heldOnce(release: (snapshot: ScreeningSnapshot) => void): WeakRef<SharedArrayBuffer> {
  const gate = new SharedArrayBuffer(LARGE)
  release(withGate(gate))
  return new WeakRef(gate)
}
