import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { SUMMARY_WORDS } from '../../src/shm/activity-summary.ts'
import { createRemoteActivity, hearSource, noteRows, openRemoteActivity } from '../../src/shm/remote-activity.ts'
import { messageWith, startFixture } from './start-fixture.ts'

const NOW = Date.UTC(2026, 2, 14, 12, 0)
const CALLERS = 60
const SERIAL = 64

/** A row of the caller with `n` in every count that may be as large as the attempts. */
function rowOf(caller: number, n: number): Uint32Array {
  const row = new Uint32Array(SUMMARY_WORDS)
  const id = caller + 2 * 2 ** 50
  row[0] = id >>> 0
  row[1] = Math.floor(id / 2 ** 32)
  // Windows, sequential and total attempts; no outcomes; one day.
  for (const word of [2, 3, 4, 5, 6, 7, 15, 17]) row[word] = n
  row[20] = 1
  row[21] = NOW / 1_000
  row[22] = NOW / 1_000
  return row
}

describe('remote activity that is written while threads read it', () => {
  it('is never torn, nor of another caller', async () => {
    const memory = createRemoteActivity(30) // half of the callers have room
    const stop = new Int32Array(new SharedArrayBuffer(4))
    const readers = [1, 2].map(() => startFixture('remote-reader', { memory, nowMs: NOW, callers: CALLERS, stop }))
    const results = readers.map((reader) => messageWith(reader, 'torn'))
    const remote = openRemoteActivity(memory)
    hearSource(remote, SERIAL, NOW)
    let refused = 0
    for (let turn = 0; turn < 150_000; turn++) {
      const caller = 79_160_000_000 + ((turn * 7) % CALLERS)
      const n = (caller % 100) + 100 * (turn % 500)
      if (n > 0) refused += noteRows(remote, SERIAL, rowOf(caller, n), NOW)
      if (turn % 1_000 === 0) await nextTurn()
    }
    expect(refused).toBe(0)
    // Pairs with the load of the readers.
    Atomics.store(stop, 0, 1)
    for (const result of await Promise.all(results)) {
      expect(result).toMatchObject({ torn: 0 })
      expect(Number((result as Record<string, unknown>).found)).toBeGreaterThan(100)
    }
  })
})
