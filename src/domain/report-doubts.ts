/**
 * When reports alone must not refuse calls: the engine asks this before a block that rests on reports, and makes it a flag
 * and a review. The score stays what it is (more evidence never lowers a score); only the verdict is held back, and five,
 * six or seven reports in a second still block.
 */
import { NUMBER_STANDINGS, SCENARIOS } from './report.ts'
import {
  countAsOne,
  counts,
  DAY_MS,
  groupAt,
  HEADER_BYTES,
  lightestOf,
  REPORTER_BYTES,
  REPORTER_CORROBORATED,
  REPORTER_PROVEN,
  REPORTERS_KEPT,
  reportersEnd,
  standingOf,
} from './reputation-record.ts'

/** When many reports at once look arranged. */
export type BurstRules = {
  /** Distinct credible reporters within `minutes`, nobody of whom is known to have got a call. */
  readonly reporters: number
  readonly minutes: number
  /** 0..1: this share of them has no report yet that a review confirmed. */
  readonly freshShare: number
}

/**
 * A real campaign brings its victims over hours (half of the reports within 3.4 h, a tenth within 6 minutes): eight
 * strangers within ten minutes, none of whom the network saw being called, are people who were asked to report. Seven are not:
 * six honest reports in a second must count.
 */
const BURST_RULES: BurstRules = { reporters: 8, minutes: 10, freshShare: 0.8 }

/** What the readings here need of a policy. */
export type DoubtRules = {
  readonly windowDays: number
  readonly weightMin: number
  readonly blockReporters: number
  readonly burst: BurstRules
  /**
   * So many of them must be known to have been called by the number. 0: strangers alone may block, which is how it has to be
   * until calls have been remembered for as long as a call match looks back.
   */
  readonly corroboratedMin: number
}

/** Until a policy says otherwise. */
export const DOUBT_DEFAULTS: Pick<DoubtRules, 'burst' | 'corroboratedMin'> = { burst: BURST_RULES, corroboratedMin: 0 }

const ESTABLISHED = NUMBER_STANDINGS.indexOf('established')
const HIGH_VOLUME = NUMBER_STANDINGS.indexOf('high-volume')
const MINUTE_MS = 60_000

/** Scratch of the thread: the distinct reporters that a reading counts, and what any of their group has in its favour. */
const offsets = new Int32Array(REPORTERS_KEPT)
const groupFlags = new Uint8Array(REPORTERS_KEPT)
const times = new Float64Array(REPORTERS_KEPT)
const fresh = new Uint8Array(REPORTERS_KEPT)
/**
 * Who has not been marked in this reading has not been seen: most reporters are strangers, and comparing each with each would
 * take 5 µs for a full record. 1,024 places: of 32 strangers hardly one shares a place with another.
 */
const MARKS_MASK = 1_023
const groupMarks = new Int32Array(MARKS_MASK + 1)
const pseudonymMarks = new Int32Array(MARKS_MASK + 1)
const MARK_MAX = 0x3fff_ffff
let lastMark = 0

/**
 * The reports came in a suspicious burst, and without those of the burst there are not enough to block. What an analyst, a
 * call match or time confirms makes the suspicion go away. No allocation.
 */
export function burstIsSuspicious(record: DataView, ingress: number, nowMs: number, rules: DoubtRules): boolean {
  const { reporters, minutes, freshShare } = rules.burst
  if (record.getUint8(1) < reporters) return false
  const distinct = collectReporters(record, ingress, nowMs, rules.windowDays, rules.weightMin)
  const unseen = sortUncorroborated(record, distinct)
  let isSuspicious = false
  let inBursts = 0
  let end = 0
  let marked = 0
  let freshInSpan = 0
  for (let first = 0; first < unseen; first++) {
    const untilMs = (times[first] as number) + minutes * MINUTE_MS
    for (; end < unseen && (times[end] as number) <= untilMs; end++) freshInSpan += fresh[end] as number
    if (end - first >= reporters && freshInSpan >= freshShare * (end - first)) {
      isSuspicious = true
      inBursts += end - Math.max(marked, first)
      marked = end
    }
    freshInSpan -= fresh[first] as number
  }
  return isSuspicious && distinct - inBursts < rules.blockReporters
}

