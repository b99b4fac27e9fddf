import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { steadily } from '../../../bench/lib/steadily.ts'

describe('work done steadily', () => {
  it('counts what is done and what fails, keeps the first problems, and waits for the last when stopped', async () => {
    let ended = 0
    const steady = steadily(1_000, async (index) => {
      await sleep(5)
      ended++
      if (index % 2 === 1) throw new Error(`number ${index}`)
    })
    while (ended < 20) await sleep(1)
    await steady.stop()
    expect(steady.done + steady.failed).toBe(ended)
    expect(steady.failed).toBe(Math.floor(ended / 2))
    expect(steady.problems).toEqual([1, 3, 5, 7, 9].map((index) => `Error: number ${index}`))
    const after = ended
    await sleep(20)
    expect(ended).toBe(after)
  })

  it.each([
    ['one', true, 1],
    ['64', false, 64],
  ])('has at most %s on the way', async (_, isAlone, most) => {
    let running = 0
    let seen = 0
    let ends: (() => void)[] = []
    const work = async () => {
      seen = Math.max(seen, ++running)
      await new Promise<void>((resolve) => ends.push(resolve))
      running--
    }
    const steady = steadily(100_000, work, { isAlone })
    while (running < most) await sleep(1)
    await sleep(20)
    expect(running).toBe(most)
    const stopped = steady.stop()
    const over = stopped.then(() => true)
    while (!(await Promise.race([over, sleep(1).then(() => false)]))) {
      for (const end of ends) end()
      ends = []
    }
    expect(seen).toBe(most)
  })
})
