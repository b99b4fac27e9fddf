import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { startSnapshots } from '../../../src/processes/keep-snapshots.ts'
import { SNAPSHOT_HEAD_BYTES, type SnapshotPart } from '../../../src/stores/snapshot-files.ts'
import { temporaryDirectory } from '../../fixtures/temporary-directory.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'setTimeout', 'performance'] })
})
afterEach(() => {
  vi.useRealTimers()
})

describe('the snapshots of a verdict process', () => {
  it('are written once more at a stop, not twice, while one is under way', async () => {
    const directory = temporaryDirectory()
    const state = { text: 'old', wholes: 0, steps: 0 }
    let begun = () => {}
    const isBegun = new Promise<void>((resolve) => (begun = resolve))
    const part: SnapshotPart = {
      name: 'one',
      *steps() {
        const text = Buffer.from(state.text)
        for (let i = 0; i < 1_000; i++) {
          yield text
          begun()
          state.steps++
          // No timer comes, so a rest would be for ever.
          if (state.text === 'old') vi.advanceTimersByTime(1)
        }
        state.wholes++
        return Buffer.alloc(SNAPSHOT_HEAD_BYTES)
      },
      fromBytes: () => true,
    }
    const log = { info: () => {}, warn: (fields: object) => expect(fields).toEqual({}) }
    const snapshots = await startSnapshots({ directory, label: 'verdict-1' }, { parts: [part], now: Date.now, log })
    vi.advanceTimersByTime(30_000)
    await isBegun
    state.text = 'new'
    const closed = snapshots.close()
    vi.advanceTimersByTime(1)
    await closed
    expect(state.wholes).toBe(1)
    expect(state.steps).toBeLessThan(1_100)
    expect(readdirSync(directory)).toEqual(['verdict-1-one.snapshot'])
    const written = readFileSync(path.join(directory, 'verdict-1-one.snapshot')).subarray(SNAPSHOT_HEAD_BYTES)
    expect(written.toString()).toBe('new'.repeat(1_000))
    // The timer is gone.
    vi.advanceTimersByTime(60_000)
    expect(state.steps).toBeLessThan(1_100)
  })
})
