import { createHash, randomUUID } from 'node:crypto'
import { INGRESS_KINDS, type IngressKind } from '../domain/call-event.ts'
import { type ErrorCode, ScreeningError } from '../domain/errors.ts'
import type { ListKind } from '../domain/number-list.ts'
import { isPhoneNumber, type ParsedNumber, type PhoneNumber } from '../domain/phone-number.ts'
import type { Channel, Report, Scenario } from '../domain/report.ts'
import { describeReputation, type ReputationDescription } from '../domain/reputation.ts'
import type { Actor, RecordStore } from '../stores/ports.ts'
import type { ReportMetrics } from '../telemetry/report-metrics.ts'
import type { ListMembership } from './list-membership.ts'
import { parseTime } from './parse-time.ts'
import type { Pseudonyms } from './pseudonym.ts'

/** A report as a channel sends it, already checked for shape (wire shape). */
type ReportBody = {
  readonly reportId?: string
  readonly number: string
  readonly channel: Channel
  readonly scenario: Scenario
  readonly reporter: string
  readonly at?: string | number
  readonly callId?: string
  readonly note?: string
  readonly ingress?: { readonly kind?: IngressKind }
}

type AcceptedReport = {
  readonly reportId: string
  readonly accepted: true
  /** This reportId was known already, or this reporter reported this number within the last 24 hours. */
  readonly duplicate: boolean
  /** `recorded`: part of the record. `queued`: on this node's disk until Redis, which keeps the record, can be reached. */
  readonly state: 'recorded' | 'queued'
  readonly reputation?: ReputationDescription
  /**
   * The number is protected or allow-listed: a person looks at it, in this review. None when the queue of reviews is full, or
   * when the report is `queued` and the record takes no review either: the next report about the number opens one.
   */
  readonly reviewId?: string
}

export type ReportIntake = {
  /** Rejects with NUMBER_INVALID, BODY_INVALID (`at`), REPORT_CONFLICT, QUEUE_FULL or a storage error. */
  accept(body: ReportBody, actor: Actor, retryKey?: string): Promise<AcceptedReport>
}

export type ReportIntakeOptions = {
  /** 0..1: how much a report of this channel counts. */
  readonly channelWeights: Readonly<Record<Channel, number>>
  /** Reports being written at the same moment; more are refused with QUEUE_FULL, so that no queue grows. */
  readonly inFlightMax: number
}

export type ReportIntakeDependencies = {
  readonly store: Pick<RecordStore, 'appendReport' | 'reputationOf' | 'openReview' | 'reviewOf' | 'policy'>
  readonly pseudonyms: Pick<Pseudonyms, 'reporter'>
  readonly membership: ListMembership
  /** parsePhoneNumber in mode `call` with the rules of the home country. */
  readonly parse: (text: string) => ParsedNumber
  /** Resolves when the verdict processes have applied the change, or after a short bound. */
  readonly notify: (sequence: number) => Promise<void>
  readonly now: () => number
  readonly metrics: Pick<ReportMetrics, 'accepted'>
}

/**
 * A person on the hotline has heard the story; a button in the app and a bot have not; a partner's reporters are strangers
 * to us. Rough guesses until outcomes of reviews are at hand to fit them; all count in the window (policy weightMin 0.2).
 */
export const CHANNEL_WEIGHTS: Readonly<Record<Channel, number>> = {
  hotline: 1,
  chat: 0.9,
  bot: 0.8,
  app: 0.8,
  partner: 0.6,
}

/** 512 reports at a group commit of about 1 ms are more than the 25,000 a month by a factor of millions. */
export const REPORTS_IN_FLIGHT_MAX = 512

/** Clocks of channels differ: a report from at most this far ahead happened now; further ahead it is a mistake. */
const CLOCK_SKEW_MS = 5 * 60_000

/**
 * What happened longer ago than this tells nothing about who calls from the number today (numbers change hands): kept for
 * the record with weight 0. The window itself runs on receivedMs, so without this an old story would count as fresh.
 */
const ANCIENT_MS = 30 * 24 * 3_600_000

/** The review queue is full, or Redis, which keeps the reviews, is away or not followed; the number's next report opens one. */
const WITHOUT_REVIEW: ReadonlySet<ErrorCode> = new Set([
  'QUEUE_FULL',
  'UNAVAILABLE',
  'CONTENTS_MISSING',
  'RECORD_LOST',
  'RECORD_DIVERGED',
  'RECORD_DAMAGED',
])

/** A report on one of these lists goes to a person instead of working by itself. */
const QUEUED_KINDS: readonly ListKind[] = ['allow', 'protected']

