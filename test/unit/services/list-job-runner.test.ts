import { afterEach, describe, expect, it, vi } from 'vitest'
import { ScreeningError } from '../../../src/domain/errors.ts'
import { createListJobRunner } from '../../../src/services/list-job-runner.ts'

describe('a layer for work that is patient', () => {
  afterEach(() => void vi.restoreAllMocks())

  it('is waited for although the clock was set meanwhile', async () => {
    const clock = vi.spyOn(Date, 'now')
    let asked = 0
    const store = {
      async allocateLayer() {
        clock.mockReturnValue(4_000_000_000_000)
        if (++asked === 1) throw new ScreeningError('UNAVAILABLE', 'Redis is away.')
        return 7
      },
      layersInUse: () => new Set<number>(),
    }
    const runner = createListJobRunner({ store, pool: { run: async () => undefined } })
    expect(await runner.withLayer(async (layerId) => layerId, { isPatient: true })).toBe(7)
  })
})
