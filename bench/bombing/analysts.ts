import type { PhoneNumber } from '../../src/domain/phone-number.ts'
import type { RecordStore } from '../../src/stores/ports.ts'
import type { Random } from './random.ts'
import { DAY_MS } from './world.ts'

/** Once a day somebody looks at reviews: so many, those that waited half a day, highest score first, and not all of them. */
export const ANALYSTS = {
  reviewsPerDay: 150,
  waitMs: DAY_MS / 2,
  decidedShare: 0.7,
  /** They cannot tell and dismiss it. */
  unsureShare: 0.05,
  /** Of numbers with three reporters or more, those that somebody opens a review for of his own accord, a day. */
  lookedAtShare: 0.1,
} as const

export type Analysts = {
  /** Numbers that were reported since yesterday and have at least three reporters. */
  work(nowMs: number, reported: Iterable<PhoneNumber>): Promise<void>
}

export type AnalystsDependencies = {
  readonly store: RecordStore
  readonly random: Random
  readonly isFraud: (number: PhoneNumber) => boolean
  readonly close: (reviewId: string, outcome: 'confirmed' | 'innocent' | 'dismissed') => Promise<unknown>
}

export function createAnalysts({ store, random, isFraud, close }: AnalystsDependencies): Analysts {
  return {
    async work(nowMs, reported) {
      for (const number of reported) {
        if (!random.chance(ANALYSTS.lookedAtShare)) continue
        await store.openReview({ number, cause: 'watched', score: 50, atMs: nowMs }, 'analyst')
      }
      const waiting = store
        .reviews('open', 10_000)
        .filter(({ openedMs }) => nowMs - openedMs >= ANALYSTS.waitMs)
        .slice(0, ANALYSTS.reviewsPerDay)
      for (const { reviewId, number } of waiting) {
        if (!random.chance(ANALYSTS.decidedShare)) continue
        const outcome = random.chance(ANALYSTS.unsureShare) ? 'dismissed' : isFraud(number) ? 'confirmed' : 'innocent'
        await close(reviewId, outcome)
      }
    },
  }
}
