import { INGRESS_KINDS } from './call-event.ts'
import { ScreeningError } from './errors.ts'
import type { Report } from './report.ts'
import { shareLowerBound } from './share-lower-bound.ts'

/**
 * What subscribers said about one number, as one small binary record: the store keeps it, the verdict path reads it in
 * place without allocating, foldReport makes the next one. Everything is little-endian.
 *
 * ```
 *  0 u8   version                      88 reporters, newest evidence per (reporter, ingress), REPORTER_BYTES each:
 *  1 u8   reporters kept                  +0  u32x2 the reporter's pseudonym, folded to 64 bits
 *  2 u16  0                               +8  f64   when the report was received, epoch ms
 *  4 u32  reports folded                  +16 u16   weight in ten-thousandths
 *  8 f64  newest report, epoch ms         +18 u8    ingress kind
 * 16 f64  oldest report, epoch ms         +19 5 x 0
 * 24 f64x4 harm by ingress kind, decayed to the newest report
 * 56 f64x4 good by ingress kind, likewise
 * ```
 *
 * Two readings follow. The window rule counts distinct reporters of the last days: quick, easy to explain, and what a
 * regulator counts. The lower bound looks at all decayed evidence and answers "how surely is most of it harm".
 *
 * Evidence is kept per ingress kind, so that the owner of a spoofed number is not punished on his own trunk: a report of
 * a call from abroad says nothing about national calls. A report of unknown kind counts for every kind, and a call of
 * unknown kind is judged by all reports.
 *
 * Folding the same reports in another order gives the same record content (up to rounding and the order of reporters),
 * as long as no more than REPORTERS_KEPT are kept.
 */
export const REPUTATION_VERSION = 1

/**
 * Evidence loses half its weight in 30 days. Numbers change hands and callers change numbers within weeks; the window
 * rule looks at 10 days, so at its far end evidence still has 79 %. Refit it when outcomes of reviews are at hand.
 */
export const REPUTATION_HALF_LIFE_DAYS = 30

/** More than any window rule asks for (policy.reports.blockReporters is at most this), and at most 856 bytes a number. */
export const REPORTERS_KEPT = 32

/** A second report by the same reporter on the same number within this time changes nothing but a weight that grew. */
export const SAME_REPORTER_MS = 24 * 3_600_000

const DAY_MS = 86_400_000
const HEADER_BYTES = 88
const REPORTER_BYTES = 24
const HARM_AT = 24
const GOOD_AT = 56
const KINDS = INGRESS_KINDS.length
/** Weights are compared as integers: 0.35 stays 0.35 on both sides. */
const WEIGHT_UNITS = 10_000

/**
 * The record after one more report; `stored` is left alone. Harm counts once per reporter and ingress kind for as long
 * as the reporter is kept, the window is refreshed by a report more than SAME_REPORTER_MS later.
 * Throws STORAGE_FORMAT for a record of another version.
 */
export function foldReport(stored: DataView | undefined, report: Report): DataView {
  if (stored !== undefined && stored.getUint8(0) !== REPUTATION_VERSION) {
    throw new ScreeningError('STORAGE_FORMAT', `Got a v${stored.getUint8(0)} reputation record, expected v1.`)
  }
  const at = report.receivedMs
  const low = foldWords(report.reporter, 0)
  const high = foldWords(report.reporter, 8)
  const weight = Math.round(Math.min(1, Math.max(0, report.weight)) * WEIGHT_UNITS)

  const record = copyWithRoom(stored)
  moveReferenceTo(record, at)
  record.setUint32(4, record.getUint32(4, true) + 1, true)

  const known = findReporter(record, low, high, report.ingress)
  if (known < 0) {
    addHarm(record, report.ingress, weight, at)
    return keepReporter(record, low, high, at, weight, report.ingress)
  }
  const gained = weight - record.getUint16(known + 16, true)
  if (gained > 0) {
    record.setUint16(known + 16, weight, true)
    addHarm(record, report.ingress, gained, at)
  }
  if (at - record.getFloat64(known + 8, true) > SAME_REPORTER_MS) record.setFloat64(known + 8, at, true)
  return trimmed(record)
}

/**
 * Distinct reporters of weight >= weightMin (0..1) whose report on this ingress kind (INGRESS_KINDS index) is at most
 * windowDays old. Stops counting at `enough`. No allocation.
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
  const lightest = Math.round(weightMin * WEIGHT_UNITS)
  const end = HEADER_BYTES + record.getUint8(1) * REPORTER_BYTES
  let count = 0
  for (let at = HEADER_BYTES; at < end && count < enough; at += REPORTER_BYTES) {
    if (!counts(record, at, ingress, oldestMs, lightest)) continue
    // One reporter may stand here once per ingress kind: count him where he stands first.
    let seen = false
    for (let before = HEADER_BYTES; before < at && !seen; before += REPORTER_BYTES) {
      seen = sameReporter(record, before, at) && counts(record, before, ingress, oldestMs, lightest)
    }
    if (!seen) count++
  }
  return count
}

/** Harm reported on this ingress kind in whole reports, decayed to nowMs. No allocation. */
export function decayedHarm(record: DataView, ingress: number, nowMs: number): number {
  return decayedSum(record, HARM_AT, ingress, nowMs)
}

