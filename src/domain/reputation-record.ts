import { INGRESS_KINDS } from './call-event.ts'
import { NUMBER_STANDINGS } from './report.ts'

/**
 * What subscribers said about one number, as one small binary record: the store keeps it, the verdict path reads it in
 * place without allocating, foldReport makes the next one. Everything is little-endian.
 *
 * ```
 *  0 u8   version                      88 reporters, newest evidence per (reporter, ingress), REPORTER_BYTES each:
 *  1 u8   reporters kept                  +0  u32x2 the reporter's pseudonym, folded to 64 bits
 *  2 u16  standing (below)                +8  f64   when the report was received, epoch ms
 *  4 u32  reports folded                  +16 u16   weight in ten-thousandths
 *  8 f64  newest report, epoch ms         +18 u8    ingress kind
 * 16 f64  oldest report, epoch ms         +19 u8    scenario + 1; 0 unknown
 * 24 f64x4 harm by ingress kind, decayed  +20 u8    REPORTER_CORROBORATED | REPORTER_PROVEN
 *          to the newest report           +21 u24   group; 0 means the reporter's own
 * 56 f64x4 good by ingress kind, likewise
 * ```
 *
 * A group is what counts as one reporter: a household, or reporters who always agree. It is a 24-bit hash: among five
 * strangers two share one in 1.7 million numbers, and then four are counted. All entries of one reporter have the group of
 * the first; records of older versions may have entries that do not.
 *
 * The standing is what the number's own calls said when the last report came: two bits of NUMBER_STANDINGS and the day.
 * Bytes that older versions left 0 read as unknown, so their records are read as they are.
 */
export const REPUTATION_VERSION = 1

/**
 * Evidence loses half its weight in 30 days. Numbers change hands and callers change numbers within weeks; the window
 * rule looks at 10 days, so at its far end evidence still has 79 %. Refit it when outcomes of reviews are at hand.
 */
export const REPUTATION_HALF_LIFE_DAYS = 30

/** More than any window rule asks for (policy.reports.blockReporters is at most this), and at most 856 bytes a number. */
export const REPORTERS_KEPT = 32

/** The reporter did get a call from the number. */
export const REPORTER_CORROBORATED = 1
/** A review confirmed an earlier report of his. */
export const REPORTER_PROVEN = 2

export const DAY_MS = 86_400_000
export const HEADER_BYTES = 88
export const REPORTER_BYTES = 24
export const HARM_AT = 24
export const GOOD_AT = 56
export const KINDS = INGRESS_KINDS.length
/** Weights are compared as integers: 0.35 stays 0.35 on both sides. */
export const WEIGHT_UNITS = 10_000

/** Behaviour that long ago says little about who calls today. */
export const STANDING_DAYS = 30
/** 2020-01-01; fourteen bits of days reach to the year 2064. */
const STANDING_EPOCH_DAYS = 18_262
const STANDING_DAYS_MAX = 0x3fff

/** Offset just behind the last reporter. No allocation. */
export function reportersEnd(record: DataView): number {
  return HEADER_BYTES + record.getUint8(1) * REPORTER_BYTES
}

export function lightestOf(weightMin: number): number {
  return Math.round(weightMin * WEIGHT_UNITS)
}

/** Whether the reporter at offset `at` counts for calls of this ingress kind. No allocation. */
export function counts(record: DataView, at: number, ingress: number, oldestMs: number, lightest: number): boolean {
  const kind = record.getUint8(at + 18)
  return (
    (kind === ingress || kind === 0 || ingress === 0) &&
    record.getFloat64(at + 8, true) >= oldestMs &&
    record.getUint16(at + 16, true) >= lightest
  )
}

/** The same reporter, or two of one group. No allocation. */
export function countAsOne(record: DataView, a: number, b: number): boolean {
  return isSameReporter(record, a, b) || groupAt(record, a) === groupAt(record, b)
}

/** No allocation. */
export function isSameReporter(record: DataView, a: number, b: number): boolean {
  return (
    record.getUint32(a, true) === record.getUint32(b, true) &&
    record.getUint32(a + 4, true) === record.getUint32(b + 4, true)
  )
}

/** 24 bits. No allocation. */
export function groupAt(record: DataView, at: number): number {
  // One read for four bytes: the flags are the lowest.
  const group = record.getUint32(at + 20, true) >>> 8
  return group === 0 ? groupOf(record.getUint32(at, true), record.getUint32(at + 4, true)) : group
}

/** The group of a reporter or household from both words of its folded pseudonym. Never 0. */
export function groupOf(low: number, high: number): number {
  const group = (low ^ Math.imul(high, 0x85ebca6b)) >>> 8
  return group === 0 ? 1 : group
}

/** Two of the four words of a pseudonym (32 hexadecimal digits) as one: all of it tells reporters apart. */
export function foldWords(pseudonym: string, at: number): number {
  const first = Number.parseInt(pseudonym.slice(at, at + 8), 16)
  const second = Number.parseInt(pseudonym.slice(at + 16, at + 24), 16)
  return (first + Math.imul(second, 0x9e3779b1)) >>> 0
}

export function decay(fromMs: number, toMs: number): number {
  // A report from the future (clocks differ) counts as fresh.
  return toMs <= fromMs ? 1 : 2 ** ((fromMs - toMs) / (REPUTATION_HALF_LIFE_DAYS * DAY_MS))
}

/** NUMBER_STANDINGS index that still holds at nowMs. No allocation. */
export function standingOf(record: DataView, nowMs: number): number {
  const stored = record.getUint16(2, true)
  const standing = stored >>> 14
  if (standing === 0) return 0
  const daysAgo = Math.floor(nowMs / DAY_MS) - STANDING_EPOCH_DAYS - (stored & STANDING_DAYS_MAX)
  return daysAgo <= STANDING_DAYS && standing < NUMBER_STANDINGS.length ? standing : 0
}

/** Notes a standing as of atMs. Unknown changes nothing: the node that took the report has not seen the number call. */
export function noteStanding(record: DataView, standing: number, atMs: number): void {
  if (standing === 0) return
  const day = Math.floor(atMs / DAY_MS) - STANDING_EPOCH_DAYS
  record.setUint16(2, (standing << 14) | Math.min(STANDING_DAYS_MAX, Math.max(0, day)), true)
}
