import type { DecisionEntry } from '../domain/decision-record.ts'
import type { Verdict } from '../domain/verdict.ts'
import { formatTime } from './parse-time.ts'

/** A logged decision for people and APIs. */
export type DescribedDecision = {
  readonly at: string
  readonly verdictId: string
  /** The number, or what stood in its place: withheld, alphanumeric, … */
  readonly caller: string
  /** Changes every day: tells repeated calls to one callee, not who it is. */
  readonly calleePseudonym: string
  readonly trunk: string
  readonly ingress: string
  readonly attestation: string
  readonly decision: Verdict
  readonly score: number
  readonly reasons: readonly { readonly code: string; readonly points: number; readonly list?: string }[]
  /** Strength 0..1 of every signal that was seen. */
  readonly signals: Readonly<Record<string, number>>
  readonly policyVersion: number
  readonly flags: readonly string[]
}

/** List ids are what the log keeps; names are what people read. '' for a list that is gone. */
export type ListNames = (listId: number) => string

export function describeDecision(entry: DecisionEntry, listName: ListNames): DescribedDecision {
  const signals = Object.entries(entry.strengths).map(([name, strength]) => [
    name,
    Math.round(strength * 1_000) / 1_000,
  ])
  return {
    at: formatTime(entry.timeMs),
    verdictId: entry.verdictId,
    caller: entry.caller,
    calleePseudonym: entry.calleePseudonym,
    trunk: entry.trunk,
    ingress: entry.ingress,
    attestation: entry.attestation,
    decision: entry.verdict,
    score: entry.score,
    reasons: entry.reasons.map(({ code, points, listId }) => {
      return listId === 0 ? { code, points } : { code, points, list: listName(listId) }
    }),
    signals: Object.fromEntries(signals),
    policyVersion: entry.policyVersion,
    flags: entry.flags,
  }
}
