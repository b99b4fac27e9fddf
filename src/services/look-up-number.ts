import { INGRESS_KINDS } from '../domain/call-event.ts'
import { ScreeningError } from '../domain/errors.ts'
import { isPhoneNumber, type ParsedNumber, type PhoneNumber } from '../domain/phone-number.ts'
import type { Report } from '../domain/report.ts'
import { describeReputation, type ReputationDescription } from '../domain/reputation.ts'
import type { Review } from '../domain/review.ts'
import type { NumberBehaviour } from '../engine/number-behaviour.ts'
import type { RecordStore } from '../stores/ports.ts'
import type { DescribedDecision } from './describe-decision.ts'
import type { ListMembership, Membership } from './list-membership.ts'
import type { DecisionSearch } from './search-decisions.ts'

/** Everything known about one number. Reporters stay pseudonyms. */
export type NumberDossier = {
  readonly number: PhoneNumber
  /** Exact entries and ranges of active lists that cover it, expired ones marked. */
  readonly entries: readonly Membership[]
  readonly reputation: ReputationDescription | undefined
  /** Newest first. */
  readonly reports: readonly (Omit<Report, 'ingress'> & { readonly ingress: string })[]
  readonly review: Review | undefined
  /** What it has been doing, and what is reported around it; undefined when no verdict process answers. */
  readonly behaviour: NumberBehaviour | undefined
  /** Newest first. */
  readonly decisions: readonly DescribedDecision[]
}

export type NumberDesk = {
  /** Any way of writing the number. Rejects with NUMBER_INVALID. */
  lookUp(text: string): Promise<NumberDossier>
  /** Throws NUMBER_INVALID. */
  parse(text: string): PhoneNumber
}

export type NumberDeskOptions = {
  readonly reportsMax: number
  readonly decisionsMax: number
  /** How far back decisions are searched: a look-up answers while somebody waits. */
  readonly decisionsMs: number
}

export const NUMBER_DESK_DEFAULTS: NumberDeskOptions = {
  reportsMax: 100,
  decisionsMax: 50,
  decisionsMs: 7 * 24 * 3_600_000,
}

export type NumberDeskDependencies = {
  readonly store: Pick<RecordStore, 'reputationOf' | 'reportsOf' | 'reviewOf' | 'policy'>
  readonly membership: ListMembership
  readonly decisions: DecisionSearch
  readonly behaviourOf: (number: PhoneNumber) => Promise<NumberBehaviour | undefined>
  readonly parse: (text: string) => ParsedNumber
  readonly now: () => number
}

export function createNumberDesk(options: NumberDeskOptions, deps: NumberDeskDependencies): NumberDesk {
  function parse(text: string): PhoneNumber {
    const parsed = deps.parse(text)
    if (isPhoneNumber(parsed)) return parsed
    throw new ScreeningError('NUMBER_INVALID', 'What was asked for is not a telephone number.', {
      hint: 'Write it with + and country code (in a URL the + may be left out or written %2B), or as it is dialled at home.',
    })
  }

  return {
    parse,
    async lookUp(text) {
      const number = parse(text)
      const nowMs = deps.now()
      const record = deps.store.reputationOf(number)
      const rules = deps.store.policy()?.document.reports
      const query = {
        caller: number,
        sinceMs: nowMs - options.decisionsMs,
        untilMs: nowMs,
        limit: options.decisionsMax,
      }
      const [decisions, behaviour] = await Promise.all([deps.decisions.search(query), deps.behaviourOf(number)])
      return {
        number,
        entries: deps.membership.of(number, nowMs),
        reputation:
          record === undefined
            ? undefined
            : describeReputation(record, nowMs, rules?.windowDays ?? 10, rules?.weightMin ?? 0),
        reports: deps.store.reportsOf(number, options.reportsMax).map((report) => ({
          ...report,
          ingress: INGRESS_KINDS[report.ingress] ?? 'unknown',
        })),
        review: deps.store.reviewOf(number),
        behaviour,
        decisions,
      }
    },
  }
}
