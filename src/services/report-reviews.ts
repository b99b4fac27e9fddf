/** Which reports are looked at by a person, and what he is shown with them. */
import type { ErrorCode } from '../domain/errors.ts'
import { ScreeningError } from '../domain/errors.ts'
import type { ListKind } from '../domain/number-list.ts'
import type { PolicyDocument } from '../domain/policy.ts'
import { NUMBER_STANDINGS, type Report, SCENARIOS } from '../domain/report.ts'
import {
  burstIsSuspicious,
  countCorroborated,
  DOUBT_DEFAULTS,
  type DoubtRules,
  dominantScenario,
  reportsAreContested,
} from '../domain/report-doubts.ts'
import { countReporters, harmLowerBound } from '../domain/reputation.ts'
import { REPORTERS_KEPT, standingOf } from '../domain/reputation-record.ts'
import type { ReviewCause, ReviewEvidence } from '../domain/review.ts'
import type { RecordStore } from '../stores/ports.ts'
import type { ListMembership } from './list-membership.ts'

export type ReportReviewsDependencies = {
  readonly store: Pick<RecordStore, 'reputationOf' | 'openReview' | 'reviewOf' | 'policy'>
  readonly membership: ListMembership
}

export type ReportReviews = {
  /** Resolves with the review a recorded report waits for: undefined when none is needed, or none can be opened now. */
  queue(report: Report): Promise<string | undefined>
}

/** The review queue is full, or Redis, which keeps the reviews, is away or not followed; the number's next report opens one. */
const WITHOUT_REVIEW: ReadonlySet<ErrorCode> = new Set([
  'QUEUE_FULL',
  'UNAVAILABLE',
  'CONTENTS_MISSING',
  'RECORD_LOST',
  'RECORD_DIVERGED',
  'RECORD_DAMAGED',
])

/** A report on one of these lists goes to a person instead of working by itself. */
const QUEUED_KINDS: readonly ListKind[] = ['allow', 'protected']

const NO_POLICY = { windowDays: 10, weightMin: 0, flagReporters: 3, blockReporters: 5 }

type ReportRules = DoubtRules & { readonly flagReporters: number }

function rulesOf(policy: PolicyDocument['reports'] | undefined): ReportRules {
  return { ...(policy ?? NO_POLICY), ...DOUBT_DEFAULTS }
}

export function createReportReviews({ store, membership }: ReportReviewsDependencies): ReportReviews {
  function causesOf(report: Report, record: DataView | undefined, rules: ReportRules): ReviewCause[] {
    if (report.opinion === 'not-spam') return []
    const causes: ReviewCause[] = []
    const listed = membership.of(report.number, report.receivedMs, QUEUED_KINDS)
    if (listed.some((entry) => !entry.isExpired)) causes.push('reported')
    if (record === undefined) return causes
    const { receivedMs: nowMs, ingress } = report
    const { windowDays, weightMin, flagReporters } = rules
    if (countReporters(record, ingress, nowMs, windowDays, weightMin, flagReporters) < flagReporters) return causes
    if (burstIsSuspicious(record, ingress, nowMs, rules)) causes.push('suspicious-burst')
    if (reportsAreContested(record, ingress, nowMs, rules)) causes.push('contested')
    return causes
  }

  async function open(report: Report, cause: ReviewCause, record: DataView | undefined, rules: ReportRules) {
    const score = record === undefined ? 0 : Math.round(100 * harmLowerBound(record, 0, report.receivedMs))
    const request = { number: report.number, cause, score, atMs: report.receivedMs }
    const evidence = record && evidenceOf(record, report.receivedMs, rules)
    return store.openReview({ ...request, ...(evidence === undefined ? {} : { evidence }) }, 'system')
  }

  return {
    async queue(report) {
      const record = store.reputationOf(report.number)
      const rules = rulesOf(store.policy()?.document.reports)
      let reviewId: string | undefined
      for (const cause of causesOf(report, record, rules)) {
        const known = store.reviewOf(report.number)
        if (known?.state === 'open' && known.causes.includes(cause)) {
          reviewId = known.reviewId
          continue
        }
        try {
          reviewId = (await open(report, cause, record, rules)).review.reviewId
        } catch (error) {
          // The report is recorded or queued already: it stands without a review rather than being refused, and sent again.
          if (!(error instanceof ScreeningError) || !WITHOUT_REVIEW.has(error.code)) throw error
        }
      }
      return reviewId
    },
  }
}

/** Of reports of all ingress kinds: an analyst looks at the number as a whole. */
function evidenceOf(record: DataView, nowMs: number, rules: ReportRules): ReviewEvidence {
  const { windowDays, weightMin } = rules
  const scenario = SCENARIOS[dominantScenario(record, 0, nowMs, windowDays, weightMin)]
  return {
    reporters: countReporters(record, 0, nowMs, windowDays, weightMin, REPORTERS_KEPT),
    corroborated: countCorroborated(record, 0, nowMs, rules),
    standing: NUMBER_STANDINGS[standingOf(record, nowMs)] ?? 'unknown',
    ...(scenario === undefined ? {} : { scenario }),
  }
}
