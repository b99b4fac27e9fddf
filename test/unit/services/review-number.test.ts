import { describe, expect, it } from 'vitest'
import type { ListEntry } from '../../../src/domain/number-list.ts'
import type { PhoneNumber } from '../../../src/domain/phone-number.ts'
import { createReviewDesk } from '../../../src/services/review-number.ts'
import { createMemoryStore } from '../../../src/stores/memory/memory-store.ts'

const NUMBER = 79160000002 as PhoneNumber

/** A desk whose list write lasts until `written` is called. */
async function openDesk() {
  const store = createMemoryStore()
  const cause = { number: NUMBER, cause: 'reported', score: 70, atMs: 1 } as const
  const { review } = await store.openReview(cause, 'system')
  const listed: ListEntry[] = []
  let written = () => {}
  const isWritten = new Promise<void>((resolve) => {
    written = resolve
  })
  const desk = createReviewDesk({
    store,
    membership: { of: () => [] },
    addEntries: async (_list, entries) => {
      await isWritten
      listed.push(...entries)
    },
    notify: async () => {},
    now: () => 2,
  })
  return { store, desk, listed, written, reviewId: review.reviewId }
}

describe('two people who close one review', () => {
  it('agree on the outcome of the first, also while the list is being written', async () => {
    const { store, desk, listed, written, reviewId } = await openDesk()
    const first = desk.close(reviewId, { outcome: 'confirmed' }, 'anna')
    const second = desk.close(reviewId, { outcome: 'innocent' }, 'boris')
    const refused = expect(second).rejects.toMatchObject({ code: 'REVIEW_CLOSED' })
    written()
    expect((await first).review).toMatchObject({ outcome: 'confirmed', closedBy: 'anna' })
    await refused
    expect(listed).toHaveLength(1)
    expect(store.review(reviewId)).toMatchObject({ outcome: 'confirmed' })
  })

  it('block nothing when the first says it is innocent', async () => {
    const { desk, listed, written, reviewId } = await openDesk()
    const first = desk.close(reviewId, { outcome: 'innocent' }, 'boris')
    const second = desk.close(reviewId, { outcome: 'confirmed' }, 'anna')
    const refused = expect(second).rejects.toMatchObject({ code: 'REVIEW_CLOSED' })
    written()
    await Promise.all([first, refused])
    expect(listed).toEqual([])
  })
})
