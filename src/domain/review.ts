import type { PhoneNumber } from './phone-number.ts'

export const REVIEW_CAUSES = ['protected-suspicious', 'reported', 'watched', 'appeal'] as const
export type ReviewCause = (typeof REVIEW_CAUSES)[number]

/** What an analyst may conclude. `confirmed` puts the number on the deny list `analyst-confirmed`. */
export const REVIEW_OUTCOMES = ['confirmed', 'innocent', 'dismissed'] as const
export type ReviewOutcome = (typeof REVIEW_OUTCOMES)[number]

/** A number somebody should look at. One open review per number; a new cause joins the open one. */
export type Review = {
  readonly reviewId: string
  readonly number: PhoneNumber
  readonly causes: readonly ReviewCause[]
  readonly state: 'open' | 'closed'
  readonly openedMs: number
  /** Highest score seen while it was open. */
  readonly score: number
  readonly outcome?: ReviewOutcome
  readonly closedMs?: number
  readonly closedBy?: string
  readonly note?: string
}
