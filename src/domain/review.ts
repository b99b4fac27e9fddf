import type { PhoneNumber } from './phone-number.ts'
import type { NumberStanding, Scenario } from './report.ts'

/**
 * `suspicious-burst`: so many new reporters at once that they look arranged; `contested`: its own calls speak against the
 * reports. Append only.
 */
export const REVIEW_CAUSES = [
  'protected-suspicious',
  'reported',
  'watched',
  'appeal',
  'suspicious-burst',
  'contested',
] as const
export type ReviewCause = (typeof REVIEW_CAUSES)[number]

/** What an analyst may conclude. `confirmed` puts the number on the deny list `analyst-confirmed`. */
export const REVIEW_OUTCOMES = ['confirmed', 'innocent', 'dismissed'] as const
export type ReviewOutcome = (typeof REVIEW_OUTCOMES)[number]

/** What was known when the review was opened, or last got another cause. */
export type ReviewEvidence = {
  /** Distinct credible reporters in the window of the policy, a household or clique as one; of them: */
  readonly reporters: number
  /** ... known to have been called by the number, */
  readonly corroborated: number
  readonly standing: NumberStanding
  /** What most of them say. */
  readonly scenario?: Scenario
}

/** A number somebody should look at. One open review per number; a new cause joins the open one. */
export type Review = {
  readonly reviewId: string
  readonly number: PhoneNumber
  readonly causes: readonly ReviewCause[]
  readonly state: 'open' | 'closed'
  readonly openedMs: number
  /** Highest score seen while it was open. */
  readonly score: number
  readonly evidence?: ReviewEvidence
  /** An earlier review of the number has decided about reports up to here. */
  readonly judgesAfterMs?: number
  readonly outcome?: ReviewOutcome
  readonly closedMs?: number
  readonly closedBy?: string
  readonly note?: string
}
