import type { Fact, FactKind, FactResults } from '../fact.ts'
import { putDeskRows } from './desk-rows.ts'
import type { Environment } from './environment.ts'
import { activateVersion, putList, putNumberingPlan, stageVersion } from './lists.ts'
import { putPolicy } from './policies.ts'
import { appendReport } from './reports.ts'
import { closeReview, openReview } from './reviews.ts'
import type { WriteSet } from './write-set.ts'

/**
 * What a fact does to the record, on a node alone and on one of many. Throws the error that refuses it; then it has done
 * nothing, here and on every other node.
 */
export function applyFact(environment: Environment, writes: WriteSet, fact: Fact): FactResults[FactKind] {
  switch (fact.kind) {
    case 'report':
      return appendReport(environment, writes, fact)
    case 'list-put':
      return putList(environment, writes, fact)
    case 'list-stage':
      return stageVersion(environment, writes, fact)
    case 'list-activate':
      return activateVersion(environment, writes, fact)
    case 'numbering-put':
      return putNumberingPlan(environment, writes, fact)
    case 'policy-put':
      return putPolicy(environment, writes, fact)
    case 'review-open':
      return openReview(environment, writes, fact)
    case 'review-close':
      return closeReview(environment, writes, fact)
    case 'audit':
      writes.audit(fact.actor, fact.action, fact.subject, fact.detail)
      return undefined
    case 'desk-rows':
      return putDeskRows(environment, writes, fact)
  }
}
