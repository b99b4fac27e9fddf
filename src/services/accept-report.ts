import { createHash, randomUUID } from 'node:crypto'
import { INGRESS_KINDS, type IngressKind } from '../domain/call-event.ts'
import { ScreeningError } from '../domain/errors.ts'
import { isPhoneNumber, type ParsedNumber, type PhoneNumber } from '../domain/phone-number.ts'
import type { CallMatch, Channel, NotCounted, NumberStanding, Opinion, Report, Scenario } from '../domain/report.ts'
import { CLIQUE_RULES } from '../domain/reporter.ts'
import { describeReputation, type ReputationDescription } from '../domain/reputation.ts'
import type { Actor, RecordStore } from '../stores/ports.ts'
import type { ReportMetrics } from '../telemetry/report-metrics.ts'
import { createArriving } from './arriving-reports.ts'
import { createKeyedLock } from './keyed-lock.ts'
import type { ListMembership } from './list-membership.ts'
import { parseTime } from './parse-time.ts'
import type { Pseudonyms } from './pseudonym.ts'
import { createReportReviews } from './report-reviews.ts'
import { createReportScales, type WeighingOptions } from './weigh-report.ts'

/** A report as a channel sends it, already checked for shape (wire shape). */
type ReportBody = {
  readonly reportId?: string
  readonly number: string
  readonly channel: Channel
  /** Left out: harm. */
  readonly opinion?: Opinion
  /** What the caller tried; may be left out of `not-spam`. */
  readonly scenario?: Scenario
  readonly reporter: string
  /** An opaque id: reports of one household on one number count as one reporter. */
  readonly household?: string
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
  /** 0..1: how much it counts. */
  readonly weight: number
  readonly callMatch: CallMatch
  /** Why its weight is 0. */
  readonly notCounted?: NotCounted
  readonly reputation?: ReputationDescription
  /**
   * A person looks at the number, in this review: it is protected or allow-listed, its own calls speak against the reports,
   * or they came in a suspicious burst. None when the queue of reviews is full, or when the report is `queued` and the record
   * takes no review either: the next report about the number opens one.
   */
  readonly reviewId?: string
}

export type ReportIntake = {
  /** Rejects with NUMBER_INVALID, BODY_INVALID (`at`, `scenario`), REPORT_CONFLICT, QUEUE_FULL or a storage error. */
  accept(body: ReportBody, actor: Actor, retryKey?: string): Promise<AcceptedReport>
}

export type ReportIntakeOptions = WeighingOptions & {
  /** Reports being written at the same moment; more are refused with QUEUE_FULL, so that no queue grows. */
  readonly inFlightMax: number
}

export type ReportIntakeDependencies = {
  readonly store: Pick<
    RecordStore,
    'appendReport' | 'reputationOf' | 'openReview' | 'reviewOf' | 'policy' | 'reporter' | 'reportsBy' | 'reportsOf'
  >
  readonly pseudonyms: Pick<Pseudonyms, 'reporter' | 'household'>
  readonly membership: ListMembership
  /** parsePhoneNumber in mode `call` with the rules of the home country. */
  readonly parse: (text: string) => ParsedNumber
  /**
   * Whether the reporter got a call from the number before `atMs`. Never rejects: `unknown` when nobody answers within 20 ms,
   * when the calls of that time are not remembered, or the reporter is no telephone number.
   */
  readonly callMatch: (caller: PhoneNumber, reporter: ParsedNumber, atMs: number) => Promise<CallMatch>
  /** What the number's own calls say about it. Never rejects: `unknown` when nobody answers within 20 ms. */
  readonly standingOf: (number: PhoneNumber) => Promise<NumberStanding>
  /** Resolves when the verdict processes have applied the change, or after a short bound. */
  readonly notify: (sequence: number) => Promise<void>
  readonly now: () => number
  readonly metrics: Pick<ReportMetrics, 'accepted'>
}

/** 512 reports at a group commit of about 1 ms are more than the 25,000 a month by a factor of millions. */
const REPORTS_IN_FLIGHT_MAX = 512

export const REPORT_INTAKE_DEFAULTS: ReportIntakeOptions = {
  /**
   * A person on the hotline has heard the story; a button in the app and a bot have not; a partner's reporters are strangers
   * to us. Rough guesses until outcomes of reviews are at hand to fit them; all count in the window (policy weightMin 0.3).
   */
  channelWeights: { hotline: 1, chat: 0.9, bot: 0.8, app: 0.8, partner: 0.6 },
  /** Nobody is called by twenty cheats a day; an agent files with the subscriber's number, not with his own. */
  reporterNumbersPerDay: 20,
  clique: CLIQUE_RULES,
  /** Four who say "not spam" weigh as much as one who was cheated: it is said at no cost. */
  notSpamWeight: 0.25,
  /** Beside the 0.5 a day of the network: a month of both is what ten reporters bring at once. */
  notSpamPerDay: 0.5,
  inFlightMax: REPORTS_IN_FLIGHT_MAX,
}

