/**
 * How much one report counts: channel x credibility of the reporter x call match, within limits. Settled once, by the node
 * that accepts the report, from what this node has; it travels in the report, so that every node folds the same. Two nodes
 * that take reports of one person in the same second may each let one more through than the limit says.
 */
import type { PhoneNumber } from '../domain/phone-number.ts'
import {
  type CallMatch,
  type Channel,
  NETWORK_CHANNEL,
  type NotCounted,
  type Opinion,
  type Report,
} from '../domain/report.ts'
import { alwaysAgree, CLIQUE_NUMBERS, type CliqueRules, credibility, isProven } from '../domain/reporter.ts'
import type { RecordStore } from '../stores/ports.ts'
import type { ArrivingReports } from './arriving-reports.ts'

export type WeighingOptions = {
  /** 0..1: how much a report of this channel counts. */
  readonly channelWeights: Readonly<Record<Channel, number>>
  /** Numbers one reporter may report in 24 hours; what he sends beyond is recorded and does not count. */
  readonly reporterNumbersPerDay: number
  readonly clique: CliqueRules
  /** 0..1: the weight of "not spam" against that of a report, everything else being equal. */
  readonly notSpamWeight: number
  /** In whole reports: what all who say "not spam" add to one number in 24 hours. */
  readonly notSpamPerDay: number
}

export type WeighingDependencies = {
  readonly store: Pick<RecordStore, 'reporter' | 'reportsBy' | 'reportsOf'>
}

export type Unweighed = {
  readonly number: PhoneNumber
  readonly reporter: string
  readonly channel: Channel
  readonly opinion: Opinion
  readonly callMatch: CallMatch
  readonly atMs: number
  readonly receivedMs: number
}

export type Weighed = Pick<Report, 'weight' | 'isProven' | 'clique'> & { readonly notCounted?: NotCounted }

export type ReportScales = {
  /** `arriving`: what of the number is on its way to the record. */
  weigh(report: Unweighed, arriving: ArrivingReports): Weighed
}

/** Whoever was not called by the number can hardly know; something may have been missed all the same. */
const NO_CALL_WEIGHT = 0.2
const DAY_MS = 24 * 3_600_000
/** Calls are remembered for so long (shm/pairs.ts): a report that dates its call before that cannot be held against them. */
const REMEMBERED_MS = 7 * DAY_MS

/**
 * What happened longer ago than this tells nothing about who calls from the number today (numbers change hands): kept for
 * the record with weight 0. The window itself runs on receivedMs, so without this an old story would count as fresh.
 */
const ANCIENT_MS = 30 * DAY_MS
/** A second "not spam" of the same person on the same number says nothing new before the first has lost half its weight. */
const SAME_OPINION_MS = 30 * DAY_MS
/** Reports of one reporter that are looked at; more within a day are beyond any limit. */
const OWN_REPORTS = 128
/** Reports of the number that are looked at: twice as many as a reputation keeps reporters. */
const REPORTS_OF_NUMBER = 64

