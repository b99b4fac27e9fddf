import type { DecisionEntry } from '../domain/decision-record.ts'
import type { PhoneNumber } from '../domain/phone-number.ts'
import type { Verdict } from '../domain/verdict.ts'
import { type DescribedDecision, describeDecision, type ListNames } from './describe-decision.ts'

/** What to look for in the decision log; all that is given must match. */
export type DecisionQuery = {
  readonly caller?: PhoneNumber
  /** 32 hexadecimal digits, as in the answer. */
  readonly verdictId?: string
  readonly verdict?: Verdict
  /** Epoch milliseconds, inclusive. */
  readonly sinceMs: number
  readonly untilMs: number
}

/** The decision log as the use cases read it: newest first. stores/decision-log implements it over segment files. */
export type DecisionLogReader = { iterate(query: DecisionQuery): AsyncIterable<DecisionEntry> }

export type DecisionSearch = {
  search(query: DecisionQuery & { readonly limit: number }): Promise<DescribedDecision[]>
}

/** One page of answers. */
const DECISIONS_FOUND_MAX = 1_000

export function createDecisionSearch(deps: {
  readonly log: DecisionLogReader
  readonly listName: ListNames
}): DecisionSearch {
  return {
    async search({ limit, ...query }) {
      const found: DescribedDecision[] = []
      for await (const entry of deps.log.iterate(query)) {
        found.push(describeDecision(entry, deps.listName))
        if (found.length >= Math.min(limit, DECISIONS_FOUND_MAX)) break
      }
      return found
    },
  }
}
