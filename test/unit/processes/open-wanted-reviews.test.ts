import { expect, it } from 'vitest'
import { ScreeningError } from '../../../src/domain/errors.ts'
import { createWantedReviews } from '../../../src/processes/open-wanted-reviews.ts'
import { createMemoryStore } from '../../../src/stores/memory/memory-store.ts'

const wanted = (...numbers: number[]) => numbers.map((number) => ({ number, score: 50, atMs: 1 }))

it('says once a minute how many reviews could not be opened, and opens them when it is asked again', async () => {
  const store = createMemoryStore()
  let isAway = true
  const openReview: typeof store.openReview = (...request) =>
    isAway ? Promise.reject(new ScreeningError('UNAVAILABLE', 'Redis is away.')) : store.openReview(...request)
  let nowMs = 1_000
  const counts: unknown[] = []
  const open = createWantedReviews({
    store: { openReview },
    now: () => nowMs,
    log: { warn: (fields) => void counts.push((fields as { reviews: number }).reviews) },
  })
  await open(wanted(79_160_000_001, 79_160_000_002))
  for (let i = 0; i < 10; i++) await open(wanted(79_160_000_001))
  expect(counts).toEqual([2])
  nowMs += 60_000
  await open(wanted(79_160_000_001))
  expect(counts).toEqual([2, 11])
  isAway = false
  await open(wanted(79_160_000_001))
  expect(store.reviewOf(79_160_000_001 as never)).toMatchObject({ state: 'open' })
})
