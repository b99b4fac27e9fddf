import { describe, expect, it } from 'vitest'
import { createThreadWatch } from '../../../src/processes/thread-watch.ts'
import {
  beatThread,
  createNodeHealth,
  nodeHealth,
  openNodeHealth,
  setNodeHealth,
  setUnsupervised,
} from '../../../src/shm/node-health.ts'

function watchTwo() {
  const memory = createNodeHealth(2)
  const health = openNodeHealth(memory)
  const frozen: number[] = []
  const watch = createThreadWatch(
    { ticksMax: 3 },
    { beats: health.beats, onFrozen: (thread) => void frozen.push(thread) },
  )
  return { memory, health, frozen, watch }
}

describe('the watch over verdict threads', () => {
  it('finds the thread that does not move, once', () => {
    const { memory, frozen, watch } = watchTwo()
    const seenByThread = openNodeHealth(memory)
    for (let tick = 1; tick <= 2; tick++) {
      beatThread(seenByThread, 0)
      watch.tick()
    }
    expect(frozen).toEqual([])
    for (let tick = 3; tick <= 6; tick++) {
      beatThread(seenByThread, 0)
      watch.tick()
    }
    expect(frozen).toEqual([1])
  })

  it('forgives a thread that moves again in time', () => {
    const { health, frozen, watch } = watchTwo()
    for (let tick = 0; tick < 10; tick++) {
      if (tick % 3 === 2) for (const thread of [0, 1]) beatThread(health, thread)
      watch.tick()
    }
    expect(frozen).toEqual([])
  })

  it('reads beats apart from the age of the state', () => {
    const { memory, health } = watchTwo()
    setNodeHealth(health, 1_700_000_000_123, 7)
    beatThread(health, 0)
    beatThread(health, 1)
    expect(nodeHealth(openNodeHealth(memory))).toEqual({
      freshMs: 1_700_000_000_123,
      sequence: 7,
      isUnsupervised: false,
    })
    setUnsupervised(health)
    expect(nodeHealth(openNodeHealth(memory))).toEqual({
      freshMs: 1_700_000_000_123,
      sequence: 7,
      isUnsupervised: true,
    })
    expect([...health.beats]).toEqual([1, 1])
  })
})
