import { describe, expect, it } from 'vitest'
import { createVerdictPeers } from '../../../src/processes/verdict-peers.ts'

function peers() {
  const told: number[] = []
  const asked: number[] = []
  const all = createVerdictPeers({ tellChanged: (upTo) => told.push(upTo), askStatus: (id) => asked.push(id) })
  all.onPeers(['verdict-1', 'verdict-2'])
  const applied = (label: string, seen: number, inForce: number) =>
    all.onApplied({ type: 'applied', label, seen, inForce })
  return { all, told, asked, applied }
}

describe('what control knows of verdict processes', () => {
  it('waits for every process to have a reported number in its gates', async () => {
    const { all, told, applied } = peers()
    const done = all.notify(5, { needsSnapshot: false, timeoutMs: 10_000 })
    expect(told).toEqual([5])
    applied('verdict-1', 5, 0)
    applied('verdict-2', 6, 0)
    expect(await done).toBe(true)
  })

  it('waits for a list until it is in force', async () => {
    const { all, applied } = peers()
    let isDone = false
    const done = all.notify(5, { needsSnapshot: true, timeoutMs: 10_000 }).then(() => {
      isDone = true
    })
    applied('verdict-1', 5, 5)
    applied('verdict-2', 5, 4)
    await new Promise((resolve) => setImmediate(resolve))
    expect(isDone).toBe(false)
    applied('verdict-2', 5, 5)
    await done
  })

  it('does not wait for a process that is gone', async () => {
    const { all, applied } = peers()
    const done = all.notify(5, { needsSnapshot: false, timeoutMs: 10_000 })
    applied('verdict-1', 5, 5)
    all.onPeers(['verdict-1'])
    expect(await done).toBe(true)
  })

  it('gives up after its bound, and says so', async () => {
    const { all } = peers()
    expect(await all.notify(5, { needsSnapshot: false, timeoutMs: 5 })).toBe(false)
  })

  it('has nobody to wait for while none is up', async () => {
    const { all } = peers()
    all.onPeers([])
    expect(await all.notify(5, { needsSnapshot: true, timeoutMs: 10_000 })).toBe(true)
    expect(await all.statuses()).toEqual([])
  })
})
