import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ScreeningError } from '../../../src/domain/errors.ts'
import { DESK_PARTITION } from '../../../src/stores/fact.ts'
import { encodeFact } from '../../../src/stores/fact-codec.ts'
import { createLayerOffers } from '../../../src/stores/redis/offer-layers.ts'

const FACT = {
  factId: '1'.repeat(32),
  payload: encodeFact({
    kind: 'list-stage',
    name: 'black',
    listKind: 'deny',
    version: { layers: [{ layerId: 1, numberCount: 1, rangeCount: 0, stamp: 1 }] },
    actor: 'anna',
    atMs: 1,
  } as never),
  partition: DESK_PARTITION,
}

describe('a fact whose contents cannot be pushed', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  /** Whether it goes, asked in each of some seconds. */
  async function offered(error: unknown): Promise<boolean[]> {
    const layers = { has: () => true, fetch: async () => [], push: () => Promise.reject(error) }
    const mayOffer = createLayerOffers({ outbox: { has: () => true }, layers, onFault: () => {} })
    const answers: boolean[] = []
    for (let second = 0; second < 4; second++) {
      answers.push(mayOffer(FACT))
      await vi.advanceTimersByTimeAsync(1_000)
    }
    return answers
  }

  it.each([
    new ScreeningError('RECORD_DAMAGED', 'The copy of a list is damaged.'),
    new ScreeningError('STORAGE_FAILED', 'The layer is not stored here.'),
    new Error('MDB_CORRUPTED'),
  ])('goes without them after three tries: %s', async (error) => {
    expect(await offered(error)).toEqual([false, false, false, true])
  })

  it.each(['UNAVAILABLE', 'STORAGE_FULL'] as const)('waits for as long as it is %s', async (code) => {
    expect(await offered(new ScreeningError(code, 'Not now.'))).toEqual([false, false, false, false])
  })
})
