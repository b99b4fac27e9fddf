/**
 * How much a reporter is believed: what became of his earlier reports, as a Bayesian estimate of the share of his reports
 * that are true (the beta reputation system: A. Jøsang, R. Ismail, "The Beta Reputation System", 15th Bled eCommerce
 * Conference, 2002), relative to what is expected of somebody unknown, and at most 1: being right for long gives nobody more
 * than one voice.
 */

/** What is kept of one reporter. Counts are decayed to `judgedMs`. */
export type ReporterOutcomes = {
  readonly confirmed: number
  readonly refuted: number
  /** When a review last decided about one of his reports, epoch ms. */
  readonly judgedMs: number
  /** When one first did. */
  readonly firstJudgedMs: number
}

/** What the store answers about one reporter. */
export type ReporterRecord = {
  /** At most REPORTER_REPORTS_COUNTED are counted. */
  readonly reports: number
  readonly firstMs: number
  readonly lastMs: number
  readonly outcomes: ReporterOutcomes | undefined
}

/** What a review says about the reporters of a number, as pseudonyms; each at most once. */
export type ReviewJudgement = {
  readonly confirmed: readonly string[]
  readonly refuted: readonly string[]
}

/** More than that is not needed to tell an old reporter from a new one. */
export const REPORTER_REPORTS_COUNTED = 100

/** People change more slowly than the numbers they report; after a year a lie has 6 % of its weight. */
const OUTCOME_HALF_LIFE_DAYS = 90
/** Expected of somebody unknown: three of four reports are true, believed as firmly as two outcomes. */
const PRIOR_TRUE = 1.5
const PRIOR_FALSE = 0.5
/**
 * A wrong report harms somebody innocent, a missed one is made up for by the next victim's: it counts twice. So one mistake
 * leaves half of the weight, which still counts on every channel (0.6 x 0.5 = 0.3), three leave a quarter, which counts on none.
 */
const REFUTED_COUNTS = 2
/** A confirmed report is remembered as proof for a half-life. */
const PROVEN_CONFIRMED = 0.5
const DAY_MS = 86_400_000

/** 0..1: 1 for somebody unknown. */
export function credibility(outcomes: ReporterOutcomes | undefined, nowMs: number): number {
  if (outcomes === undefined) return 1
  const kept = decay(outcomes.judgedMs, nowMs)
  const right = PRIOR_TRUE + outcomes.confirmed * kept
  const wrong = PRIOR_FALSE + outcomes.refuted * kept * REFUTED_COUNTS
  const expected = PRIOR_TRUE / (PRIOR_TRUE + PRIOR_FALSE)
  return Math.min(1, right / (right + wrong) / expected)
}

/** A review has confirmed a report of his, not too long ago, and more than it has refuted. */
export function isProven(outcomes: ReporterOutcomes | undefined, nowMs: number): boolean {
  if (outcomes === undefined) return false
  const kept = decay(outcomes.judgedMs, nowMs)
  return outcomes.confirmed * kept >= PROVEN_CONFIRMED && outcomes.confirmed > outcomes.refuted
}

/** The outcomes after one more. A late one (clocks of nodes differ) counts as if it came with the newest. */
export function foldOutcome(
  stored: ReporterOutcomes | undefined,
  outcome: 'confirmed' | 'refuted',
  atMs: number,
): ReporterOutcomes {
  const judgedMs = Math.max(stored?.judgedMs ?? 0, atMs)
  const kept = stored === undefined ? 0 : decay(stored.judgedMs, judgedMs)
  return {
    confirmed: (stored?.confirmed ?? 0) * kept + (outcome === 'confirmed' ? 1 : 0),
    refuted: (stored?.refuted ?? 0) * kept + (outcome === 'refuted' ? 1 : 0),
    judgedMs,
    firstJudgedMs: Math.min(stored?.firstJudgedMs ?? atMs, atMs),
  }
}

/** When reporters agree too often to be strangers. */
export type CliqueRules = {
  /** Numbers that both have reported before, of the last ones of each. */
  readonly sharedMin: number
  /** ... and this share of the numbers of whoever has fewer. */
  readonly shareMin: number
}

/** Of each reporter so many of the last numbers are compared. */
export const CLIQUE_NUMBERS = 16

/**
 * Two victims of one campaign share a number or two, because callers rotate within days; eight of the last sixteen, and
 * nearly all there are, is a list that somebody hands out.
 */
export const CLIQUE_RULES: CliqueRules = { sharedMin: 8, shareMin: 0.75 }

/** Both are distinct numbers, at most CLIQUE_NUMBERS each, without the number that is reported now. */
export function alwaysAgree(a: ReadonlySet<number>, b: ReadonlySet<number>, rules: CliqueRules): boolean {
  let shared = 0
  for (const number of a) if (b.has(number)) shared++
  return shared >= rules.sharedMin && shared >= rules.shareMin * Math.min(a.size, b.size)
}

function decay(fromMs: number, toMs: number): number {
  return toMs <= fromMs ? 1 : 2 ** ((fromMs - toMs) / (OUTCOME_HALF_LIFE_DAYS * DAY_MS))
}
