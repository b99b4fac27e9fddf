/**
 * A fact is one write to the record, as data: what an actor asked for and when. Applied to a store in the same order, the
 * same facts give the same content, refusals included, so the order of facts is all that nodes have to agree on:
 *
 * - Alone (no Redis), a node applies its own facts as they come.
 * - With Redis, facts are appended to streams there (stores/redis/), and every node applies what it reads from them.
 *
 * So a fact holds everything its outcome depends on: the time, ids and layer references are in it, never taken from the
 * node that applies it.
 *
 * The order gives out numbers: of versions, of reviews. A fact that Redis lost is offered again, and something else may
 * have the number by then. So a fact names what it means by what never changes (a `mark`, record-marks.ts) and is refused
 * when that is not there.
 */

import type { ListKind } from '../domain/number-list.ts'
import type { PhoneNumber } from '../domain/phone-number.ts'
import type { PolicyDocument, PolicyVersion } from '../domain/policy.ts'
import type { Report } from '../domain/report.ts'
import type { ReviewJudgement } from '../domain/reporter.ts'
import type { Review } from '../domain/review.ts'
import type {
  Actor,
  AppendReportResult,
  AuditEntry,
  ListRecord,
  ListVersion,
  NewListVersion,
  NumberingPlan,
} from './ports.ts'
import type { ReviewRequest, ReviewResult } from './record-rules.ts'

export type FactBody =
  | { readonly kind: 'report'; readonly report: Report }
  | { readonly kind: 'list-put'; readonly name: string; readonly listKind: ListKind; readonly title: string }
  | {
      readonly kind: 'list-stage'
      readonly name: string
      /** Of the list that is meant. */
      readonly listKind: ListKind
      readonly version: NewListVersion
    }
  | {
      readonly kind: 'list-activate'
      readonly name: string
      /** The number it had where it was asked for. */
      readonly version: number
      readonly mark: string
      /** Mark of the version it is to follow. */
      readonly expectedMark?: string
    }
  | { readonly kind: 'numbering-put'; readonly plan: Omit<NumberingPlan, 'version'> }
  | {
      readonly kind: 'policy-put'
      readonly text: string
      readonly document: PolicyDocument
      /** Mark of the policy it is to follow. */
      readonly expectedMark?: string
    }
  | { readonly kind: 'review-open'; readonly review: ReviewRequest }
  | {
      readonly kind: 'review-close'
      /** The id it had where it was asked for. */
      readonly reviewId: string
      readonly number: PhoneNumber
      readonly openedMs: number
      readonly result: ReviewResult
      /** Settled where it was asked for; missing in facts of format 1 and when nothing was decided. */
      readonly judgement?: ReviewJudgement
    }
  | {
      readonly kind: 'audit'
      readonly action: string
      readonly subject: string
      readonly detail?: AuditEntry['detail']
    }
  | {
      /**
       * Rows of everything but reports, as live.mdb of this format has them (base64): a record that begins with what a node
       * had. The first of them replaces what was there, the others add to it.
       */
      readonly kind: 'desk-rows'
      readonly format: number
      readonly isFirst: boolean
      readonly rows: readonly (readonly [key: string, value: string])[]
    }
export type FactKind = FactBody['kind']

/** What applying a fact of each kind gives its author. */
export type FactResults = {
  report: AppendReportResult
  'list-put': { list: ListRecord; created: boolean }
  'list-stage': ListVersion
  'list-activate': { list: ListRecord; sequence: number }
  'numbering-put': { plan: NumberingPlan; sequence: number }
  'policy-put': { policy: PolicyVersion; sequence: number }
  'review-open': { review: Review; opened: boolean }
  'review-close': Review
  audit: undefined
  'desk-rows': undefined
}

/** `atMs`: when the fact was accepted, epoch milliseconds. */
export type Fact = FactBody & { readonly actor: Actor; readonly atMs: number }
export type FactOf<K extends FactKind> = Extract<Fact, { kind: K }>

/** Reports are spread over this many partitions by their number; a number's facts are in one order. */
export const REPORT_PARTITIONS = 64
/** All other facts are in one order of their own: few, and many rules of theirs look at more than one list or review. */
export const DESK_PARTITION = REPORT_PARTITIONS
export const PARTITIONS = REPORT_PARTITIONS + 1

export function partitionOf(fact: FactBody): number {
  return fact.kind === 'report' ? partitionOfNumber(fact.report.number) : DESK_PARTITION
}

/** Numbers come in runs that differ in their last digits: multiplied and folded, runs spread evenly. Fixed for ever. */
export function partitionOfNumber(number: PhoneNumber): number {
  const low = Math.imul((number % 4_294_967_296) | 0, 0x9e3779b1)
  const high = Math.imul(Math.floor(number / 4_294_967_296), 0x85ebca6b)
  return (low ^ high) >>> 26
}