/** Good evidence on this ingress kind in whole reports, decayed to nowMs. No allocation. */
export function decayedGood(record: DataView, ingress: number, nowMs: number): number {
  return decayedSum(record, GOOD_AT, ingress, nowMs)
}

/** The lower bound for calls of one ingress kind at nowMs. No allocation. */
export function harmLowerBound(record: DataView, ingress: number, nowMs: number): number {
  return shareLowerBound(decayedHarm(record, ingress, nowMs), decayedGood(record, ingress, nowMs))
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
    byIngress: Object.fromEntries(INGRESS_KINDS.map((kind, ingress) => [kind, describe(ingress)]).slice(1)),
  }
}

/** Two of the four words of a pseudonym (32 hexadecimal digits) as one: all of it tells reporters apart. */
function foldWords(reporter: string, at: number): number {
  const first = Number.parseInt(reporter.slice(at, at + 8), 16)
  const second = Number.parseInt(reporter.slice(at + 16, at + 24), 16)
  return (first + Math.imul(second, 0x9e3779b1)) >>> 0
}

function rounded(value: number): number {
  return Math.round(value * 1_000) / 1_000
}

function decay(fromMs: number, toMs: number): number {
  // A report from the future (clocks differ) counts as fresh.
  return toMs <= fromMs ? 1 : 2 ** ((fromMs - toMs) / (REPUTATION_HALF_LIFE_DAYS * DAY_MS))
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

function counts(record: DataView, at: number, ingress: number, oldestMs: number, lightest: number): boolean {
  const kind = record.getUint8(at + 18)
  return (
    (kind === ingress || kind === 0 || ingress === 0) &&
    record.getFloat64(at + 8, true) >= oldestMs &&
    record.getUint16(at + 16, true) >= lightest
  )
}

function sameReporter(record: DataView, a: number, b: number): boolean {
  return (
    record.getUint32(a, true) === record.getUint32(b, true) &&
    record.getUint32(a + 4, true) === record.getUint32(b + 4, true)
  )
}

/** A copy with room for one more reporter; trimmed() cuts the room off again when it was not needed. */
function copyWithRoom(stored: DataView | undefined): DataView {
  const kept = stored?.getUint8(1) ?? 0
  const bytes = new Uint8Array(HEADER_BYTES + Math.min(kept + 1, REPORTERS_KEPT) * REPORTER_BYTES)
  if (stored !== undefined) {
    bytes.set(new Uint8Array(stored.buffer, stored.byteOffset, HEADER_BYTES + kept * REPORTER_BYTES))
  }
  bytes[0] = REPUTATION_VERSION
  return new DataView(bytes.buffer)
}

function trimmed(record: DataView): DataView {
  return new DataView(record.buffer, 0, HEADER_BYTES + record.getUint8(1) * REPORTER_BYTES)
}

/** All sums are decayed to the newest report; a late arrival leaves them where they are. */
function moveReferenceTo(record: DataView, at: number): void {
  const newest = record.getFloat64(8, true)
  const oldest = record.getFloat64(16, true)
  if (oldest === 0 || at < oldest) record.setFloat64(16, at, true)
  if (at <= newest) return
  if (newest > 0) {
    const kept = decay(newest, at)
    for (let sum = HARM_AT; sum < HEADER_BYTES; sum += 8) {
      record.setFloat64(sum, record.getFloat64(sum, true) * kept, true)
    }
  }
  record.setFloat64(8, at, true)
}

function addHarm(record: DataView, ingress: number, weight: number, at: number): void {
  const sum = HARM_AT + ingress * 8
  const harm = (weight / WEIGHT_UNITS) * decay(at, record.getFloat64(8, true))
  record.setFloat64(sum, record.getFloat64(sum, true) + harm, true)
}

function findReporter(record: DataView, low: number, high: number, ingress: number): number {
  const end = HEADER_BYTES + record.getUint8(1) * REPORTER_BYTES
  for (let at = HEADER_BYTES; at < end; at += REPORTER_BYTES) {
    const isSame = record.getUint32(at, true) === low && record.getUint32(at + 4, true) === high
    if (isSame && record.getUint8(at + 18) === ingress) return at
  }
  return -1
}

/**
 * Keeps the newest REPORTERS_KEPT. Weight counts too (a decayed weight is compared, not the time alone), so that a flood
 * of reporters nobody believes cannot push out the ones who count.
 */
function keepReporter(
  record: DataView,
  low: number,
  high: number,
  atMs: number,
  weight: number,
  ingress: number,
): DataView {
  const kept = record.getUint8(1)
  let slot = HEADER_BYTES + kept * REPORTER_BYTES
  if (kept < REPORTERS_KEPT) {
    record.setUint8(1, kept + 1)
  } else {
    const newest = record.getFloat64(8, true)
    let leastWorth = weight * decay(atMs, newest)
    slot = -1
    for (let index = 0; index < kept; index++) {
      const at = HEADER_BYTES + index * REPORTER_BYTES
      const worth = record.getUint16(at + 16, true) * decay(record.getFloat64(at + 8, true), newest)
      if (worth < leastWorth || (slot < 0 && worth === leastWorth)) {
        leastWorth = worth
        slot = at
      }
    }
    if (slot < 0) return record
  }
  record.setUint32(slot, low, true)
  record.setUint32(slot + 4, high, true)
  record.setFloat64(slot + 8, atMs, true)
  record.setUint16(slot + 16, weight, true)
  record.setUint8(slot + 18, ingress)
  return record
}
