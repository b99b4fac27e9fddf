import { describe, expect, it, vi } from 'vitest'
import { ScreeningError } from '../../../src/domain/errors.ts'
import { patiently } from '../../../src/services/patience.ts'

const away = () => new ScreeningError('UNAVAILABLE', 'Redis does not answer.')

describe('patience', () => {
  it('tries again what is unavailable, for a minute and not longer', async () => {
    vi.useFakeTimers()
    try {
      let nowMs = 0
      let tries = 0
      const work = async () => {
        tries++
        nowMs += 30_000
        throw away()
      }
      const outcome = patiently(work, () => nowMs).catch((error: unknown) => error)
      await vi.runAllTimersAsync()
      expect(await outcome).toMatchObject({ code: 'UNAVAILABLE' })
      expect(tries).toBe(3)
    } finally {
      vi.useRealTimers()
    }
  })

  it('takes any other answer as it is', async () => {
    const refuse = () => Promise.reject(new ScreeningError('LIST_CHANGED', 'Somebody was faster.'))
    await expect(patiently(refuse, Date.now)).rejects.toMatchObject({ code: 'LIST_CHANGED' })
    let tries = 0
    const second = async () => {
      if (++tries < 2) throw away()
      return tries
    }
    expect(await patiently(second, Date.now)).toBe(2)
  })
})
