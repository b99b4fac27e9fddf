import type { Review } from '../../domain/review.ts'
import type { FactOf } from '../fact.ts'
import { REVIEWS_CLOSED_KEPT, REVIEWS_OPEN_MAX, type RecordStore } from '../ports.ts'
import { closedReview, joinReview, newReview, tooManyReviews } from '../record-rules.ts'
import { readCounters, writeCounters } from './counters.ts'
import type { Environment } from './environment.ts'
import { KEY_PREFIX_BYTES, LIVE_SPACE, makeKey, textPart } from './keys.ts'
import { foldJudgement } from './reporters.ts'
import { encodeJson } from './values.ts'
import type { WriteSet } from './write-set.ts'

export type ReviewReads = Pick<RecordStore, 'review' | 'reviewOf' | 'reviews'>

const NOTHING = Buffer.alloc(0)
const reviewKey = (reviewId: string) => makeKey(LIVE_SPACE.review, { text: reviewId })
const newestKey = (number: number) => makeKey(LIVE_SPACE.newestReview, { u64: number })
/** Highest score first. Ids of one score sort by age because they are padded. */
const openKey = (review: Review) =>
  makeKey(LIVE_SPACE.openReview, { u8: 100 - Math.round(review.score) }, { text: review.reviewId })
const closedKey = (review: Review) =>
  makeKey(LIVE_SPACE.closedReview, { u64: review.closedMs ?? 0 }, { text: review.reviewId })

export function reviewReads(environment: Environment): ReviewReads {
  return {
    review(reviewId) {
      environment.refresh()
      return environment.json<Review>(reviewKey(reviewId))
    },
    reviewOf(number) {
      environment.refresh()
      return newestOf(environment, number)
    },
    reviews(state, limit) {
      environment.refresh()
      const isOpen = state === 'open'
      const prefix = makeKey(isOpen ? LIVE_SPACE.openReview : LIVE_SPACE.closedReview)
      const idAt = KEY_PREFIX_BYTES + (isOpen ? 1 : 8)
      const reviewIds: string[] = []
      environment.scan({ prefix, reverse: !isOpen, limit }, (key) => reviewIds.push(textPart(key, idAt)))
      return reviewIds.flatMap((reviewId) => environment.json<Review>(reviewKey(reviewId)) ?? [])
    },
  }
}

/** Throws QUEUE_FULL. */
export function openReview(
  environment: Environment,
  writes: WriteSet,
  { review: request, actor }: FactOf<'review-open'>,
): { review: Review; opened: boolean } {
  const known = newestOf(environment, request.number)
  if (known?.state === 'open') {
    const joined = joinReview(known, request)
    if (joined === known) return { review: known, opened: false }
    writes.remove(openKey(known))
    putOpen(writes, joined)
    writes.audit(actor, 'review.join', joined.reviewId, { cause: request.cause, score: joined.score })
    return { review: joined, opened: false }
  }
  const counters = readCounters(environment)
  if (counters.openReviews >= REVIEWS_OPEN_MAX) throw tooManyReviews()
  const reviewId = `r${String(counters.reviewId + 1).padStart(9, '0')}`
  writeCounters(writes, { ...counters, reviewId: counters.reviewId + 1, openReviews: counters.openReviews + 1 })
  const review = newReview(reviewId, request, known)
  putOpen(writes, review)
  writes.put(newestKey(review.number), Buffer.from(reviewId))
  writes.audit(actor, 'review.open', reviewId, { cause: request.cause, score: review.score })
  return { review, opened: true }
}

function putOpen(writes: WriteSet, review: Review): void {
  writes.put(reviewKey(review.reviewId), encodeJson(review))
  writes.put(openKey(review), NOTHING)
  writes.change({ kind: 'review', reviewId: review.reviewId })
}

/** Throws REVIEW_UNKNOWN, REVIEW_CLOSED. */
export function closeReview(environment: Environment, writes: WriteSet, fact: FactOf<'review-close'>): Review {
  const { result, actor, judgement } = fact
  const known = meantReview(environment, fact)
  const reviewId = known?.reviewId ?? fact.reviewId
  const closed = closedReview(known, reviewId, result, actor)
  if (known !== undefined) writes.remove(openKey(known))
  writes.put(reviewKey(reviewId), encodeJson(closed))
  writes.put(closedKey(closed), NOTHING)
  const counters = readCounters(environment)
  const isFull = counters.closedReviews >= REVIEWS_CLOSED_KEPT
  if (isFull) forgetOldestClosed(environment, writes)
  const closedReviews = counters.closedReviews + (isFull ? 0 : 1)
  writeCounters(writes, { ...counters, openReviews: counters.openReviews - 1, closedReviews })
  if (judgement !== undefined) foldJudgement(environment, writes, judgement, result.atMs)
  writes.change({ kind: 'review', reviewId })
  writes.audit(actor, 'review.close', reviewId, { outcome: result.outcome })
  return closed
}

/** The review of the same number that has the id, or the one that was opened at the same time and has another id here. */
function meantReview(
  environment: Environment,
  { reviewId, number, openedMs }: FactOf<'review-close'>,
): Review | undefined {
  const named = environment.json<Review>(reviewKey(reviewId))
  if (named?.number === number) return named
  const newest = newestOf(environment, number)
  return newest?.openedMs === openedMs ? newest : undefined
}

function forgetOldestClosed(environment: Environment, writes: WriteSet): void {
  environment.scan({ prefix: makeKey(LIVE_SPACE.closedReview), limit: 1 }, (key) => {
    const reviewId = textPart(key, KEY_PREFIX_BYTES + 8)
    const oldest = environment.json<Review>(reviewKey(reviewId))
    writes.remove(Buffer.from(key))
    writes.remove(reviewKey(reviewId))
    if (oldest !== undefined && newestOf(environment, oldest.number)?.reviewId === reviewId) {
      writes.remove(newestKey(oldest.number))
    }
  })
}

function newestOf(environment: Environment, number: number): Review | undefined {
  const reviewId = environment.bytes(newestKey(number))?.toString()
  return reviewId === undefined ? undefined : environment.json<Review>(reviewKey(reviewId))
}
