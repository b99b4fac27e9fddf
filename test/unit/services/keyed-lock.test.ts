import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { createKeyedLock } from '../../../src/services/keyed-lock.ts'

/** A holder of the key, until it is told to let go. */
function hold(lock: ReturnType<typeof createKeyedLock>, key: string) {
  let letGo: () => void = () => {}
  const held = lock(key, () => new Promise<void>((resolve) => (letGo = resolve)))
  return { held, letGo: () => letGo() }
}

describe('a lock by key', () => {
  it('gives turns in order, also behind a failure, and keys do not know each other', async () => {
    const lock = createKeyedLock()
    const order: number[] = []
    const { held, letGo } = hold(lock, 'black')
    const second = lock('black', async () => Promise.reject(new Error('second')))
    const third = lock('black', async () => void order.push(3))
    await lock('white', async () => void order.push(0))
    letGo()
    await held
    await expect(second).rejects.toThrow('second')
    await third
    expect(order).toEqual([0, 3])
  })

  it('refuses who has waited too long, does not do its work later, and goes on with the next', async () => {
    const lock = createKeyedLock()
    const { held, letGo } = hold(lock, 'black')
    let done = 0
    const late = lock('black', async () => ++done, { waitMs: 20 })
    const next = lock('black', async () => ++done)
    await expect(late).rejects.toMatchObject({ code: 'UNAVAILABLE', status: 503, details: { retryAfterSeconds: 5 } })
    letGo()
    await held
    expect(await next).toBe(1)
  })

  it('does not refuse whose work has begun in time and lasts', async () => {
    const lock = createKeyedLock()
    expect(await lock('black', () => sleep(60, 'done'), { waitMs: 20 })).toBe('done')
  })
})
