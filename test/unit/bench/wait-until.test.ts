import { describe, expect, it } from 'vitest'
import { quantile, spread } from '../../../bench/lib/stats.ts'
import { waitUntil, within } from '../../../bench/lib/wait-until.ts'

describe('waiting in a bench', () => {
  it('ends when it is so', async () => {
    let asked = 0
    await waitUntil('the third time', () => ++asked === 3, { limitMs: 5_000, everyMs: 1 })
    expect(asked).toBe(3)
  })

  it('says what it waited for when the limit is over', async () => {
    const never = waitUntil('the moon', () => false, { limitMs: 20, everyMs: 1 })
    await expect(never).rejects.toThrow('After 0.02 s this had not come: the moon.')
    await expect(within('the sun', 20, new Promise(() => {}))).rejects.toThrow('the sun')
  })

  it('hands on what the promise comes to within its limit', async () => {
    expect(await within('a value', 5_000, Promise.resolve(7))).toBe(7)
    await expect(within('a value', 5_000, Promise.reject(new Error('broken')))).rejects.toThrow('broken')
  })
})

describe('figures of a bench', () => {
  it('keeps what never came above all that came', () => {
    const values = [
      ...Array.from({ length: 98 }, (_, index) => index),
      Number.POSITIVE_INFINITY,
      Number.POSITIVE_INFINITY,
    ]
    expect(quantile(values, 0.5)).toBe(49)
    expect(quantile(values, 0.98)).toBe(97)
    expect(quantile(values, 0.99)).toBe(Number.POSITIVE_INFINITY)
  })

  it('shows the median with the range', () => {
    expect(spread([1.04, 0.98, 1.0])).toBe('1 (0.98-1.04)')
  })
})