/** Clocks of channels differ: a report from at most this far ahead happened now; further ahead it is a mistake. */
const CLOCK_SKEW_MS = 5 * 60_000

export function createReportIntake(options: ReportIntakeOptions, deps: ReportIntakeDependencies): ReportIntake {
  const { store, pseudonyms } = deps
  const scales = createReportScales(options, deps)
  const reviews = createReportReviews(deps)
  // One after the other: otherwise a hundred reports that one person sends at once are all within his limit.
  const lock = createKeyedLock()
  const arriving = createArriving()
  let inFlight = 0

  async function toReport(body: ReportBody, actor: Actor, retryKey: string | undefined): Promise<Report> {
    const number = parseReported(body.number, deps.parse)
    const opinion = body.opinion ?? 'harm'
    const scenario = scenarioOf(body)
    const receivedMs = deps.now()
    const atMs = parseHappened(body.at, receivedMs)
    const reporter = pseudonyms.reporter(body.reporter)
    const { channel, callId, note, household } = body
    const [callMatch, standing] = await Promise.all([
      deps.callMatch(number, deps.parse(body.reporter), atMs),
      deps.standingOf(number),
    ])
    const weighed = scales.weigh(
      { number, reporter, channel, opinion, callMatch, atMs, receivedMs },
      arriving.of(number),
    )
    const report: Report = {
      reportId: body.reportId ?? reportIdFor(actor, retryKey),
      number,
      channel,
      scenario,
      reporter,
      ingress: INGRESS_KINDS.indexOf(body.ingress?.kind ?? 'unknown'),
      atMs,
      receivedMs,
      ...weighed,
      callMatch,
      ...(opinion === 'harm' ? {} : { opinion }),
      ...(standing === 'unknown' ? {} : { standing }),
      ...(household === undefined ? {} : { household: pseudonyms.household(household) }),
      ...(callId === undefined ? {} : { callId }),
      ...(note === undefined ? {} : { note }),
    }
    // Before anything else runs: whoever weighs the next report on the number must know of this one.
    arriving.add(report)
    return report
  }

  function reputationOf(number: PhoneNumber): ReputationDescription | undefined {
    const record = store.reputationOf(number)
    const rules = store.policy()?.document.reports
    if (record === undefined) return undefined
    return describeReputation(record, deps.now(), rules?.windowDays ?? 10, rules?.weightMin ?? 0)
  }

  async function append(body: ReportBody, actor: Actor, retryKey: string | undefined) {
    const report = await toReport(body, actor, retryKey)
    const result = await store.appendReport(report, actor).finally(() => arriving.remove(report))
    if (result.outcome === 'repeated' && !isSameReport(result.report, report)) {
      throw new ScreeningError('REPORT_CONFLICT', 'Another report with this reportId was accepted before.', {
        hint: 'Send a new reportId, or leave it out to get one.',
      })
    }
    return result
  }

  async function answer(body: ReportBody, actor: Actor, retryKey: string | undefined): Promise<AcceptedReport> {
    const appended = await lock(pseudonyms.reporter(body.reporter), () => append(body, actor, retryKey))
    const { outcome, sequence, report } = appended
    // A queued report changes nothing yet, and Redis, which would keep the review, has just not answered in time.
    const reviewId = outcome === 'queued' ? undefined : await reviews.queue(report)
    if (outcome !== 'queued') await deps.notify(sequence)
    deps.metrics.accepted(body.channel, outcome)
    const reputation = reputationOf(report.number)
    return {
      reportId: report.reportId,
      accepted: true,
      duplicate: outcome !== 'recorded' && outcome !== 'queued',
      state: outcome === 'queued' ? 'queued' : 'recorded',
      weight: report.weight,
      callMatch: report.callMatch ?? 'unknown',
      ...(report.notCounted === undefined ? {} : { notCounted: report.notCounted }),
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
        return await answer(body, actor, retryKey)
      } finally {
        inFlight--
      }
    },
  }
}

function scenarioOf({ scenario, opinion }: ReportBody): Scenario {
  if (scenario !== undefined) return scenario
  if (opinion === 'not-spam') return 'other'
  throw new ScreeningError('BODY_INVALID', 'The report does not say what the caller tried.', {
    errors: [{ pointer: '/scenario', detail: 'Required in a report of harm.' }],
    hint: 'Send scenario, or opinion not-spam.',
  })
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
  const isOfOneOpinion = (a.opinion ?? 'harm') === (b.opinion ?? 'harm')
  return (
    isOfOneOpinion &&
    a.number === b.number &&
    a.reporter === b.reporter &&
    a.channel === b.channel &&
    a.scenario === b.scenario
  )
}
