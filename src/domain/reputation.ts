/**
 * Readings of a reputation record (reputation-record.ts; fold-report.ts makes it). Two follow from it: the window rule
 * counts distinct reporters of the last days, quick, easy to explain, and what a regulator counts; the lower bound looks at
 * all decayed evidence and answers "how surely is most of it harm".
 *
 * Evidence is kept per ingress kind, so that the owner of a spoofed number is not punished on his own trunk: a report of
 * a call from abroad says nothing about national calls. A report of unknown kind counts for every kind, and a call of
 * unknown kind is judged by all reports.
 */
import { INGRESS_KINDS } from './call-event.ts'
import { NUMBER_STANDINGS, type NumberStanding } from './report.ts'
import {
  countAsOne,
  counts,
  DAY_MS,
  decay,
  GOOD_AT,
  HARM_AT,
  HEADER_BYTES,
  KINDS,
  lightestOf,
  REPORTER_BYTES,
  REPORTERS_KEPT,
  reportersEnd,
  standingOf,
} from './reputation-record.ts'
import { shareLowerBound } from './share-lower-bound.ts'

export { REPORTERS_KEPT } from './reputation-record.ts'

/**
 * Good evidence weighs at most half of the harm: it can pull the share of harm down to two thirds, and whoever whitewashes
 * a number with a thousand voices gets no further.
 */
const GOOD_SHARE_MAX = 0.5

/**
 * Distinct reporters of weight >= weightMin (0..1) whose report on this ingress kind (INGRESS_KINDS index) is at most
 * windowDays old; a household and a clique count as one. Stops counting at `enough`. No allocation.
 */
export function countReporters(
  record: DataView,
  ingress: number,
  nowMs: number,
  windowDays: number,
  weightMin: number,
  enough: number,
): number {
  const oldestMs = nowMs - windowDays * DAY_MS
  const lightest = lightestOf(weightMin)
  const end = reportersEnd(record)
  let count = 0
  for (let at = HEADER_BYTES; at < end && count < enough; at += REPORTER_BYTES) {
    if (!counts(record, at, ingress, oldestMs, lightest)) continue
    // One reporter may stand here once per ingress kind: count him where he stands first.
    let seen = false
    for (let before = HEADER_BYTES; before < at && !seen; before += REPORTER_BYTES) {
      seen = countAsOne(record, before, at) && counts(record, before, ingress, oldestMs, lightest)
    }
    if (!seen) count++
  }
  return count
}

/** Harm reported on this ingress kind in whole reports, decayed to nowMs. No allocation. */
export function decayedHarm(record: DataView, ingress: number, nowMs: number): number {
  return decayedSum(record, HARM_AT, ingress, nowMs)
}

/** Good evidence on this ingress kind in whole reports, decayed to nowMs, whatever the harm. No allocation. */
export function decayedGood(record: DataView, ingress: number, nowMs: number): number {
  return decayedSum(record, GOOD_AT, ingress, nowMs)
}

/**
 * When the newest report of harm was received that counts for this ingress kind, epoch ms; when all who made one are
 * forgotten, the newest report of any. No allocation.
 */
export function newestHarmMs(record: DataView, ingress: number): number {
  const end = reportersEnd(record)
  let newest = 0
  for (let at = HEADER_BYTES; at < end; at += REPORTER_BYTES) {
    if (counts(record, at, ingress, 0, 0)) newest = Math.max(newest, record.getFloat64(at + 8, true))
  }
  return newest > 0 ? newest : newestReportMs(record)
}

/** When the newest report of any kind was received, epoch ms: what the sums are decayed to. No allocation. */
export function newestReportMs(record: DataView): number {
  return record.getFloat64(8, true)
}

/** The lower bound for calls of one ingress kind at nowMs. No allocation. */
export function harmLowerBound(record: DataView, ingress: number, nowMs: number): number {
  return boundOfEvidence(decayedHarm(record, ingress, nowMs), decayedGood(record, ingress, nowMs))
}

/**
 * The lower bound from evidence in whole reports, with good evidence counted up to GOOD_SHARE_MAX of the harm: it grows with
 * harm whatever the good evidence is.
 */
export function boundOfEvidence(harm: number, good: number): number {
  return shareLowerBound(harm, Math.min(good, harm * GOOD_SHARE_MAX))
}

/** A reputation for people and APIs; what it says about calls of unknown ingress kind, and of each kind. */
export type ReputationDescription = {
  readonly reports: number
  readonly firstReportMs: number
  readonly lastReportMs: number
  /** Of all kinds together. */
  readonly reporters: number
  /** Decayed evidence in whole reports. */
  readonly harm: number
  readonly good: number
  readonly lowerBound: number
  /** The lower bound in percent. */
  readonly score: number
  readonly standing: NumberStanding
  readonly byIngress: Readonly<
    Record<
      string,
      { readonly reporters: number; readonly harm: number; readonly good: number; readonly lowerBound: number }
    >
  >
}

/** Describes a record at nowMs; only reporters of weight >= weightMin within windowDays are counted. */
export function describeReputation(
  record: DataView,
  nowMs: number,
  windowDays: number,
  weightMin = 0,
): ReputationDescription {
  const describe = (ingress: number) => ({
    reporters: countReporters(record, ingress, nowMs, windowDays, weightMin, REPORTERS_KEPT),
    harm: rounded(decayedHarm(record, ingress, nowMs)),
    good: rounded(decayedGood(record, ingress, nowMs)),
    lowerBound: rounded(harmLowerBound(record, ingress, nowMs)),
  })
  const all = describe(0)
  return {
    reports: record.getUint32(4, true),
    firstReportMs: record.getFloat64(16, true),
    lastReportMs: record.getFloat64(8, true),
    ...all,
    score: Math.round(100 * all.lowerBound),
    standing: NUMBER_STANDINGS[standingOf(record, nowMs)] ?? 'unknown',
    byIngress: Object.fromEntries(INGRESS_KINDS.map((kind, ingress) => [kind, describe(ingress)]).slice(1)),
  }
}

function rounded(value: number): number {
  return Math.round(value * 1_000) / 1_000
}

function decayedSum(record: DataView, sumsAt: number, ingress: number, nowMs: number): number {
  let sum = record.getFloat64(sumsAt, true)
  if (ingress === 0) {
    for (let kind = 1; kind < KINDS; kind++) sum += record.getFloat64(sumsAt + kind * 8, true)
  } else {
    sum += record.getFloat64(sumsAt + ingress * 8, true)
  }
  return sum * decay(record.getFloat64(8, true), nowMs)
}
