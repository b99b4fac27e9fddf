import type { PhoneNumber } from '../domain/phone-number.ts'
import type { RecordStore } from '../stores/ports.ts'
import type { ReviewWantedMessage } from './messages.ts'

export type WantedReviewsDependencies = {
  readonly store: Pick<RecordStore, 'openReview'>
  readonly now: () => number
  readonly log: { warn(fields: object, text: string): void }
}

/** While Redis is away every suspicious call asks again: one line a minute says so. */
const LOG_EVERY_MS = 60_000

/**
 * Opens the reviews that verdict processes want. Never rejects: a store that is full or busy loses nothing here, for the
 * next suspicious call asks again. What failed is logged at once, and then at most once a minute, with how many did.
 */
export function createWantedReviews({ store, now, log }: WantedReviewsDependencies) {
  let failed = 0
  let nextLogMs = 0

  return async function openWanted(items: ReviewWantedMessage['items']): Promise<void> {
    for (const [index, { number, score, atMs }] of items.entries()) {
      try {
        await store.openReview({ number: number as PhoneNumber, cause: 'protected-suspicious', score, atMs }, 'system')
      } catch (err) {
        failed += items.length - index
        if (now() < nextLogMs) return
        log.warn({ err, reviews: failed }, 'reviews could not be opened')
        failed = 0
        nextLogMs = now() + LOG_EVERY_MS
        return
      }
    }
  }
}
