import type { Report } from '../domain/report.ts'
import { NETWORK_CHANNEL } from '../domain/report.ts'
import type { ReviewJudgement } from '../domain/reporter.ts'
import type { Review, ReviewOutcome } from '../domain/review.ts'

/** The newest of a number's reports that its review decides about; 32 hexadecimal digits each, 10 kB in a fact. */
export const JUDGED_REPORTS_MAX = 256
/** What is older may have been about somebody else: numbers change hands. */
const JUDGED_DAYS = 90
const DAY_MS = 86_400_000

/**
 * Who was right and who was wrong about a number that a review has decided, by each one's newest report; undefined when it
 * decided nothing. `reports` are the number's, newest first. Reports that an earlier review decided, and such as never
 * counted, are left out. The node that closes the review settles this and puts it into the fact: nodes that apply it at other
 * moments know other reports.
 */
export function judgeReporters(
  review: Pick<Review, 'judgesAfterMs'>,
  { outcome, atMs }: { readonly outcome: ReviewOutcome; readonly atMs: number },
  reports: readonly Report[],
): ReviewJudgement | undefined {
  if (outcome === 'dismissed') return undefined
  const afterMs = Math.max(review.judgesAfterMs ?? 0, atMs - JUDGED_DAYS * DAY_MS)
  const isRight = new Map<string, boolean>()
  for (const { reporter, channel, opinion = 'harm', receivedMs, weight } of reports) {
    if (receivedMs <= afterMs || channel === NETWORK_CHANNEL || weight === 0 || isRight.has(reporter)) continue
    isRight.set(reporter, (opinion === 'harm') === (outcome === 'confirmed'))
  }
  const reporters = [...isRight]
  return {
    confirmed: reporters.flatMap(([reporter, right]) => (right ? [reporter] : [])),
    refuted: reporters.flatMap(([reporter, right]) => (right ? [] : [reporter])),
  }
}