/**
 * The network speaks against the reports: the number has been talked with for days, and those who are known to have been called
 * by it would not be enough to block; or too few are known to have been called by it at all (corroboratedMin). A number of
 * high volume is never blocked by reports. No allocation.
 */
export function reportsAreContested(record: DataView, ingress: number, nowMs: number, rules: DoubtRules): boolean {
  const standing = standingOf(record, nowMs)
  if (standing === HIGH_VOLUME) return true
  const needed = standing === ESTABLISHED ? rules.blockReporters : rules.corroboratedMin
  return needed > 0 && countCorroborated(record, ingress, nowMs, rules) < needed
}

/** Distinct credible reporters in the window whom the network saw being called. No allocation. */
export function countCorroborated(
  record: DataView,
  ingress: number,
  nowMs: number,
  rules: Pick<DoubtRules, 'windowDays' | 'weightMin'>,
): number {
  const distinct = collectReporters(record, ingress, nowMs, rules.windowDays, rules.weightMin)
  let count = 0
  for (let index = 0; index < distinct; index++) {
    if (((groupFlags[index] as number) & REPORTER_CORROBORATED) !== 0) count++
  }
  return count
}

/**
 * Index into SCENARIOS of what most of the distinct reporters in the window say (of two named as often, the one that comes
 * first in SCENARIOS); -1 when nobody says anything that is known. No allocation.
 */
export function dominantScenario(
  record: DataView,
  ingress: number,
  nowMs: number,
  windowDays: number,
  weightMin = 0,
): number {
  const distinct = collectReporters(record, ingress, nowMs, windowDays, weightMin)
  let dominant = -1
  let most = 0
  for (let scenario = 0; scenario < SCENARIOS.length; scenario++) {
    let votes = 0
    for (let index = 0; index < distinct; index++) {
      if (record.getUint8((offsets[index] as number) + 19) === scenario + 1) votes++
    }
    if (votes > most) {
      most = votes
      dominant = scenario
    }
  }
  return dominant
}

/** Fills `offsets` and `groupFlags` with the distinct reporters that count, and returns how many there are. */
function collectReporters(
  record: DataView,
  ingress: number,
  nowMs: number,
  windowDays: number,
  weightMin: number,
): number {
  const oldestMs = nowMs - windowDays * DAY_MS
  const lightest = lightestOf(weightMin)
  const end = reportersEnd(record)
  const mark = nextMark()
  let distinct = 0
  for (let at = HEADER_BYTES; at < end; at += REPORTER_BYTES) {
    if (!counts(record, at, ingress, oldestMs, lightest)) continue
    const byGroup = groupAt(record, at) & MARKS_MASK
    const byPseudonym = record.getUint32(at, true) & MARKS_MASK
    let index = distinct
    if (groupMarks[byGroup] === mark || pseudonymMarks[byPseudonym] === mark) {
      index = 0
      while (index < distinct && !countAsOne(record, offsets[index] as number, at)) index++
    }
    if (index === distinct) {
      offsets[distinct] = at
      groupFlags[distinct] = 0
      distinct++
    }
    groupMarks[byGroup] = mark
    pseudonymMarks[byPseudonym] = mark
    groupFlags[index] = (groupFlags[index] as number) | record.getUint8(at + 20)
  }
  return distinct
}

function nextMark(): number {
  if (lastMark === MARK_MAX) {
    groupMarks.fill(0)
    pseudonymMarks.fill(0)
    lastMark = 0
  }
  return ++lastMark
}

/** Fills `times` and `fresh` with those whom nothing corroborates, oldest first (mostly they are), and returns how many. */
function sortUncorroborated(record: DataView, distinct: number): number {
  let unseen = 0
  for (let index = 0; index < distinct; index++) {
    const flags = groupFlags[index] as number
    if ((flags & REPORTER_CORROBORATED) !== 0) continue
    const ms = record.getFloat64((offsets[index] as number) + 8, true)
    let slot = unseen++
    for (; slot > 0 && (times[slot - 1] as number) > ms; slot--) {
      times[slot] = times[slot - 1] as number
      fresh[slot] = fresh[slot - 1] as number
    }
    times[slot] = ms
    fresh[slot] = (flags & REPORTER_PROVEN) === 0 ? 1 : 0
  }
  return unseen
}
