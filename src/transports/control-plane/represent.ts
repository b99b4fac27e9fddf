import { Type } from 'typebox'
import { INGRESS_KINDS } from '../../domain/call-event.ts'
import { formatE164 } from '../../domain/format-phone-number.ts'
import { LIST_KINDS } from '../../domain/number-list.ts'
import type { PhoneNumber } from '../../domain/phone-number.ts'
import { CHANNELS, SCENARIOS } from '../../domain/report.ts'
import type { ReputationDescription } from '../../domain/reputation.ts'
import { REVIEW_CAUSES, REVIEW_OUTCOMES, type Review } from '../../domain/review.ts'
import { VERDICTS } from '../../domain/verdict.ts'
import type { ExportedEntry } from '../../services/export-list.ts'
import { formatTime } from '../../services/parse-time.ts'
import { Moment, oneOf } from './schemas.ts'

/** How domain values look on the wire: numbers as +E.164, moments as RFC 3339. Schema and function side by side. */

export const Reputation = Type.Object({
  reports: Type.Integer(),
  reporters: Type.Integer({ description: 'Distinct credible reporters within the window of the policy.' }),
  firstReportAt: Moment,
  lastReportAt: Moment,
  harm: Type.Number({ description: 'Decayed evidence of harm, in whole reports.' }),
  good: Type.Number(),
  lowerBound: Type.Number({ minimum: 0, maximum: 1, description: 'Lower 95 % bound on the share of harm.' }),
  score: Type.Integer({ minimum: 0, maximum: 100 }),
  byIngress: Type.Record(
    Type.String(),
    Type.Object({ reporters: Type.Integer(), harm: Type.Number(), good: Type.Number(), lowerBound: Type.Number() }),
  ),
})

export function representReputation<Description extends ReputationDescription>({
  firstReportMs,
  lastReportMs,
  ...rest
}: Description) {
  return { ...rest, firstReportAt: formatTime(firstReportMs), lastReportAt: formatTime(lastReportMs) }
}

export const EntryRow = Type.Object({
  number: Type.String({ description: 'A number, prefix*, or from-to.' }),
  reason: Type.Optional(Type.String()),
  expires: Type.Optional(Moment),
  source: Type.Optional(Type.String()),
})

export function representEntry(entry: ExportedEntry) {
  return { number: representNumbers(entry), ...representDetails(entry.details) }
}

/** A number, `prefix*` or `from-to`: what an upload reads back as the same entry. */
export function representNumbers({ from, to, prefix }: ExportedEntry): string {
  return prefix === undefined ? representRange(from, to) : `+${prefix}*`
}

/** A number, or `from-to`: what an upload reads back as the same entry. */
export function representRange(from: number, to: number): string {
  const start = formatE164(from as PhoneNumber)
  return from === to ? start : `${start}-${formatE164(to as PhoneNumber)}`
}

export function representDetails({ reason, source, expiresMs }: ExportedEntry['details']) {
  return {
    ...(reason === undefined ? {} : { reason }),
    ...(expiresMs === undefined ? {} : { expires: formatTime(expiresMs) }),
    ...(source === undefined ? {} : { source }),
  }
}

export const ReviewAnswer = Type.Object({
  reviewId: Type.String(),
  number: Type.String(),
  causes: Type.Array(oneOf(REVIEW_CAUSES)),
  state: oneOf(['open', 'closed']),
  openedAt: Moment,
  score: Type.Integer({ minimum: 0, maximum: 100 }),
  outcome: Type.Optional(oneOf(REVIEW_OUTCOMES)),
  closedAt: Type.Optional(Moment),
  closedBy: Type.Optional(Type.String()),
  note: Type.Optional(Type.String()),
})

export function representReview({ number, openedMs, closedMs, ...rest }: Review) {
  return {
    ...rest,
    number: formatE164(number),
    openedAt: formatTime(openedMs),
    ...(closedMs === undefined ? {} : { closedAt: formatTime(closedMs) }),
  }
}

export const DecisionAnswer = Type.Object({
  at: Moment,
  verdictId: Type.String(),
  caller: Type.String({ description: 'The number, or why there is none: withheld, alphanumeric, malformed, …' }),
  calleePseudonym: Type.String({ description: 'Changes every day.' }),
  trunk: Type.String(),
  ingress: oneOf(INGRESS_KINDS),
  attestation: Type.String(),
  decision: oneOf(VERDICTS),
  score: Type.Integer(),
  reasons: Type.Array(Type.Object({ code: Type.String(), points: Type.Number(), list: Type.Optional(Type.String()) })),
  signals: Type.Record(Type.String(), Type.Number(), { description: 'Strength 0..1 of every signal that was seen.' }),
  policyVersion: Type.Integer(),
  flags: Type.Array(Type.String()),
})

export const ListKindField = oneOf(LIST_KINDS)
export const ChannelField = oneOf(CHANNELS)
export const ScenarioField = oneOf(SCENARIOS)
export const VerdictField = oneOf(VERDICTS)
export const IngressField = oneOf(INGRESS_KINDS)
