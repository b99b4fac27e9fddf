import type { FactBody, FactKind, FactResults } from './fact.ts'
import type { Actor, RecordStore } from './ports.ts'

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

/** The writes of a record store as facts. */
export function factWrites(write: WriteFact): FactWrites {
  return {
    appendReport: (report, actor) => write({ kind: 'report', report }, actor),
    putList: ({ name, kind, title }, actor) => write({ kind: 'list-put', name, listKind: kind, title }, actor),
    stageVersion: (name, version, actor) => write({ kind: 'list-stage', name, version }, actor),
    activateVersion: (name, version, options, actor) =>
      write({ kind: 'list-activate', name, version, ...options }, actor),
    putNumberingPlan: (plan, actor) => write({ kind: 'numbering-put', plan }, actor),
    putPolicy: ({ text, document }, options, actor) => write({ kind: 'policy-put', text, document, ...options }, actor),
    openReview: (review, actor) => write({ kind: 'review-open', review }, actor),
    closeReview: (reviewId, result, actor) => write({ kind: 'review-close', reviewId, result }, actor),
    appendAudit: (entry, actor) => write({ kind: 'audit', ...entry }, actor),
  }
}
