import { describe, expect, it } from 'vitest'
import { createConnectionsWatch } from '../../../src/processes/connections-watch.ts'

describe('connections that are closed because a thread has all it takes', () => {
  it('are said at once, then at most once a minute with all that came meanwhile, and not when there are none', () => {
    let refused = 0
    let nowMs = 5
    const lines: number[] = []
    const watch = createConnectionsWatch({
      refused: () => refused,
      now: () => nowMs,
      say: (count) => lines.push(count),
    })
    watch.tick()
    expect(lines).toEqual([])
    refused = 3
    watch.tick()
    expect(lines).toEqual([3])
    for (let second = 1; second < 60; second++) {
      refused += 2
      nowMs += 1_000
      watch.tick()
    }
    expect(lines).toEqual([3])
    nowMs += 1_000
    watch.tick()
    expect(lines).toEqual([3, 118])
    nowMs += 600_000
    watch.tick()
    expect(lines).toEqual([3, 118])
  })
})
