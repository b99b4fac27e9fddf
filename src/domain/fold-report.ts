import { ScreeningError } from './errors.ts'
import { CALL_MATCHES, NUMBER_STANDINGS, type Report, SCENARIOS } from './report.ts'
import { DOUBT_DEFAULTS } from './report-doubts.ts'
import {
  countAsOne,
  decay,
  foldWords,
  GOOD_AT,
  groupAt,
  groupOf,
  HARM_AT,
  HEADER_BYTES,
  isSameReporter,
  KINDS,
  noteStanding,
  REPORTER_BYTES,
  REPORTER_CORROBORATED,
  REPORTER_PROVEN,
  REPORTERS_KEPT,
  REPUTATION_VERSION,
  reportersEnd,
  WEIGHT_UNITS,
} from './reputation-record.ts'

/** A second report by the same reporter on the same number within this time changes nothing but a weight that grew. */
export const SAME_REPORTER_MS = 24 * 3_600_000

/**
 * The record after one more report; `stored` is left alone. Harm counts once per group (reporter, household, clique) and
 * ingress kind for as long as one of it is kept; the window is refreshed by a report more than SAME_REPORTER_MS later. A
 * report that the number is no spam adds to the good evidence and takes no reporter's place: who accepts it sees to it that
 * it counts once per reporter and is bounded per day (services/accept-report.ts).
 *
 * Whose group a reporter is in, his first report on the number that is kept says, for every ingress kind: a clique is found
 * out in time and a household may be left out, and a reporter of two groups would join two that were counted already, so
 * that more evidence would lower the count.
 *
 * Folding the same reports in another order gives the same record content (up to rounding, the order of reporters, their
 * groups where one reporter gives several, and the standing, which is that of the last), as long as no more than
 * REPORTERS_KEPT are kept.
 * Throws STORAGE_FORMAT for a record of another version.
 */
export function foldReport(stored: DataView | undefined, report: Report): DataView {
  if (stored !== undefined && stored.getUint8(0) !== REPUTATION_VERSION) {
    throw new ScreeningError('STORAGE_FORMAT', `Got a v${stored.getUint8(0)} reputation record, expected v1.`)
  }
  const at = report.receivedMs
  const weight = Math.round(Math.min(1, Math.max(0, report.weight)) * WEIGHT_UNITS)

  const record = copyWithRoom(stored)
  moveReferenceTo(record, at)
  record.setUint32(4, record.getUint32(4, true) + 1, true)
  noteStanding(record, NUMBER_STANDINGS.indexOf(report.standing ?? 'unknown'), at)
  if (report.clears === true) forgive(record, at)
  if (report.opinion === 'not-spam') {
    addTo(record, GOOD_AT, report.ingress, weight, at)
    return trimmed(record)
  }

  const candidate = HEADER_BYTES + record.getUint8(1) * REPORTER_BYTES
  writeReporter(record, candidate, report, weight)
  keepGroup(record, candidate)
  const known = findReporter(record, candidate)
  const heaviest = heaviestOfGroup(record, candidate)
  if (weight > heaviest) addTo(record, HARM_AT, report.ingress, weight - heaviest, at)
  if (known < 0) return keepReporter(record, candidate)
  if (weight > record.getUint16(known + 16, true)) record.setUint16(known + 16, weight, true)
  record.setUint8(known + 20, record.getUint8(known + 20) | record.getUint8(candidate + 20))
  if (at - record.getFloat64(known + 8, true) > SAME_REPORTER_MS) record.setFloat64(known + 8, at, true)
  return trimmed(record)
}

/** A copy with room for one more reporter, which trimmed() cuts off again. */
function copyWithRoom(stored: DataView | undefined): DataView {
  const kept = stored?.getUint8(1) ?? 0
  const bytes = new Uint8Array(HEADER_BYTES + (kept + 1) * REPORTER_BYTES)
  if (stored !== undefined) {
    bytes.set(new Uint8Array(stored.buffer, stored.byteOffset, HEADER_BYTES + kept * REPORTER_BYTES))
  }
  bytes[0] = REPUTATION_VERSION
  return new DataView(bytes.buffer)
}

function trimmed(record: DataView): DataView {
  return new DataView(record.buffer, 0, reportersEnd(record))
}

/** All sums are decayed to the newest report; a late arrival leaves them where they are. */
function moveReferenceTo(record: DataView, at: number): void {
  const newest = record.getFloat64(8, true)
  const oldest = record.getFloat64(16, true)
  if (oldest === 0 || at < oldest) record.setFloat64(16, at, true)
  if (at <= newest) return
  if (newest > 0) {
    const kept = decay(newest, at)
    for (let sum = HARM_AT; sum < GOOD_AT + KINDS * 8; sum += 8) {
      record.setFloat64(sum, record.getFloat64(sum, true) * kept, true)
    }
  }
  record.setFloat64(8, at, true)
}

/** Reporters stay, so that one who says the same again is known; what they said until `untilMs` weighs nothing. */
function forgive(record: DataView, untilMs: number): void {
  for (let kind = 0; kind < KINDS; kind++) record.setFloat64(HARM_AT + kind * 8, 0, true)
  for (let at = HEADER_BYTES; at < reportersEnd(record); at += REPORTER_BYTES) {
    if (record.getFloat64(at + 8, true) <= untilMs) record.setUint16(at + 16, 0, true)
  }
}

