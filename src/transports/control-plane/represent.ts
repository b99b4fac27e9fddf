import { Type } from 'typebox'
import { INGRESS_KINDS } from '../../domain/call-event.ts'
import { formatE164 } from '../../domain/format-phone-number.ts'
import { LIST_KINDS } from '../../domain/number-list.ts'
import type { PhoneNumber } from '../../domain/phone-number.ts'
import {
  CALL_MATCHES,
  CHANNELS,
  NETWORK_CHANNEL,
  NOT_COUNTED,
  NUMBER_STANDINGS,
  OPINIONS,
  SCENARIOS,
} from '../../domain/report.ts'
import type { ReputationDescription } from '../../domain/reputation.ts'
import { REVIEW_CAUSES, REVIEW_OUTCOMES, type Review } from '../../domain/review.ts'
import { VERDICTS } from '../../domain/verdict.ts'
import type { ExportedEntry } from '../../services/export-list.ts'
import { formatTime } from '../../services/parse-time.ts'
import { Moment, oneOf } from './schemas.ts'

/** How domain values look on the wire: numbers as +E.164, moments as RFC 3339. Schema and function side by side. */

export const ListKindField = oneOf(LIST_KINDS)
export const ChannelField = oneOf(CHANNELS)
export const KeptChannelField = oneOf([...CHANNELS, NETWORK_CHANNEL], {
  description: 'network: long answered calls, noted by the service itself.',
})
export const OpinionField = oneOf(OPINIONS, {
  description: 'not-spam: the number is all right; a bounded counter-evidence that lifts no list. Left out: harm.',
})
export const CallMatchField = oneOf(CALL_MATCHES, {
  description: 'Whether the network saw the number call the reporter in the last days.',
})
export const NotCountedField = oneOf(NOT_COUNTED, {
  description:
    'Why it is recorded with weight 0: the call was long ago, the reporter is beyond the limit of numbers in a day, has said ' +
    'so before, or the number has had all the good evidence that counts in a day.',
})
const StandingField = oneOf(NUMBER_STANDINGS, {
  description:
    'What its own calls say: established and high-volume numbers are reviewed rather than blocked by reports.',
})
export const ScenarioField = oneOf(SCENARIOS)
export const VerdictField = oneOf(VERDICTS)
export const IngressField = oneOf(INGRESS_KINDS)

export const Reputation = Type.Object({
  reports: Type.Integer(),
  reporters: Type.Integer({ description: 'Distinct credible reporters within the window of the policy.' }),
  firstReportAt: Moment,
  lastReportAt: Moment,
  harm: Type.Number({ description: 'Decayed evidence of harm, in whole reports.' }),
  good: Type.Number(),
  lowerBound: Type.Number({ minimum: 0, maximum: 1, description: 'Lower 95 % bound on the share of harm.' }),
  score: Type.Integer({ minimum: 0, maximum: 100 }),
  standing: StandingField,
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
  evidence: Type.Optional(
    Type.Object(
      {
        reporters: Type.Integer({ description: 'Distinct credible reporters in the window.' }),
        corroborated: Type.Integer({ description: 'Of them, those whom the network saw being called by the number.' }),
        standing: StandingField,
        scenario: Type.Optional(ScenarioField),
      },
      { description: 'What was known when it was opened, or last got another cause.' },
    ),
  ),
  outcome: Type.Optional(oneOf(REVIEW_OUTCOMES)),
  closedAt: Type.Optional(Moment),
  closedBy: Type.Optional(Type.String()),
  note: Type.Optional(Type.String()),
})

export function representReview({ number, openedMs, closedMs, judgesAfterMs: _, ...rest }: Review) {
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