export function createReportIntake(options: ReportIntakeOptions, deps: ReportIntakeDependencies): ReportIntake {
  let inFlight = 0

  function toReport(body: ReportBody, actor: Actor, retryKey: string | undefined): Report {
    const number = parseReported(body.number, deps.parse)
    const receivedMs = deps.now()
    const atMs = parseHappened(body.at, receivedMs)
    const isAncient = atMs < receivedMs - ANCIENT_MS
    return {
      reportId: body.reportId ?? reportIdFor(actor, retryKey),
      number,
      channel: body.channel,
      scenario: body.scenario,
      reporter: deps.pseudonyms.reporter(body.reporter),
      ingress: INGRESS_KINDS.indexOf(body.ingress?.kind ?? 'unknown'),
      atMs,
      receivedMs,
      weight: isAncient ? 0 : options.channelWeights[body.channel],
      ...(body.callId === undefined ? {} : { callId: body.callId }),
      ...(body.note === undefined ? {} : { note: body.note }),
    }
  }

  async function queueForReview(report: Report): Promise<string | undefined> {
    const listed = deps.membership.of(report.number, report.receivedMs, QUEUED_KINDS)
    if (!listed.some((entry) => !entry.isExpired)) return undefined
    const open = deps.store.reviewOf(report.number)
    if (open?.state === 'open' && open.causes.includes('reported')) return open.reviewId
    const score = reputationOf(report.number)?.score ?? 0
    const request = { number: report.number, cause: 'reported', score, atMs: report.receivedMs } as const
    try {
      return (await deps.store.openReview(request, 'system')).review.reviewId
    } catch (error) {
      // The report is recorded or queued already: it stands without a review rather than being refused, and sent again.
      if (error instanceof ScreeningError && WITHOUT_REVIEW.has(error.code)) return undefined
      throw error
    }
  }

  function reputationOf(number: PhoneNumber): ReputationDescription | undefined {
    const record = deps.store.reputationOf(number)
    const rules = deps.store.policy()?.document.reports
    if (record === undefined) return undefined
    return describeReputation(record, deps.now(), rules?.windowDays ?? 10, rules?.weightMin ?? 0)
  }

  async function append(body: ReportBody, actor: Actor, retryKey: string | undefined): Promise<AcceptedReport> {
    const report = toReport(body, actor, retryKey)
    const { outcome, sequence, report: kept } = await deps.store.appendReport(report, actor)
    if (outcome === 'repeated' && !isSameReport(kept, report)) {
      throw new ScreeningError('REPORT_CONFLICT', 'Another report with this reportId was accepted before.', {
        hint: 'Send a new reportId, or leave it out to get one.',
      })
    }
    // A queued report changes nothing yet, and Redis, which would keep the review, has just not answered in time.
    const reviewId = outcome === 'queued' ? undefined : await queueForReview(report)
    if (outcome !== 'queued') await deps.notify(sequence)
    deps.metrics.accepted(report.channel, outcome)
    const reputation = reputationOf(report.number)
    return {
      reportId: kept.reportId,
      accepted: true,
      duplicate: outcome !== 'recorded' && outcome !== 'queued',
      state: outcome === 'queued' ? 'queued' : 'recorded',
      ...(reputation === undefined ? {} : { reputation }),
      ...(reviewId === undefined ? {} : { reviewId }),
    }
  }

  return {
    async accept(body, actor, retryKey) {
      if (inFlight >= options.inFlightMax) {
        throw new ScreeningError('QUEUE_FULL', `Report intake is full: ${inFlight} reports are being written.`, {
          hint: 'Send the report again in a second, with the same reportId or Idempotency-Key.',
          retryAfterSeconds: 1,
        })
      }
      inFlight++
      try {
        return await append(body, actor, retryKey)
      } finally {
        inFlight--
      }
    },
  }
}

function parseReported(text: string, parse: (text: string) => ParsedNumber): PhoneNumber {
  const parsed = parse(text)
  if (isPhoneNumber(parsed)) return parsed
  throw new ScreeningError('NUMBER_INVALID', 'The reported number is not a telephone number.', {
    errors: [{ pointer: '/number', detail: 'Expected a number such as +79160000002 or 8 916 000-00-02.' }],
    hint: 'Send the calling number as the phone showed it, with + and country code when it came from abroad.',
  })
}

function parseHappened(at: string | number | undefined, receivedMs: number): number {
  if (at === undefined) return receivedMs
  const atMs = parseTime(at)
  if (atMs === undefined || atMs > receivedMs + CLOCK_SKEW_MS) {
    const detail =
      atMs === undefined
        ? 'Expected RFC 3339 with a zone, such as 2026-03-01T12:00:00Z, or epoch milliseconds.'
        : 'The time lies in the future: reports are about calls that happened.'
    throw new ScreeningError('BODY_INVALID', 'The time of the call is not usable.', {
      errors: [{ pointer: '/at', detail }],
      hint: 'Correct `at`, or leave it out when the call was just now.',
    })
  }
  return Math.min(atMs, receivedMs)
}

/**
 * The same Idempotency-Key of the same actor gives the same report id: a retry after a crash between the commit and the
 * answer is recognised by the store even when the answer was never kept.
 */
function reportIdFor(actor: Actor, retryKey: string | undefined): string {
  if (retryKey === undefined) return randomUUID()
  return `k-${createHash('sha256').update(`${actor}\0${retryKey}`).digest('hex').slice(0, 32)}`
}

function isSameReport(a: Report, b: Report): boolean {
  return a.number === b.number && a.reporter === b.reporter && a.channel === b.channel && a.scenario === b.scenario
}