function addTo(record: DataView, sumsAt: number, ingress: number, weight: number, at: number): void {
  const sum = sumsAt + ingress * 8
  const evidence = (weight / WEIGHT_UNITS) * decay(at, record.getFloat64(8, true))
  record.setFloat64(sum, record.getFloat64(sum, true) + evidence, true)
}

function writeReporter(record: DataView, slot: number, report: Report, weight: number): void {
  const named = report.clique ?? report.household ?? report.reporter
  const group = groupOf(foldWords(named, 0), foldWords(named, 8))
  const isCorroborated = report.callMatch === CALL_MATCHES[2]
  const flags = (isCorroborated ? REPORTER_CORROBORATED : 0) | (report.isProven === true ? REPORTER_PROVEN : 0)
  record.setUint32(slot, foldWords(report.reporter, 0), true)
  record.setUint32(slot + 4, foldWords(report.reporter, 8), true)
  record.setFloat64(slot + 8, report.receivedMs, true)
  record.setUint16(slot + 16, weight, true)
  record.setUint8(slot + 18, report.ingress)
  record.setUint8(slot + 19, SCENARIOS.indexOf(report.scenario) + 1)
  record.setUint32(slot + 20, ((group << 8) | flags) >>> 0, true)
}

/** Gives the candidate the group he has here already. */
function keepGroup(record: DataView, candidate: number): void {
  for (let at = HEADER_BYTES; at < candidate; at += REPORTER_BYTES) {
    if (!isSameReporter(record, at, candidate)) continue
    const flags = record.getUint8(candidate + 20)
    record.setUint32(candidate + 20, ((groupAt(record, at) << 8) | flags) >>> 0, true)
    return
  }
}

function findReporter(record: DataView, candidate: number): number {
  for (let at = HEADER_BYTES; at < candidate; at += REPORTER_BYTES) {
    const isSameKind = record.getUint8(at + 18) === record.getUint8(candidate + 18)
    if (isSameKind && isSameReporter(record, at, candidate)) return at
  }
  return -1
}

/** The greatest weight that the candidate's group has brought in on his ingress kind. */
function heaviestOfGroup(record: DataView, candidate: number): number {
  let heaviest = 0
  for (let at = HEADER_BYTES; at < candidate; at += REPORTER_BYTES) {
    if (isRedundant(record, at, candidate)) heaviest = Math.max(heaviest, record.getUint16(at + 16, true))
  }
  return heaviest
}

function isRedundant(record: DataView, a: number, b: number): boolean {
  return record.getUint8(a + 18) === record.getUint8(b + 18) && countAsOne(record, a, b)
}

/**
 * Keeps the newest REPORTERS_KEPT. Weight counts too (a decayed weight is compared, not the time alone), so that a flood
 * of reporters nobody believes cannot push out the ones who count. Of a full record those go first who count as one with
 * another: a household that all report pushes nobody out but its own. Then those of a burst that goes on, while it does:
 * otherwise a caller has the honest reports about him pushed out by a flood of his own, and with nobody outside the burst
 * they would count for nothing.
 */
function keepReporter(record: DataView, candidate: number): DataView {
  const kept = record.getUint8(1)
  record.setUint8(1, Math.min(kept + 1, REPORTERS_KEPT))
  if (kept < REPORTERS_KEPT) return record
  let victim = -1
  let victimRank = 0
  const isBurst = isBurstAround(record, candidate)
  for (let at = HEADER_BYTES; at <= candidate; at += REPORTER_BYTES) {
    const rank = hasHeavierTwin(record, at, candidate) ? 2 : Number(isBurst && isOfBurst(record, at, candidate))
    if (rank < victimRank) continue
    // Of two that are worth the same the newer stays.
    if (victim < 0 || rank > victimRank || worth(record, at) < worth(record, victim)) victim = at
    victimRank = rank
  }
  const bytes = new Uint8Array(record.buffer)
  bytes.copyWithin(victim, candidate, candidate + REPORTER_BYTES)
  return trimmed(record)
}

/** So many whom nothing corroborates within minutes of the candidate that they would look arranged (report-doubts.ts). */
function isBurstAround(record: DataView, candidate: number): boolean {
  let count = 0
  for (let at = HEADER_BYTES; at <= candidate; at += REPORTER_BYTES) if (isOfBurst(record, at, candidate)) count++
  return count >= DOUBT_DEFAULTS.burst.reporters
}

function isOfBurst(record: DataView, at: number, candidate: number): boolean {
  const apartMs = Math.abs(record.getFloat64(candidate + 8, true) - record.getFloat64(at + 8, true))
  const isCorroborated = (record.getUint8(at + 20) & REPORTER_CORROBORATED) !== 0
  return !isCorroborated && apartMs <= DOUBT_DEFAULTS.burst.minutes * 60_000
}

function hasHeavierTwin(record: DataView, at: number, candidate: number): boolean {
  for (let other = HEADER_BYTES; other <= candidate; other += REPORTER_BYTES) {
    if (other === at || groupAt(record, other) !== groupAt(record, at) || !isRedundant(record, other, at)) continue
    const heavier = worth(record, other) - worth(record, at)
    if (heavier > 0 || (heavier === 0 && other > at)) return true
  }
  return false
}

/** Reporters whom the network saw being called are never pushed out by ones of whom nothing is known. */
function worth(record: DataView, at: number): number {
  const flags = record.getUint8(at + 20)
  const times = (flags & REPORTER_CORROBORATED) !== 0 ? 4 : (flags & REPORTER_PROVEN) !== 0 ? 2 : 1
  return times * record.getUint16(at + 16, true) * decay(record.getFloat64(at + 8, true), record.getFloat64(8, true))
}
