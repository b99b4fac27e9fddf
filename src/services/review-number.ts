import { createHash } from 'node:crypto'
import { ScreeningError } from '../domain/errors.ts'
import { type ListEntry, REASON_CHARS_MAX } from '../domain/number-list.ts'
import type { PhoneNumber } from '../domain/phone-number.ts'
import { NETWORK_CHANNEL } from '../domain/report.ts'
import type { Review, ReviewOutcome } from '../domain/review.ts'
import type { Actor, RecordStore } from '../stores/ports.ts'
import { createKeyedLock } from './keyed-lock.ts'
import type { ListMembership } from './list-membership.ts'
import { faultOf } from './parse-entry.ts'

/** The deny list of numbers that a person has confirmed. */
const CONFIRMED_LIST = 'analyst-confirmed'

type ReviewResult = {
  readonly review: Review
  /**
   * What follows for the number's next call: `blocked` (it is on the deny list now), `allow-listed` (confirmed, but an
   * allow list outranks the deny list: take it off there), `none`.
   */
  readonly effect: 'blocked' | 'allow-listed' | 'none'
}

export type ReviewDesk = {
  /**
   * Closes a review. `confirmed` first puts the number on the deny list CONFIRMED_LIST, in force on every verdict process
   * when this resolves. `innocent` first takes the weight from what was reported until now: the number starts anew. Closing it again with the same outcome answers the same. Rejects with REVIEW_UNKNOWN, or
   * REVIEW_CLOSED when it was closed with another outcome, or BODY_INVALID for the note.
   */
  close(reviewId: string, result: { outcome: ReviewOutcome; note?: string }, actor: Actor): Promise<ReviewResult>
}

export type ReviewDeskDependencies = {
  readonly store: Pick<
    RecordStore,
    'review' | 'closeReview' | 'putList' | 'lastSequence' | 'appendReport' | 'reputationOf'
  >
  readonly membership: ListMembership
  readonly addEntries: (list: string, entries: readonly ListEntry[], actor: Actor) => Promise<unknown>
  readonly notify: (sequence: number) => Promise<void>
  readonly now: () => number
}

export function createReviewDesk(deps: ReviewDeskDependencies): ReviewDesk {
  async function block(review: Review, note: string | undefined, actor: Actor): Promise<void> {
    await deps.store.putList({ name: CONFIRMED_LIST, kind: 'deny', title: 'Confirmed by an analyst' }, actor)
    const details = { reason: note ?? review.causes.join(', '), source: `review:${review.reviewId}` }
    await deps.addEntries(CONFIRMED_LIST, [{ from: review.number, to: review.number, details }], actor)
    await deps.notify(deps.store.lastSequence())
  }

  async function clear({ number, openedMs, reviewId }: Review, actor: Actor): Promise<void> {
    if (deps.store.reputationOf(number) === undefined) return
    // The same for every try to close this review, whatever number the review has got on the way.
    const mark = createHash('sha256').update(`${number} ${openedMs}`).digest('hex').slice(0, 32)
    const nowMs = deps.now()
    const { sequence } = await deps.store.appendReport(
      {
        reportId: `clear-${mark}`,
        number,
        channel: NETWORK_CHANNEL,
        scenario: 'other',
        opinion: 'not-spam',
        clears: true,
        reporter: mark,
        ingress: 0,
        atMs: nowMs,
        receivedMs: nowMs,
        weight: 0,
        note: `review ${reviewId}: innocent`,
      },
      actor,
    )
    await deps.notify(sequence)
  }

  function effectOf(number: PhoneNumber, outcome: ReviewOutcome): ReviewResult['effect'] {
    if (outcome !== 'confirmed') return 'none'
    const allowed = deps.membership.of(number, deps.now(), ['allow']).some((entry) => !entry.isExpired)
    return allowed ? 'allow-listed' : 'blocked'
  }

  const close: ReviewDesk['close'] = async (reviewId, { outcome, note }, actor) => {
    // It becomes the reason of an entry.
    const fault = faultOf(note, REASON_CHARS_MAX)
    if (fault !== undefined) {
      const errors = [{ pointer: '/note', detail: fault }]
      throw new ScreeningError('BODY_INVALID', 'The note cannot stand beside an entry.', { errors })
    }
    const review = deps.store.review(reviewId)
    if (review === undefined) {
      throw new ScreeningError('REVIEW_UNKNOWN', 'There is no review with this id.', {
        hint: 'GET /v1/reviews lists them.',
      })
    }
    if (review.state === 'closed') {
      if (review.outcome === outcome) return { review, effect: effectOf(review.number, outcome) }
      throw new ScreeningError('REVIEW_CLOSED', `The review was closed as ${review.outcome} before.`, {
        hint: 'Change the list instead, or wait for a new review of the number.',
      })
    }
    // The list first: if the second step fails, the review stays open and the same request can be sent again.
    if (outcome === 'confirmed') await block(review, note, actor)
    if (outcome === 'innocent') await clear(review, actor)
    const result = { outcome, atMs: deps.now(), ...(note === undefined ? {} : { note }) }
    const closed = await deps.store.closeReview(reviewId, result, actor)
    return { review: closed, effect: effectOf(review.number, outcome) }
  }

  // Between the list and the review somebody else could close it as innocent, and the number would stay blocked.
  const lock = createKeyedLock()
  return { close: (reviewId, result, actor) => lock(reviewId, () => close(reviewId, result, actor)) }
}
