import type { FactBody, FactKind, FactResults } from './fact.ts'
import { JUDGED_REPORTS_MAX, judgeReporters } from './judge-reporters.ts'
import { assertActive, listUnknown, versionUnknown } from './list-rules.ts'
import type { Actor, ListRecord, RecordStore } from './ports.ts'
import { policyMark, versionMark } from './record-marks.ts'
import { assertPolicyVersion, reviewUnknown } from './record-rules.ts'

/** Makes a fact part of the record and resolves with what it did, or rejects with why it was refused. */
export type WriteFact = <K extends FactKind>(
  fact: Extract<FactBody, { kind: K }>,
  actor: Actor,
) => Promise<FactResults[K]>

export type FactWrites = Pick<
  RecordStore,
  | 'appendReport'
  | 'putList'
  | 'stageVersion'
  | 'activateVersion'
  | 'putNumberingPlan'
  | 'putPolicy'
  | 'openReview'
  | 'closeReview'
  | 'appendAudit'
>

type TargetReads = Pick<RecordStore, 'list' | 'versions' | 'policy' | 'review' | 'reportsOf'>

/**
 * The writes of a record store as facts. What an author calls by its number is looked up in `reads`, what this node has
 * when it is asked: unknown there is refused at once.
 */
export function factWrites(write: WriteFact, reads: TargetReads): FactWrites {
  return {
    appendReport: (report, actor) => write({ kind: 'report', report }, actor),
    putList: ({ name, kind, title }, actor) => write({ kind: 'list-put', name, listKind: kind, title }, actor),
    async stageVersion(name, version, actor) {
      const { kind } = requireList(reads, name)
      return write({ kind: 'list-stage', name, listKind: kind, version }, actor)
    },
    async activateVersion(name, version, { expectedActive }, actor) {
      const list = requireList(reads, name)
      assertActive(list, expectedActive)
      const isActive = version === list.activeVersion
      const meant = isActive ? list.active : reads.versions(name).find((kept) => kept.version === version)
      if (meant === undefined) throw versionUnknown(name, version)
      const expected = expectedActive === undefined ? {} : { expectedMark: versionMark(list.active) }
      return write({ kind: 'list-activate', name, version, mark: versionMark(meant), ...expected }, actor)
    },
    putNumberingPlan: (plan, actor) => write({ kind: 'numbering-put', plan }, actor),
    async putPolicy({ text, document }, { expectedVersion }, actor) {
      const current = reads.policy()
      assertPolicyVersion(current?.version ?? 0, expectedVersion)
      const expected = expectedVersion === undefined ? {} : { expectedMark: policyMark(current) }
      return write({ kind: 'policy-put', text, document, ...expected }, actor)
    },
    openReview: (review, actor) => write({ kind: 'review-open', review }, actor),
    async closeReview(reviewId, result, actor) {
      const meant = reads.review(reviewId)
      if (meant === undefined) throw reviewUnknown(reviewId)
      const { number, openedMs } = meant
      const judgement = judgeReporters(meant, result, reads.reportsOf(number, JUDGED_REPORTS_MAX))
      const judged = judgement === undefined ? {} : { judgement }
      return write({ kind: 'review-close', reviewId, number, openedMs, result, ...judged }, actor)
    },
    appendAudit: (entry, actor) => write({ kind: 'audit', ...entry }, actor),
  }
}

function requireList(reads: TargetReads, name: string): ListRecord {
  const list = reads.list(name)
  if (list === undefined) throw listUnknown(name)
  return list
}
