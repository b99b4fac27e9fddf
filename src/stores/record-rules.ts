/** What every implementation of the record store answers in the same way about reports, reviews and policies. */
import { ScreeningError } from '../domain/errors.ts'
import type { PhoneNumber } from '../domain/phone-number.ts'
import type { Report } from '../domain/report.ts'
import type { Review, ReviewCause, ReviewEvidence, ReviewOutcome } from '../domain/review.ts'
import { type Change, REVIEWS_OPEN_MAX } from './ports.ts'

/** A change without what the log adds to it. */
export type NewChange = Change extends infer Each
  ? Each extends Change
    ? Omit<Each, 'sequence' | 'atMs'>
    : never
  : never

/** The same id must mean the same thing; notes and times may differ when a client retries. */
export function assertSameReport(known: Report, report: Report): void {
  const isSame =
    known.number === report.number &&
    known.reporter === report.reporter &&
    known.scenario === report.scenario &&
    (known.opinion ?? 'harm') === (report.opinion ?? 'harm')
  if (isSame) return
  throw new ScreeningError(
    'REPORT_CONFLICT',
    `Report ${report.reportId} exists with another number, reporter or scenario.`,
    { hint: 'Send a new report with a reportId of its own.' },
  )
}

export type ReviewRequest = {
  readonly number: PhoneNumber
  readonly cause: ReviewCause
  readonly score: number
  readonly atMs: number
  readonly evidence?: ReviewEvidence
}
export type ReviewResult = { readonly outcome: ReviewOutcome; readonly note?: string; readonly atMs: number }

/** `before`: the number's last review, which is closed. */
export function newReview(reviewId: string, request: ReviewRequest, before: Review | undefined): Review {
  const { number, cause, score, atMs, evidence } = request
  const judgesAfterMs = before?.outcome === 'dismissed' ? before.judgesAfterMs : before?.closedMs
  return {
    reviewId,
    number,
    causes: [cause],
    state: 'open',
    openedMs: atMs,
    score,
    ...(evidence === undefined ? {} : { evidence }),
    ...(judgesAfterMs === undefined ? {} : { judgesAfterMs }),
  }
}

/** An open review after one more cause; the same object when that changes nothing. */
export function joinReview(open: Review, request: ReviewRequest): Review {
  const causes = open.causes.includes(request.cause) ? open.causes : [...open.causes, request.cause]
  const score = Math.max(open.score, request.score)
  if (causes === open.causes && score === open.score) return open
  return { ...open, causes, score, ...(request.evidence === undefined ? {} : { evidence: request.evidence }) }
}

export function reviewUnknown(reviewId: string): ScreeningError {
  return new ScreeningError('REVIEW_UNKNOWN', `There is no review ${reviewId}.`)
}

/** Throws REVIEW_UNKNOWN or REVIEW_CLOSED. */
export function closedReview(
  review: Review | undefined,
  reviewId: string,
  result: ReviewResult,
  actor: string,
): Review {
  if (review === undefined) throw reviewUnknown(reviewId)
  if (review.state === 'closed') {
    throw new ScreeningError('REVIEW_CLOSED', `Review ${reviewId} was closed as ${review.outcome} already.`)
  }
  const { outcome, note, atMs } = result
  return {
    ...review,
    state: 'closed',
    outcome,
    closedMs: atMs,
    closedBy: actor,
    ...(note === undefined ? {} : { note }),
  }
}

export function tooManyReviews(): ScreeningError {
  return new ScreeningError('QUEUE_FULL', `${REVIEWS_OPEN_MAX} reviews are open: no more are opened.`, {
    hint: 'Close reviews, or raise the score from which numbers are reviewed.',
  })
}

/** Throws POLICY_CHANGED when somebody else put a policy in between. */
export function assertPolicyVersion(current: number, expected: number | undefined): void {
  if (expected === undefined || expected === current) return
  throw new ScreeningError('POLICY_CHANGED', `Policy version ${current} is active, expected ${expected}.`, {
    hint: 'Read the policy again and repeat the change on the version that is active now.',
  })
}

/** A policy that was to follow another one than is in force: what `assertPolicyVersion` says, once the number is no help. */
export function policyReplaced(current: number): ScreeningError {
  return new ScreeningError('POLICY_CHANGED', `Policy version ${current} is active, another one was expected.`, {
    hint: 'Read the policy again and repeat the change on the version that is active now.',
  })
}

export function changesTrimmed(after: number, oldest: number): ScreeningError {
  return new ScreeningError(
    'CHANGES_TRIMMED',
    `Changes after ${after} were asked for, the oldest one kept is ${oldest}.`,
    { hint: 'Read the whole state anew and follow from its last sequence.', oldest },
  )
}