export function createReportScales(options: WeighingOptions, { store }: WeighingDependencies): ReportScales {
  /** Distinct numbers, the last ones first, without this one. */
  function lastNumbers(reporter: string, without: PhoneNumber): Set<number> {
    const numbers = new Set<number>()
    for (const { number, opinion } of store.reportsBy(reporter, 2 * CLIQUE_NUMBERS)) {
      if (number !== without && opinion === 'harm' && numbers.size < CLIQUE_NUMBERS) numbers.add(number)
    }
    return numbers
  }

  /** The first of those who reported the number and always agree with this reporter. */
  function cliqueOf({ number, reporter }: Unweighed, arriving: ArrivingReports['leaders']): string | undefined {
    const own = lastNumbers(reporter, number)
    if (own.size < options.clique.sharedMin) return undefined
    const leaders = new Map<string, string>()
    for (const report of store.reportsOf(number, REPORTS_OF_NUMBER).toReversed()) {
      if (report.opinion === 'not-spam' || report.channel === NETWORK_CHANNEL || report.reporter === reporter) continue
      if (!leaders.has(report.reporter)) {
        leaders.set(report.reporter, leaderOf(report))
      }
    }
    for (const [other, leader] of arriving) if (other !== reporter && !leaders.has(other)) leaders.set(other, leader)
    for (const [other, leader] of leaders) {
      if (alwaysAgree(own, lastNumbers(other, number), options.clique)) return leader
    }
    return undefined
  }

  function isBeyondLimit({ reporter, number, receivedMs }: Unweighed): boolean {
    const own = store.reportsBy(reporter, OWN_REPORTS)
    const ofToday = own.filter((report) => report.receivedMs > receivedMs - DAY_MS)
    if (ofToday.length === OWN_REPORTS) return true
    const numbers = new Set<number>(ofToday.map((report) => report.number))
    return !numbers.has(number) && numbers.size >= options.reporterNumbersPerDay
  }

  function weighNotSpam(report: Unweighed, weight: number, arrivingWeight: number): Weighed {
    const { number, reporter, receivedMs } = report
    const isRepeated = store
      .reportsBy(reporter, OWN_REPORTS)
      .some(
        (own) => own.number === number && own.opinion === 'not-spam' && own.receivedMs > receivedMs - SAME_OPINION_MS,
      )
    if (isRepeated) return { weight: 0, notCounted: 'opinion-known' }
    const left = options.notSpamPerDay - goodWeightSince(store, number, receivedMs - DAY_MS, false) - arrivingWeight
    const allowed = Math.min(weight * options.notSpamWeight, Math.max(0, left))
    return allowed > 0 ? { weight: allowed } : { weight: 0, notCounted: 'number-daily-limit' }
  }

  return {
    weigh(report, arriving) {
      const { receivedMs, channel, callMatch } = report
      if (report.atMs < receivedMs - ANCIENT_MS) return { weight: 0, notCounted: 'long-ago' }
      if (isBeyondLimit(report)) return { weight: 0, notCounted: 'reporter-daily-limit' }
      const outcomes = store.reporter(report.reporter)?.outcomes
      const isForgotten = callMatch === 'unknown' && report.atMs < receivedMs - REMEMBERED_MS
      const matched = callMatch === 'no' || isForgotten ? NO_CALL_WEIGHT : 1
      const weight = options.channelWeights[channel] * credibility(outcomes, receivedMs) * matched
      if (report.opinion === 'not-spam') return weighNotSpam(report, weight, arriving.goodWeight)
      const clique = cliqueOf(report, arriving.leaders)
      return {
        weight,
        ...(isProven(outcomes, receivedMs) ? { isProven: true } : {}),
        ...(clique === undefined ? {} : { clique }),
      }
    },
  }
}

/** Whom a reporter counts as one with: himself, unless it is a household or a clique. */
export function leaderOf({ clique, household, reporter }: Pick<Report, 'clique' | 'household' | 'reporter'>): string {
  return clique ?? household ?? reporter
}

/** Reports of a number that are looked at for what was said in its favour. */
const GOOD_REPORTS = 256

/**
 * What has been added to the good evidence of a number since then: by the network or by people, in whole reports. Infinite
 * when there were more reports than are looked at: nobody gets a new allowance by burying what he had.
 */
export function goodWeightSince(
  store: Pick<RecordStore, 'reportsOf'>,
  number: PhoneNumber,
  sinceMs: number,
  byNetwork: boolean,
): number {
  const reports = store.reportsOf(number, GOOD_REPORTS)
  if (reports.length === GOOD_REPORTS && reports.every(({ receivedMs }) => receivedMs > sinceMs)) {
    return Number.POSITIVE_INFINITY
  }
  let sum = 0
  for (const { opinion, channel, receivedMs, weight } of reports) {
    if (opinion === 'not-spam' && receivedMs > sinceMs && (channel === NETWORK_CHANNEL) === byNetwork) sum += weight
  }
  return sum
}
