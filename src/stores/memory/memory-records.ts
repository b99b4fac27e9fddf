import { foldReport, SAME_REPORTER_MS } from '../../domain/fold-report.ts'
import type { PolicyVersion } from '../../domain/policy.ts'
import type { Report } from '../../domain/report.ts'
import type { Review } from '../../domain/review.ts'
import { JUDGED_REPORTS_MAX, judgeReporters } from '../judge-reporters.ts'
import {
  type AppendReportResult,
  POLICY_VERSIONS_KEPT,
  REVIEWS_CLOSED_KEPT,
  REVIEWS_OPEN_MAX,
  type RecordStore,
} from '../ports.ts'
import {
  assertPolicyVersion,
  assertSameReport,
  closedReview,
  joinReview,
  newReview,
  tooManyReviews,
} from '../record-rules.ts'
import type { MemoryLog } from './memory-log.ts'
import type { MemoryReporters } from './memory-reporters.ts'

type Reports = Pick<RecordStore, 'appendReport' | 'report' | 'reportsOf' | 'reputationOf' | 'readReputationNumbers'>

export function memoryReports(log: MemoryLog, reporters: Pick<MemoryReporters, 'note'>): Reports {
  const results = new Map<string, AppendReportResult>()
  const byNumber = new Map<number, Report[]>()
  const countedMs = new Map<string, number>()
  const reputations = new Map<number, DataView>()
  return {
    async appendReport(report, actor) {
      const known = results.get(report.reportId)
      if (known !== undefined) {
        assertSameReport(known.report, report)
        return { ...known, outcome: 'repeated' }
      }
      const mark = `${report.number} ${report.reporter}`
      const counted = countedMs.get(mark)
      const hasCounted = counted !== undefined && Math.abs(report.receivedMs - counted) < SAME_REPORTER_MS
      const outcome = hasCounted ? 'same-reporter' : 'recorded'
      if (!hasCounted) {
        countedMs.set(mark, report.receivedMs)
        reputations.set(report.number, foldReport(reputations.get(report.number), report))
      }
      reporters.note(report)
      byNumber.set(report.number, [report, ...(byNumber.get(report.number) ?? [])])
      const result = { outcome, sequence: log.change({ kind: 'report', number: report.number }), report } as const
      results.set(report.reportId, result)
      log.audit(actor, 'report.append', report.reportId, { outcome })
      return result
    },
    report: (reportId) => results.get(reportId)?.report,
    reportsOf: (number, limit) => (byNumber.get(number) ?? []).slice(0, limit),
    reputationOf(number) {
      const stored = reputations.get(number)
      return stored && new DataView(stored.buffer.slice(stored.byteOffset, stored.byteOffset + stored.byteLength))
    },
    readReputationNumbers(after, into) {
      const numbers = [...reputations.keys()].filter((number) => number > after).sort((a, b) => a - b)
      into.set(numbers.slice(0, into.length))
      return Math.min(numbers.length, into.length)
    },
  }
}

export function memoryPolicies(log: MemoryLog): Pick<RecordStore, 'putPolicy' | 'policy' | 'policyVersions'> {
  const policies: PolicyVersion[] = []
  return {
    async putPolicy(wanted, options, actor) {
      const current = policies[0]?.version ?? 0
      assertPolicyVersion(current, options.expectedVersion)
      const policy = { version: current + 1, ...wanted, activatedMs: log.now(), actor }
      policies.unshift(policy)
      policies.splice(POLICY_VERSIONS_KEPT)
      const sequence = log.change({ kind: 'policy', version: policy.version })
      log.audit(actor, 'policy.put', wanted.document.name, { version: policy.version })
      return { policy, sequence }
    },
    policy: () => policies[0],
    policyVersions: (limit) => policies.slice(0, limit),
  }
}

type Reviews = Pick<RecordStore, 'openReview' | 'closeReview' | 'review' | 'reviewOf' | 'reviews'>

export function memoryReviews(
  log: MemoryLog,
  { reportsOf }: Pick<Reports, 'reportsOf'>,
  reporters: Pick<MemoryReporters, 'judge'>,
): Reviews {
  const reviews = new Map<string, Review>()
  const newest = new Map<number, string>()
  let lastId = 0
  const inState = (state: Review['state']) => [...reviews.values()].filter((review) => review.state === state)
  const put = (review: Review) => {
    reviews.set(review.reviewId, review)
    log.change({ kind: 'review', reviewId: review.reviewId })
  }
  return {
    async openReview(request, actor) {
      const known = reviews.get(newest.get(request.number) ?? '')
      if (known?.state === 'open') {
        const joined = joinReview(known, request)
        if (joined === known) return { review: known, opened: false }
        put(joined)
        log.audit(actor, 'review.join', joined.reviewId, { cause: request.cause, score: joined.score })
        return { review: joined, opened: false }
      }
      if (inState('open').length >= REVIEWS_OPEN_MAX) throw tooManyReviews()
      const review = newReview(`r${String(++lastId).padStart(9, '0')}`, request, known)
      put(review)
      newest.set(review.number, review.reviewId)
      log.audit(actor, 'review.open', review.reviewId, { cause: request.cause, score: review.score })
      return { review, opened: true }
    },
    async closeReview(reviewId, result, actor) {
      const known = reviews.get(reviewId)
      const closed = closedReview(known, reviewId, result, actor)
      put(closed)
      const judgement = known && judgeReporters(known, result, reportsOf(known.number, JUDGED_REPORTS_MAX))
      if (judgement !== undefined) reporters.judge(judgement, result.atMs)
      const oldest = inState('closed').sort(newestClosedFirst)[REVIEWS_CLOSED_KEPT]
      if (oldest !== undefined) reviews.delete(oldest.reviewId)
      log.audit(actor, 'review.close', reviewId, { outcome: result.outcome })
      return closed
    },
    review: (reviewId) => reviews.get(reviewId),
    reviewOf: (number) => reviews.get(newest.get(number) ?? ''),
    reviews: (state, limit) =>
      inState(state)
        .sort(state === 'open' ? highestScoreFirst : newestClosedFirst)
        .slice(0, limit),
  }
}

function highestScoreFirst(a: Review, b: Review): number {
  return b.score - a.score || (a.reviewId < b.reviewId ? -1 : 1)
}

function newestClosedFirst(a: Review, b: Review): number {
  return (b.closedMs ?? 0) - (a.closedMs ?? 0) || (a.reviewId < b.reviewId ? 1 : -1)
}
